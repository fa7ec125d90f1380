"""The command line: thin verbs, one module each, imported when asked for; errors become exit codes here."""

import importlib
import json
import sys
from collections.abc import Callable, Mapping

import click

import edgetx
from edgetx.errors import EdgetxError, ExitCode, ToolchainError

VERBS: Mapping[str, str] = {
    "bundle": "Pack a compiled model with hashes of all that went in, to be verified elsewhere.",
    "compile": "Take a model to int8 TFLite, ONNX, C and firmware, and report what it costs.",
    "compare": "Compare two profiles, and fail when something got worse.",
    "data": "Make, fetch and check data sets.",
    "distill": "Train the model of a recipe from labels and teachers.",
    "doctor": "Check toolchains and packages, and say how to fix each.",
    "evaluate": "Measure the accuracy of a compiled model in each runtime.",
    "flash": "Write firmware to a board, and verify it.",
    "listen": "Show what a model detects in a recording, or at the microphone.",
    "ledger": "Show what each stage from teacher to silicon won and cost.",
    "list": "Show targets, models or ops.",
    "new": "Start a firmware project or a recipe.",
    "profile": "Count the cycles of a firmware image, layer by layer.",
    "prune": "Take channels, heads, branches and tokens out of a trained model.",
    "quantize": "Train a model with the values of its integer graph.",
    "run": "Run a compiled model on inputs from an .npz.",
    "search": "Find the best network of a recipe's space that fits a budget.",
    "train": "Train the model of a recipe on recordings.",
    "tune": "Find the fastest kernels for a model's layers in the simulator.",
    "verify": "Compare every runtime with the integer reference on random and real inputs.",
}
"""Verb to the line that `--help` shows; a test holds them to the verbs' own texts."""


class Cli(click.Group):
    """Lists verbs without importing them; the only place that catches errors."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs in alphabetical order."""
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import a verb."""
        if name not in VERBS:
            return None
        command: click.Command = importlib.import_module("edgetx.cli." + ("list_" if name == "list" else name)).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs with their one-line help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, VERBS[name]) for name in self.list_commands(ctx)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or name the nearest one."""
        from edgetx.config import did_you_mean

        if args and not args[0].startswith("-") and args[0] not in VERBS:
            raise click.UsageError(f"no such command '{args[0]}'; {did_you_mean(args[0], VERBS)}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run a verb; report our errors and an interruption with their exit codes."""
        try:
            return _with_packages_named(super().invoke, ctx)
        except EdgetxError as error:
            report_error(error)
            ctx.exit(error.exit_code)
        except (KeyboardInterrupt, click.Abort):
            click.echo("interrupted", err=True)
            ctx.exit(ExitCode.INTERRUPTED)


EXTRA_OF = {
    "torch": "torch",
    "safetensors": "torch",
    "matplotlib": "plots",
    "pooch": "data",
    "requests": "data",
    "scipy": "train",
    "lightning_fabric": "train",
    "optuna": "train",
    "tflite_micro": "verify",
    "ai_edge_litert": "verify",
    "onnxruntime": "verify",
    "unicorn": "simulate",
    "ziglang": "firmware",
    "tensorflow": "tensorflow",
}
"""The extra that brings each optional package."""


def _with_packages_named(invoke: Callable[[click.Context], object], ctx: click.Context) -> object:
    """Run a verb; an optional package that is missing becomes an error of ours."""
    try:
        return invoke(ctx)
    except ModuleNotFoundError as problem:
        extra = EXTRA_OF.get((problem.name or "").partition(".")[0])
        if extra is None:
            raise
        raise ToolchainError(
            f"package {problem.name} is not installed", hint=f"pip install -c constraints.txt 'edgetx[{extra}]'"
        ) from problem


def report_error(error: EdgetxError) -> None:
    """Print an error for people, and as JSON on standard output where `--json` was asked for."""
    if "--json" in sys.argv:
        fields = {"what": error.what, "where": error.where, "hint": error.hint, "exit_code": int(error.exit_code)}
        click.echo(json.dumps({"error": fields}))
    click.echo(f"error: {error}", err=True)


@click.command(cls=Cli, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(edgetx.__version__, prog_name="edgetx")
def main() -> None:
    """Take tiny audio models from training to silicon.

    \b
    edgetx compile kws-transformer-micro --target nucleo-l4r5zi -o build/demo
    edgetx profile build/demo
    """
