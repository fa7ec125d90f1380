"""`edgetx compile`: a model to TFLite, ONNX, C and firmware."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgetx.cli.options import data_option, json_option, quiet_option, stages, target_option

if TYPE_CHECKING:
    from edgetx.compiler import Budget
    from edgetx.targets import Target


@click.command("compile", short_help="Take a model to int8 TFLite, ONNX, C and firmware, and report what it costs.")
@click.argument("source")
@target_option
@click.option("--to", "forms", help="Output forms [default: tflite,onnx,c, without a TFLite the model cannot have].")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder to write [default: build/NAME].")
@data_option
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a key of the recipe, or fix what a model file leaves open: input.NAME=VALUE.",
)
@click.option(
    "--budget", default="", metavar="LIMITS", help="Fail above, for example, ram=64K,flash=256K,latency=40ms."
)
@click.option(
    "--compress/--no-compress",
    default=None,
    help="Train, search, prune and quantize until the budget is kept [default: for recipes without weights].",
)
@click.option(
    "--head", "heads", multiple=True, metavar="MODEL", help="Another model on the same backbone: one more output."
)
@click.option("--stream", is_flag=True, help="Turn the clip model into one that runs hop by hop.")
@click.option("--strict", is_flag=True, help="List where and how every op runs.")
@click.option("--dump-ir", is_flag=True, help="Print the integer graph.")
@json_option
@quiet_option
def command(
    source: str,
    target: "Target",
    forms: str | None,
    out: Path | None,
    data: Path | None,
    settings: tuple[str, ...],
    budget: str,
    compress: bool | None,
    heads: tuple[str, ...],
    stream: bool,
    strict: bool,
    dump_ir: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Compile SOURCE: a name in the zoo, a model folder, a recipe, or a .pt2, .onnx, .tflite, .keras or .pb file.

    \b
    edgetx compile kws-transformer-micro --target nucleo-l4r5zi -o build/demo
    edgetx compile my_model.pt2 --data calib.npz --target nucleo-g0b1re --to c
    edgetx compile my_recipe.toml --data recordings --target nucleo-l4r5zi --budget ram=16K,flash=64K,latency=50ms
    """
    from edgetx.cli.tables import print_placement, print_report
    from edgetx.compiler import (
        FORMS,
        CompileOptions,
        compile_model,
        load_artifact,
        parse_budget,
        parse_forms,
        parse_settings,
    )
    from edgetx.compiler.source import is_untrained_recipe

    out = out or Path("build") / Path(source).stem
    limits = parse_budget(budget)
    if compress or (compress is None and data is not None and data.is_dir() and is_untrained_recipe(source)):
        source = _compressed(source, data, out, target, limits, quiet)
    wanted = FORMS if forms is None else parse_forms(forms)
    options = CompileOptions(
        source,
        target,
        out,
        wanted,
        data,
        parse_settings(settings),
        limits,
        stream=stream,
        lenient=forms is None,
        heads=heads,
    )
    with stages(quiet) as progress:
        report = compile_model(options, progress)
    if dump_ir:
        click.echo(str(load_artifact(out).graph))
    if as_json:
        click.echo(json.dumps(report))
        return
    print_report(report, out)
    if strict:
        print_placement(report)


def _compressed(source: str, data: Path | None, out: Path, target: "Target", limits: "Budget", quiet: bool) -> str:
    """The folder of a model that was made to fit; its stages stay beside `out` for the next run."""
    from edgetx.cli.compression import watching
    from edgetx.compress.budget import compress_to_budget
    from edgetx.compress.cost import limit_of
    from edgetx.errors import DataError

    if data is None or not data.is_dir():
        raise DataError("compression learns from recordings", where="--data", hint="name an audio folder")
    work = out.with_name(f".{out.name}.stages")
    with watching(quiet) as watch:
        return str(compress_to_budget(source, data, work, target, limit_of(limits, target), watch))
