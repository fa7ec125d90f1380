"""How a value of a clip flows hop by hop."""

from dataclasses import dataclass
from fractions import Fraction

from edgetx.errors import ModelError
from edgetx.ir import Value


@dataclass(frozen=True)
class Flow:
    """A value with a time axis in the streaming graph.

    Frame f of hop h, counted from 0, is frame h · frames + f − delay of the clip's value, continued beyond the clip.

    Attributes:
        value: The frames of one hop.
        axis: Its time axis.
        clip_frames: Frames that the value has in the clip.
        stride: Frames of the input per frame.
        delay: Frames by which the stream lags behind the clip's numbering.
        ready: The first frame, counted from reset, that depends on no initial contents of a ring.
        padded: Whether the clip still has padding around these frames, which the stream does not have.
    """

    value: Value
    axis: int
    clip_frames: int
    stride: Fraction = Fraction(1)
    delay: int = 0
    ready: int = 0
    padded: bool = False

    @property
    def frames(self) -> int:
        """Frames per hop."""
        return self.value.shape[self.axis]


class HopError(Exception):
    """The hop has to be `factor` times as long."""

    def __init__(self, factor: int) -> None:
        self.factor = factor
        super().__init__(factor)


class StreamError(ModelError):
    """A layer that cannot run hop by hop: which one, why, and the alternative."""
