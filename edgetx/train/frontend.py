"""The front end of `edgetx.audio` in torch, for audio that was augmented on the fly."""

import torch
from torch import Tensor, nn

from edgetx.audio.frontend import fft_size, hann, mel_filters, projection
from edgetx.recipe import FrontEnd, samples


class TorchFrontEnd(nn.Module):
    """Audio in units of 16-bit samples, batch × samples, to features, batch × frames × features."""

    def __init__(self, frontend: FrontEnd, sample_rate_hz: int) -> None:
        super().__init__()
        window = samples(frontend.window_ms, sample_rate_hz)
        self.hop = samples(frontend.hop_ms, sample_rate_hz)
        self.size = fft_size(window)
        self.mean, self.std = frontend.mean, frontend.std
        self.register_buffer("window", torch.from_numpy(hann(window)))
        self.register_buffer("filters", torch.from_numpy(mel_filters(frontend, self.size, sample_rate_hz)))
        self.register_buffer("projection", torch.from_numpy(projection(frontend)))

    def log_mel(self, audio: Tensor) -> Tensor:
        """log2 of the mel energies."""
        window, filters = self.get_buffer("window"), self.get_buffer("filters")
        spectrum = torch.fft.rfft(audio.unfold(-1, len(window), self.hop) * window, self.size)
        power = torch.view_as_real(spectrum).square().sum(-1) / self.size
        return torch.log2(power @ filters + 1)

    def project(self, log_mel: Tensor) -> Tensor:
        """Log-mel to normalised features."""
        return (log_mel @ self.get_buffer("projection") - self.mean) / self.std

    def forward(self, audio: Tensor) -> Tensor:
        """Normalised features."""
        return self.project(self.log_mel(audio))
