"""Pretraining: what an encoder can learn from clips without their labels."""

from edgetx.train.pretrain.stage import pretrain

__all__ = ["pretrain"]
