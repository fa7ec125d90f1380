"""Random changes of training clips: of batches of audio in 16-bit samples, log-mel energies and model inputs."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from edgetx.recipe import Augmentation

_DECIBELS_PER_DOUBLING = 3.0103  # of energy


def uniform(like: Tensor, low: float, high: float) -> Tensor:
    """One random value per clip, as a column."""
    return torch.empty(len(like), 1, device=like.device).uniform_(low, high)


def shift_and_speed(audio: Tensor, shift: float, speed: float, around: bool = False) -> Tensor:
    """Move by up to ± `shift` samples and play faster or slower by up to the fraction `speed`.

    Reads the clip at evenly spaced instants with linear interpolation; from outside come zeros or, if `around`, what
    left at the other end.
    """
    length = audio.shape[1]
    rate = 1 + uniform(audio, -speed, speed)
    offset = uniform(audio, -shift, shift)
    instants = (torch.arange(length, device=audio.device) - length / 2) * rate + length / 2 + offset
    if around:
        instants = instants.remainder(length)
    before = instants.floor()
    left, weight = before.long() + 1, instants - before
    padded = F.pad(audio, (1, 1))
    early = padded.gather(1, left.clamp(0, length + 1))
    late = padded.gather(1, (left + 1).clamp(0, length + 1))
    return early + weight * (late - early)


def gain(audio: Tensor, decibels: float) -> Tensor:
    """Louder or softer by up to `decibels`."""
    return audio * _amplitude(uniform(audio, -decibels, decibels))


def add_noise(audio: Tensor, noise: Tensor, probability: float, snr_low_db: float, snr_high_db: float) -> Tensor:
    """Add a random stretch of `noise` at a random signal-to-noise ratio, to some of the clips."""
    length = audio.shape[1]
    starts = torch.randint(len(noise) - length + 1, (len(audio), 1), device=audio.device)
    added = noise[starts + torch.arange(length, device=audio.device)]
    level = _rms(audio) / _rms(added).clamp(min=1) / _amplitude(uniform(audio, snr_low_db, snr_high_db))
    return audio + added * level * (uniform(audio, 0, 1) < probability)


def equalize(log_mel: Tensor, decibels: float, knots: int = 6) -> Tensor:
    """Add a smooth random frequency response of standard deviation `decibels` to log2 mel energies in Q9."""
    response = torch.randn(len(log_mel), 1, knots, device=log_mel.device) * (decibels / _DECIBELS_PER_DOUBLING * 2**9)
    return log_mel + F.interpolate(response, log_mel.shape[-1], mode="linear", align_corners=True)


def mask(features: Tensor, axis: int, count: int, widest: int) -> Tensor:
    """Set `count` random stretches of up to `widest` steps along an axis to 0, the mean of normalised features."""
    steps = torch.arange(features.shape[axis], device=features.device)
    for _ in range(count):
        width = uniform(features, 0, widest)
        start = uniform(features, 0, 1) * (features.shape[axis] - width)
        hidden = (steps >= start) & (steps < start + width)
        features = features.masked_fill(hidden.unsqueeze(3 - axis), 0)
    return features


def mixup(features: Tensor, targets: Tensor, parameter: float) -> tuple[Tensor, Tensor]:
    """Blend every clip and its target with those of another clip."""
    blend = torch.distributions.Beta(parameter, parameter).sample((len(features),)).to(features)
    blend = torch.maximum(blend, 1 - blend)
    other = torch.randperm(len(features), device=features.device)
    weight = blend[:, None, None]
    mixed = weight * features + (1 - weight) * features[other]
    return mixed, blend[:, None] * targets + (1 - blend[:, None]) * targets[other]


@dataclass(frozen=True)
class Augmenter:
    """A recipe's augmentation, with the recordings of noise that it needs."""

    settings: Augmentation
    sample_rate_hz: int
    noise: Tensor | None = None

    def audio(self, audio: Tensor) -> Tensor:
        """Augmented 16-bit samples."""
        s, audio = self.settings, audio.float()
        if s.shift_ms or s.speed:
            audio = shift_and_speed(audio, s.shift_ms * self.sample_rate_hz / 1000, s.speed, s.shift_around)
        if self.noise is not None:
            audio = add_noise(audio, self.noise, s.noise_probability, s.noise_snr_low_db, s.noise_snr_high_db)
        audio = gain(audio, s.gain_db) if s.gain_db else audio
        return audio.round().clamp(-32768, 32767)

    def log_mel(self, log_mel: Tensor) -> Tensor:
        """Augmented log-mel energies."""
        return equalize(log_mel, self.settings.equalizer_db) if self.settings.equalizer_db else log_mel

    def features(self, features: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Augmented features and targets."""
        s = self.settings
        if s.mixup:
            features, targets = mixup(features, targets, s.mixup)
        features = mask(features, 1, s.time_masks, s.time_mask_frames)
        return mask(features, 2, s.frequency_masks, s.frequency_mask_features), targets

    def context(self, features: Tensor) -> Tensor:
        """Features with those of other clips before them, in a share of the calls: batch × frames × features."""
        share = self.settings.context
        if not share or torch.rand(()) >= share:
            return features
        return torch.cat((features[torch.randperm(len(features))], features), dim=1)


def _amplitude(decibels: Tensor) -> Tensor:
    return torch.pow(10.0, decibels / 20)


def _rms(audio: Tensor) -> Tensor:
    return audio.square().mean(dim=1, keepdim=True).sqrt()
