"""`edgetx compare`: two profiles or reports side by side."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgetx.cli.options import json_option

if TYPE_CHECKING:
    from edgetx.profile.compare import Change


def print_changes(changes: "Sequence[Change]") -> None:
    """Print every figure that changed."""
    from rich.console import Console
    from rich.table import Table

    table = Table("figure", "before", "after", "change", box=None, header_style="bold", pad_edge=False)
    for change in changes:
        if change.before != change.after:
            percent = "" if change.percent is None else f"{change.percent:+.2f} %"
            table.add_row(change.name, f"{change.before:g}", f"{change.after:g}", percent)
    console = Console(highlight=False)
    if table.row_count:
        console.print(table)
    else:
        console.print(f"no difference in {len(changes)} figures")


@click.command("compare", short_help="Compare two profiles, and fail when something got worse.")
@click.argument("before", type=click.Path(path_type=Path, exists=True))
@click.argument("after", type=click.Path(path_type=Path, exists=True))
@click.option("--fail-if", "rules", multiple=True, help="Rule such as 'cycles>+2%' or 'memory.arena_bytes>0'.")
@json_option
def command(before: Path, after: Path, rules: tuple[str, ...], as_json: bool) -> None:
    """Compare BEFORE with AFTER: compiled folders, reports, or what `edgetx profile --json` printed.

    \b
    edgetx compare build/old build/new --fail-if 'cycles>+2%'
    """
    from edgetx.profile.compare import check_rules, compare, load_profile, parse_rule

    parsed = [parse_rule(rule) for rule in rules]
    changes = compare(load_profile(before), load_profile(after))
    if as_json:
        rows = [{"name": c.name, "before": c.before, "after": c.after, "percent": c.percent} for c in changes]
        click.echo(json.dumps({"changes": rows}))
    else:
        print_changes(changes)
    check_rules(changes, parsed)
