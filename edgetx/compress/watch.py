"""Who is told how long work goes."""

from collections.abc import Callable
from dataclasses import dataclass

from edgetx.train.history import Epoch


@dataclass(frozen=True)
class Watch:
    """Called while a stage of compression works.

    Attributes:
        stage: With what is being done.
        epoch: With what each epoch of training gave.
    """

    stage: Callable[[str], None] = lambda _: None
    epoch: Callable[[Epoch], None] = lambda _: None


SILENT = Watch()
