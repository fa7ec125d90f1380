"""In which numbers products and convolutions are computed while training."""

import torch

from edgetx.recipe import Training


def bfloat16(settings: Training) -> bool:
    """Whether the settings ask for bfloat16 and the processor has it rather than only imitating it."""
    native = torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported()
    return settings.precision == "bfloat16" and native
