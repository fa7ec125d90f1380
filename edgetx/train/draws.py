"""Augmented draws of the training clips, kept for several epochs."""

import torch
from torch import Tensor

from edgetx.audio.frontend import FixedPointFrontEnd
from edgetx.train.augment import Augmenter
from edgetx.train.seeds import seed_epoch

_CLIPS = 64  # at a time


class Draws:
    """Log-mel energies of augmented clips, with the front end's bits; in every epoch some are drawn afresh.

    Each draw is heard in `reuse` epochs, each time with other masks, frequency response and blends: the front end and
    the changes of the audio, which together cost more than a small model's training, are paid once in `reuse` epochs.
    What an epoch hears follows from the seed and its number, also after a resume.

    Args:
        audio: 16-bit samples, clips × samples.
        augmenter: Random changes of the audio.
        frontend: Audio to log-mel energies.
        reuse: Epochs that hear the same draw, at least 1.
        seed: Of all draws.
    """

    def __init__(
        self, audio: Tensor, augmenter: Augmenter, frontend: FixedPointFrontEnd, reuse: int, seed: int
    ) -> None:
        self.audio, self.augmenter, self.frontend = audio, augmenter, frontend
        self.reuse, self.seed = reuse, seed
        self.epoch: int | None = None
        self.log_mel = torch.empty(0, dtype=torch.int16)

    def advance(self, epoch: int) -> None:
        """Make the draws those of an epoch: all clips at first, then every `reuse`-th."""
        first = epoch - self.reuse + 1 if self.epoch is None else self.epoch + 1
        for drawn in range(first, epoch + 1):
            self._draw(drawn)
        self.epoch = epoch

    def __getitem__(self, clips: Tensor) -> Tensor:
        """Log-mel energies in Q9 of some clips; clips × frames × mels."""
        return self.log_mel[clips].double()

    def _draw(self, epoch: int) -> None:
        seed_epoch(self.seed, -1 - epoch)
        chosen = torch.arange(epoch % self.reuse, len(self.audio), self.reuse)
        for clips in torch.split(chosen, _CLIPS):
            log_mel = self.frontend.log_mel(self.augmenter.audio(self.audio[clips])).to(torch.int16)
            if not len(self.log_mel):
                self.log_mel = log_mel.new_zeros(len(self.audio), *log_mel.shape[1:])
            self.log_mel[clips] = log_mel
