"""Options that several verbs share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgetx.targets import Target

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
seeds_option = click.option(
    "--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="Train this many, keep the best on valid."
)
folds_option = click.option("--folds", is_flag=True, help="Train one model per fold of the data, tested on that fold.")
keep_all_option = click.option(
    "--keep-all", is_flag=True, help="Write every model, to OUT-fold-F-seed-S, not only the best."
)
data_option = click.option(
    "--data", type=click.Path(path_type=Path), help="Audio folder with a split CSV, or an .npz with x and optionally y."
)


class TargetName(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """A target by name, in any case, or the path of a TOML file."""

    name = "target"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Target":
        """Load the target."""
        from edgetx.targets import load_target

        return load_target(value if Path(value).suffix == ".toml" else value.lower().replace("_", "-"))


class AddressType(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """A number as C writes it."""

    name = "address"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Convert, or end the program with a message."""
        try:
            return int(value, 0)
        except ValueError:
            self.fail(f"expected an address such as 0x08000000, got '{value}'", param, ctx)


target_option = click.option(
    "--target", required=True, type=TargetName(), help="Board or phone by name (`edgetx list targets`), or a TOML file."
)


def _target_of_artifact(ctx: click.Context, param: click.Parameter, target: "Target | None") -> "Target":
    """What was given, or the target that the folder was compiled for."""
    from edgetx.compiler import load_artifact

    if target is not None:
        return target
    artifact: Path = ctx.params["artifact"]
    if not (artifact / "report.json").is_file():
        raise click.MissingParameter("Only folders that edgetx compiled know theirs.", ctx, param)
    return load_artifact(artifact).target


artifact_target_option = click.option(
    "--target",
    type=TargetName(),
    callback=_target_of_artifact,
    help="Board or phone by name, or a TOML file [default: what the folder was compiled for].",
)
"""Of commands with an argument `artifact`, a compiled folder or an image."""


@contextmanager
def stages(quiet: bool) -> "Iterator[Callable[[str], None]]":
    """Show the stage that long work is at, on a terminal."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal, transient=True) as progress:
        task = progress.add_task("starting", total=None)
        yield lambda stage: progress.update(task, description=stage)
