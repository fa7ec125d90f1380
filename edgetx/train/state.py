"""How far a training has come: what changes from step to step, and what is kept of the best epoch."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from edgetx.recipe import Training
from edgetx.train.history import Epoch, best_epoch
from edgetx.train.schedule import learning_rate_factor


class TrainState:
    """Weights, their moving average, optimizer, learning rate and epochs of a training.

    Args:
        model: What is trained.
        optimizer: Of its parameters.
        settings: Schedule, and decay of the average.
        steps_per_epoch: How many.
    """

    def __init__(self, model: nn.Module, optimizer: Optimizer, settings: Training, steps_per_epoch: int) -> None:
        self.model, self.optimizer = model, optimizer
        average = get_ema_multi_avg_fn(settings.average)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(model, multi_avg_fn=average, use_buffers=True)
        self.schedule = LambdaLR(optimizer, learning_rate_factor(settings, steps_per_epoch))
        self.history: list[Epoch] = []
        self.best = _copy(self.average.module)

    def stepped(self) -> None:
        """Take note of a step of the optimizer."""
        self.schedule.step()
        self.average.update_parameters(self.model)

    def add(self, epoch: Epoch) -> None:
        """Take note of an epoch, and keep its averaged weights if it is the best so far."""
        self.history.append(epoch)
        if best_epoch(self.history) is epoch:
            self.best = _copy(self.average.module)

    def finish(self) -> nn.Module:
        """The model with the averaged weights of its best epoch, in eval mode."""
        self.model.load_state_dict(self.best)
        return self.model.eval()

    def state_dict(self) -> dict[str, object]:
        """What a checkpoint keeps."""
        return {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "history": [asdict(epoch) for epoch in self.history],
            "best": self.best,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a checkpoint was written.

        Raises:
            KeyError: If something is missing in it.
            RuntimeError: If it is of another model.
            ValueError: If it is of another model.
        """
        for name in ("model", "average", "optimizer", "schedule"):
            getattr(self, name).load_state_dict(state[name])
        self.history = [Epoch(**row) for row in state["history"]]
        self.best = state["best"]


def _copy(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
