"""Published settings of encoders, and small relatives of ours for microcontrollers, by name."""

_KWT: dict[str, dict[str, object]] = {
    "keyword_transformer": {},
    "kwt-1": {"width": 64, "heads": 1, "mlp": 256},
    "kwt-2": {"width": 128, "heads": 2, "mlp": 512},
    "kwt-3": {"width": 192, "heads": 3, "mlp": 768},
    "kwt-micro-32": {"width": 32, "layers": 4, "mlp": 64},
    "kwt-micro-48": {"width": 48, "layers": 4, "mlp": 96},
    "kwt-micro-64": {"width": 64, "layers": 4, "mlp": 128},
    "tt-6k": {"width": 16, "mlp": 32, "layers": 2, "heads": 2, "qkv_bias": True},
    "tt-20k": {"width": 32, "mlp": 64, "layers": 2, "heads": 2, "qkv_bias": True},
}

_LMUFORMER_MEMORY = {256: 256, 128: 128, 96: 64, 64: 64, 32: 32}
"""Order of the memory by width."""


def _lmuformer(width: int, **changes: object) -> dict[str, object]:
    return {
        "width": width,
        "layers": 1,
        "mlp": 4 * width,
        "mixer": [f"lmu({_LMUFORMER_MEMORY[width]}, 128)"],
        "feed_forward": "normed",
        "embedding": "conv",
        "positions": "none",
        "pooling": "mean",
        "norm": "none",
        **changes,
    }


_SPIKING: dict[str, object] = {
    "mixer": ["spiking_lmu(512, 128)"],
    "feed_forward": "spiking",
    "embedding": "spiking_conv",
    "norm": "spike",
    "norm_place": "pre",
}
_SPIKING_SMALL = {**_SPIKING, "mixer": ["spiking_lmu(128, 128)"]}

_LMU: dict[str, dict[str, object]] = {
    "lmuformer": _lmuformer(256),
    "lmuformer-128": _lmuformer(128),
    "lmuformer-96": _lmuformer(96),
    "lmuformer-64": _lmuformer(64),
    "lmuformer-32": _lmuformer(32),
    "spiking-lmuformer": _lmuformer(256, **_SPIKING),
    "spiking-lmuformer-64": _lmuformer(64, **_SPIKING_SMALL),
}

_SSAMBA: dict[str, object] = {"feed_forward": "none", "pooling": "mean", "norm_place": "pre"}
_SSAMBA_TINY = {**_SSAMBA, "width": 192, "layers": 24, "patch_frames": 16, "patch_features": 16}
_SSAMBA_MICRO = {**_SSAMBA, "width": 32, "layers": 2, "norm": "rms", "positions": "none", "causal": True}

_MICRO: dict[str, object] = {
    "width": 32,
    "heads": 2,
    "layers": 4,
    "mlp": 64,
    "pooling": "mean",
    "norm": "batch",
    "norm_place": "branch",
    "qkv_bias": True,
    "activation": "relu",
}


def _micro(*mixer: str, **changes: object) -> dict[str, object]:
    return {**_MICRO, "mixer": list(mixer), **changes}


_OTHER: dict[str, dict[str, object]] = {
    "ssamba-tiny": {**_SSAMBA_TINY, "mixer": ["selective_ssm(16)"]},
    "ssamba-tiny-causal": {**_SSAMBA_TINY, "mixer": ["selective_ssm(16)"], "causal": True},
    "ssamba-micro": {**_SSAMBA_MICRO, "mixer": ["selective_ssm(8)"]},
    "poolformer-micro": _micro("pool(3)", norm_place="pre", layer_scale=1e-5, activation="gelu", mlp=128),
    "masformer-micro": _micro("full", "block(7)", "block(7)", "block(7)"),
    "combiner-micro": _micro("combiner(7)"),
    "music-transformer-micro": _micro("relative", positions="none"),
    "gla-micro": _micro("gated_linear", positions="none", norm="rms", norm_place="pre"),
    "replknet-micro": _micro("large_kernel(13)", positions="none"),
    "statistics-mlp": _micro("none", positions="none", pooling="statistics", layers=2),
}

ENCODERS: dict[str, dict[str, object]] = {
    **_KWT,
    **_LMU,
    **{f"{name}-causal": {**options, "causal": True} for name, options in _LMU.items()},
    **_OTHER,
}
"""Options that differ from the defaults of `EncoderOptions`."""
