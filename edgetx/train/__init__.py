"""Training: from a recipe and a data set to a model folder."""

from edgetx.train.pipeline import train

__all__ = ["train"]
