"""`edgetx ledger`: what each stage from teacher to silicon has in accuracy, size and cycles."""

import json
from pathlib import Path

import click

from edgetx.cli.compression import print_ledger
from edgetx.cli.options import json_option


@click.command("ledger", short_help="Show what each stage from teacher to silicon won and cost.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--html", "page", type=click.Path(path_type=Path), help="Write it as a page with charts.")
@json_option
def command(folder: Path, page: Path | None, as_json: bool) -> None:
    """Show the ledger of FOLDER: a model folder, or what `edgetx compile` wrote."""
    from edgetx.compress.html import write_ledger_page
    from edgetx.compress.ledger import ledger_of

    stages, found = ledger_of(folder)
    if page is not None:
        write_ledger_page(page, folder.resolve().name, stages, found)
    if as_json:
        click.echo(json.dumps({"schema": 1, "stages": stages}))
        return
    print_ledger(stages)
    if page is not None:
        click.echo(f"wrote {page}")
