"""`edgetx list`: what there is."""

import json
from typing import Any

import click

from edgetx.cli.options import json_option


@click.command("list", short_help="Show targets, models or ops.")
@click.argument("what", type=click.Choice(["targets", "models", "ops"]))
@json_option
def command(what: str, as_json: bool) -> None:
    """Show what edgetx knows.

    \b
    edgetx list targets
    edgetx list ops --json
    """
    rows = {"targets": _targets, "models": _models, "ops": _ops}[what]()
    if as_json:
        click.echo(json.dumps(rows))
        return
    from rich.markup import escape

    from edgetx.cli.cells import make_console, plain_table

    table = plain_table(*(rows[0] if rows else ()))
    for row in rows:
        table.add_row(*(escape(_cell(value)) for value in row.values()))
    make_console().print(table)


def _cell(value: object) -> str:
    return {True: "yes", False: "–"}[value] if isinstance(value, bool) else str(value)


def _targets() -> list[dict[str, Any]]:
    from edgetx.targets import list_targets

    return [
        {"name": t.name, "core": t.core, "clock_mhz": t.clock_hz / 1e6, "description": t.description}
        for t in list_targets()
    ]


def _models() -> list[dict[str, Any]]:
    from edgetx.compiler.source import zoo_names
    from edgetx.recipe import load_recipe

    return [{"name": name, "description": load_recipe(name).description} for name in zoo_names()]


def _ops() -> list[dict[str, Any]]:
    from edgetx.ops.support import support_table

    return [
        {
            "name": row.op,
            "bits": ", ".join(map(str, row.widths)),
            **{form: form in row.forms for form in ("tflite", "onnx", "c")},
            "meaning": row.meaning,
        }
        for row in support_table()
    ]
