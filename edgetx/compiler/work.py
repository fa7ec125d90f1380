"""What a compilation is asked for, and what its stages hand on to each other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edgetx.compiler.artifact import Artifact
from edgetx.compiler.budget import Budget
from edgetx.compiler.pace import Pace
from edgetx.compiler.quantized import Quantized, as_inputs
from edgetx.compiler.settings import FORMS
from edgetx.compiler.source import Source
from edgetx.compiler.spikes import LayerSpikes
from edgetx.compiler.streaming import StreamedModel
from edgetx.ir import Array, Arrays
from edgetx.quant import QuantRecipe
from edgetx.targets import Target

Progress = Callable[[str], None]


@dataclass(frozen=True)
class CompileOptions:
    """What to compile, to what.

    Attributes:
        source: A name in the zoo, a model folder, a recipe or a model file.
        target: The board or phone.
        out: Folder to write.
        forms: Output forms out of `FORMS`.
        data: Audio folder or `.npz`; calibrates models that bring no calibration inputs, and measures accuracy if it
            is labelled.
        settings: Keys of the recipe to override.
        budget: Limits that the result must keep; where RAM is short, fewer weights are copied there.
        cases: Inputs on which every runtime is compared with the reference.
        simulated_cases: How many of them the simulated core runs.
        stream: Whether to turn the clip model into one that runs hop by hop.
        enforce: Whether to fail above the budget.
        lenient: Whether to leave out a TFLite file that the model cannot have, and say so in the report.
        heads: Further models on the same backbone, each of which is one more output.
    """

    source: str
    target: Target
    out: Path
    forms: tuple[str, ...] = FORMS
    data: Path | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    cases: int = 32
    simulated_cases: int = 4
    stream: bool = False
    enforce: bool = True
    lenient: bool = False
    heads: tuple[str, ...] = ()


@dataclass
class Work:
    """What the stages hand on to each other."""

    options: CompileOptions
    source: Source
    samples: Array
    recipe: QuantRecipe
    model: Quantized
    folder: Path
    progress: Progress
    clips: Array
    streaming: StreamedModel | None = None
    pace: Pace | None = None
    spikes: Sequence[LayerSpikes] = ()
    artifacts: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def real_cases(artifact: Artifact, samples: Array) -> list[Arrays]:
    """Real inputs, quantized."""
    return [artifact.quantized(inputs) for inputs in as_inputs(artifact.graph, samples)] if len(samples) else []
