"""Options of `edgetx compile` as users spell them."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Literal, get_args

from edgetx.compiler.source import read_plan
from edgetx.compiler.streaming import StreamOptions
from edgetx.config import did_you_mean
from edgetx.errors import ConfigError
from edgetx.passes.lower_lmu import FORMS as FORMS_OF_LMU
from edgetx.passes.lower_lmu import LmuForm
from edgetx.plan import Schedule, load_schedule
from edgetx.plan.schedule import read_schedule
from edgetx.quant import QuantPlan, QuantRecipe, parse_recipe
from edgetx.targets import Target

FORMS = ("tflite", "onnx", "c")
SETTINGS = (
    "quantization.recipe",
    "quantization.calibration",
    "quantization.extra_cycles",
    "quantization.plan",
    "lmu.form",
    "spikes.kernels",
    "kernels.schedule",
    "tflite.states",
    "import.check",
)
SpikeKernels = Literal["auto", "dense", "events"]
"""auto: event-driven where that is faster at the firing rate of the calibration inputs."""
STREAMING = "streaming."
"""Begins the keys of what only `--stream` reads."""
INPUT = "input."
"""Begins the keys that fix an input or a symbolic axis of a model file."""


def parse_forms(text: str) -> tuple[str, ...]:
    """Output forms from a list such as `tflite,onnx,c`.

    Raises:
        ConfigError: If a form is unknown.
    """
    forms = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    for form in forms:
        if form not in FORMS:
            raise ConfigError(f"unknown form '{form}'", where="--to", hint=did_you_mean(form, FORMS))
    if not forms:
        raise ConfigError("no output form", where="--to", hint=f"known: {', '.join(FORMS)}")
    return forms


def parse_settings(words: Sequence[str]) -> dict[str, str]:
    """Overrides from words such as `quantization.recipe=static_wi8_ai16`.

    Raises:
        ConfigError: If a word is not KEY=VALUE or the key is unknown.
    """
    settings: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        known = (*SETTINGS, *(STREAMING + field.name for field in fields(StreamOptions)))
        if not equals or (key not in known and not key.startswith(INPUT)):
            raise ConfigError(f"cannot set '{word}'", where="--set", hint=did_you_mean(key, known))
        settings[key] = value
    return settings


def overridden(recipe: QuantRecipe, settings: Mapping[str, str]) -> QuantRecipe:
    """The quantization recipe with the user's overrides.

    Raises:
        ConfigError: If one is unknown, or not a number where one is needed.
    """
    extra = settings.get("quantization.extra_cycles", str(recipe.extra_cycles))
    try:
        share = float(extra)
    except ValueError as problem:
        raise ConfigError(f"'{extra}' is no number", where="quantization.extra_cycles", hint="0.25") from problem
    name = settings.get("quantization.recipe", recipe.name)
    return parse_recipe(name, settings.get("quantization.calibration", recipe.method), share)


def given_plan(settings: Mapping[str, str]) -> QuantPlan | None:
    """The plan that the user gives in place of one from calibration: an edited `plan.json`.

    Raises:
        ModelError: If the file is not one.
        QuantError: If it holds what is no quantization.
    """
    asked = settings.get("quantization.plan")
    return read_plan(Path(asked)) if asked else None


def lmu_form(settings: Mapping[str, str]) -> LmuForm | None:
    """The form of LMUs that the user asks for; None to let the compiler choose.

    Raises:
        ConfigError: If there is no such form.
    """
    asked = settings.get("lmu.form", "auto")
    if asked == "auto":
        return None
    for form in FORMS_OF_LMU:
        if asked == form:
            return form
    raise ConfigError(f"unknown form '{asked}'", where="--set lmu.form", hint=f"known: auto, {', '.join(FORMS_OF_LMU)}")


def kernel_schedule(settings: Mapping[str, str], target: Target) -> Schedule:
    """The forms of kernels that the user tuned, or those that come with the board.

    Raises:
        TargetError: If the file is not valid.
    """
    asked = settings.get("kernels.schedule")
    return read_schedule(Path(asked)) if asked else load_schedule(target)


def spike_kernels(settings: Mapping[str, str]) -> SpikeKernels:
    """How layers on spikes are computed.

    Raises:
        ConfigError: If the setting is none of the three.
    """
    asked = settings.get("spikes.kernels", "auto")
    known: tuple[SpikeKernels, ...] = get_args(SpikeKernels)
    for choice in known:
        if asked == choice:
            return choice
    raise ConfigError(f"'{asked}'", where="--set spikes.kernels", hint=f"known: {', '.join(known)}")


def input_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """What the settings say about inputs and symbolic axes, by their names."""
    return {key.removeprefix(INPUT): value for key, value in settings.items() if key.startswith(INPUT)}


def import_is_checked(settings: Mapping[str, str]) -> bool:
    """Whether an imported graph is compared with the runtime of its file.

    Raises:
        ConfigError: If the setting is neither.
    """
    choice = settings.get("import.check", "on")
    if choice not in ("on", "off"):
        raise ConfigError(f"'{choice}'", where="import.check", hint="on or off")
    return choice == "on"


def stream_settings(settings: Mapping[str, str]) -> dict[str, str]:
    """What the settings say about the stream, without their prefix."""
    return {key.removeprefix(STREAMING): value for key, value in settings.items() if key.startswith(STREAMING)}


def states_as_inputs(settings: Mapping[str, str]) -> bool:
    """Whether the TFLite file takes states as inputs and gives them as outputs, instead of keeping them in variables.

    Raises:
        ConfigError: If the setting is neither.
    """
    choice = settings.get("tflite.states", "variables")
    if choice not in ("variables", "inputs"):
        raise ConfigError(f"'{choice}'", where="tflite.states", hint="variables or inputs")
    return choice == "inputs"
