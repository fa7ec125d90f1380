"""`edgetx run`: a compiled model on inputs from a file."""

from pathlib import Path

import click


@click.command("run", short_help="Run a compiled model on inputs from an .npz.")
@click.argument("artifact", type=click.Path(path_type=Path))
@click.option("--input", "inputs", type=click.Path(path_type=Path), required=True, help="An .npz with in0, in1, …")
@click.option("--runtime", default="int", show_default=True, help="Where to run it.")
@click.option("-o", "--out", type=click.Path(path_type=Path), default="out.npz", show_default=True, help="Results.")
def command(artifact: Path, inputs: Path, runtime: str, out: Path) -> None:
    """Run ARTIFACT, a compiled folder, once, or step by step.

    Keys in0, in1 … hold one invocation and give out0, out1 …; keys in0_seq … hold one per leading index, with
    the state kept from one to the next, and give out0_seq …. Real inputs are quantized and give real outputs; integer
    inputs are taken as they are and give integers.

    \b
    edgetx run build/demo --input x.npz --runtime tflm -o y.npz
    """
    from edgetx.compiler import load_artifact
    from edgetx.compiler.invoke import run_file

    run_file(load_artifact(artifact), runtime, inputs, out)
    click.echo(f"wrote {out}")
