"""Sizes that all variants share, and the variants."""

from dataclasses import dataclass

TOKENS, FEATURES, WIDTH, MLP, LAYERS, CLASSES = 48, 40, 40, 80, 4, 35
CALIBRATION, TEST = 64, 64
EPSILON = 1e-6


@dataclass(frozen=True)
class Variant:
    """What distinguishes one keyword transformer from another of the same size."""

    heads: int
    pre_norm: bool
    class_token: bool

    def __str__(self) -> str:
        heads = "1 head" if self.heads == 1 else f"{self.heads} heads"
        return f"{'pre' if self.pre_norm else 'post'}-norm, {heads}, {'class token' if self.class_token else 'mean'}"


VARIANTS = {
    "pre-mean-4": Variant(heads=4, pre_norm=True, class_token=False),
    "pre-token-4": Variant(heads=4, pre_norm=True, class_token=True),
    "post-token-1": Variant(heads=1, pre_norm=False, class_token=True),
}
