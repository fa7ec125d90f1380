"""`edgetx bundle`: evidence of a compilation in one file."""

from pathlib import Path

import click


@click.command("bundle", short_help="Pack a compiled model with hashes of all that went in, to be verified elsewhere.")
@click.argument("artifact", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), default="evidence.zip", show_default=True)
def command(artifact: Path, out: Path) -> None:
    """Pack ARTIFACT, a compiled folder: model, recipe, graphs, C and kernels, firmware, what it prints, and the hashes.

    \b
    edgetx bundle build/demo -o demo-evidence.zip
    edgetx verify demo-evidence.zip                  # anywhere else: replays it
    """
    from edgetx.compiler import load_artifact
    from edgetx.compiler.evidence import write_bundle

    manifest = write_bundle(load_artifact(artifact), out)
    hashes = manifest["sha256"]
    assert isinstance(hashes, dict)
    click.echo(f"{out}: {len(hashes)} files")
