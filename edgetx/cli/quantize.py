"""`edgetx quantize`: train a model with the values of its integer graph."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgetx.cli.compression import as_metrics, default_out, shared_options, tell, watching

if TYPE_CHECKING:
    from edgetx.targets import Target


@click.command("quantize", short_help="Train a model with the values of its integer graph.")
@click.argument("model")
@shared_options
def command(model: str, data: Path, target: "Target", out: Path | None, as_json: bool, quiet: bool) -> None:
    """Quantization-aware training of MODEL, a model folder or a name in the zoo.

    Every activation has, bit for bit, the value that the firmware will compute. The folder that is written holds the
    weights and the quantization; `edgetx compile` takes both as they are.
    """
    from edgetx.compress.quantize import quantize

    out = default_out(out, model, "quantized")
    with watching(quiet) as watch:
        ledger = quantize(model, data, out, target, watch)
    tell(as_metrics(ledger), out, as_json)
