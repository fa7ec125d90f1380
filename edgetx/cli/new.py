"""`edgetx new`: projects and recipes to start from."""

import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgetx.cli.options import TargetName

if TYPE_CHECKING:
    from edgetx.targets import Target

EXAMPLES = ("bench", "keyword_spotter", "sound_event", "c_library", "arduino_library", "tflm_application")


@click.group("new", short_help="Start a firmware project or a recipe.")
def command() -> None:
    """Start a firmware project or a recipe."""


@command.command("firmware")
@click.argument("name", type=click.Path(path_type=Path))
@click.option("--target", "board", required=True, help="Board by name (`edgetx list targets`), or a TOML file.")
@click.option("--example", type=click.Choice(EXAMPLES), default="keyword_spotter", show_default=True)
@click.option("--model", default="kws-transformer-micro", show_default=True, help="What the project compiles.")
def firmware(name: Path, board: str, example: str, model: str) -> None:
    """Copy a firmware example to NAME, with the commands that build it for a board.

    A board of your own (a TOML file) is copied into the project.

    \b
    edgetx new firmware doorbell --target nucleo-l4r5zi
    """
    from edgetx.resources import data_dir

    target = TargetName().convert(board, None, None)
    _check_kind(target, example)
    _check_model(model)
    _refuse_existing(name)
    examples = data_dir("firmware_examples")
    shutil.copytree(examples / example, name)
    if (name / "src").is_dir() and example in ("bench", "keyword_spotter", "sound_event"):
        shutil.copytree(examples / "cmake", name / "cmake")
    if example == "sound_event":
        shutil.copytree(examples / "keyword_spotter" / "src", name / "spotter")
        cmake = name / "CMakeLists.txt"
        cmake.write_text(
            cmake.read_text(encoding="utf-8").replace("../keyword_spotter/src", "spotter"), encoding="utf-8"
        )
    spelled = target.name
    if Path(board).suffix == ".toml":
        spelled = Path(board).name
        shutil.copy(board, name / spelled)
    (name / "build.sh").write_text(_build_script(example, spelled, model), encoding="utf-8")
    (name / "build.sh").chmod(0o755)
    (name / "README.md").write_text(_readme(name.name, example, spelled), encoding="utf-8")
    click.echo(f"{name}: ./build.sh builds it for {target.name}; README.md says how it runs")


@command.command("recipe")
@click.argument("name", type=click.Path(path_type=Path))
@click.option("--from", "source", default="kws-transformer-micro", show_default=True, help="A model of the zoo.")
def recipe(name: Path, source: str) -> None:
    """Copy the recipe of a model to NAME/recipe.toml, to be changed.

    \b
    edgetx new recipe my-words
    """
    from edgetx.config import did_you_mean
    from edgetx.errors import ConfigError
    from edgetx.resources import data_dir

    models = {path.parent.name: path for path in data_dir("models").glob("*/recipe.toml")}
    if source not in models:
        raise ConfigError(f"unknown model '{source}'", where="--from", hint=did_you_mean(source, models))
    _refuse_existing(name)
    name.mkdir(parents=True)
    text = models[source].read_text(encoding="utf-8").replace(f'name = "{source}"', f'name = "{name.name}"', 1)
    (name / "recipe.toml").write_text(text, encoding="utf-8")
    click.echo(f"{name}/recipe.toml: change classes and source, then edgetx train {name}/recipe.toml --data RECORDINGS")


def _check_kind(target: "Target", example: str) -> None:
    """Refuse targets for which the example makes no firmware."""
    from edgetx.errors import TargetError

    if target.kind == "framework" and example != "arduino_library":
        hint = "--example arduino_library; or the C of edgetx compile, as a component of the framework's own project"
        raise TargetError("its framework builds its firmware", where=target.name, hint=hint)
    if target.kind == "phone":
        hint = f"edgetx compile MODEL --target {target.name} -o OUT has what its own project needs"
        raise TargetError("no firmware is built for a phone", where=target.name, hint=hint)


def _check_model(model: str) -> None:
    from edgetx.compiler.source import zoo_names
    from edgetx.config import did_you_mean
    from edgetx.errors import ModelError

    names = zoo_names()
    if model not in names and not Path(model).exists():
        raise ModelError("no such model", where=model, hint=did_you_mean(model, names))


def _refuse_existing(path: Path) -> None:
    from edgetx.errors import ConfigError

    if path.exists():
        raise ConfigError("exists already", where=str(path), hint="choose another name")


def _build_script(example: str, target: str, model: str) -> str:
    lines = ["#!/bin/sh", "set -eu", 'cd "$(dirname "$0")"']
    source = str(Path(model).resolve()) if Path(model).exists() else model
    lines.append(f"edgetx compile {shlex.quote(source)} --target {target} -o build/model")
    if example == "arduino_library":
        return "\n".join([*lines, "make EDGETX_MODEL=build/model", ""])
    toolchain = " --toolchain build/model/board/toolchain.cmake"
    more = ' -DTFLM_ROOT="$TFLM_ROOT"' if example == "tflm_application" else ""
    lines.append(f'cmake -S . -B build/{example} -DEDGETX_MODEL="$PWD/build/model"{more}{toolchain}')
    return "\n".join([*lines, f"cmake --build build/{example}", ""])


_RUN = """\
In simulation, {what}:

```
{simulate}
```

On the board:

```
edgetx flash build/{example}/{example}.elf --target {target}
```
"""
_MICROPHONE = """\
python - <<END
import soundfile
from edgetx.profile import Simulator
from edgetx.profile.microphone import attach_microphone

audio, rate = soundfile.read("recording.wav", dtype="int16")
sim = Simulator("{target}", "build/{example}/{example}.elf", count=False)
attach_microphone(sim, audio, rate)
sim.run()
print(sim.output)
END"""
_BENCH = """\
python -c 'from edgetx.profile import Simulator as S; s = S("{target}", "build/{example}/{example}.elf"); s.run(); \
print(s.output)'"""
_OTHERS = {
    "c_library": "`cmake --install build/c_library --prefix P` installs it; `consumer/` is a project that finds it.\n",
    "arduino_library": "`make zip EDGETX_MODEL=build/model` packs the library for the Arduino IDE.\n",
    "tflm_application": "Set TFLM_ROOT to a checkout of tflite-micro, built for the board, before `./build.sh`.\n",
}


def _readme(name: str, example: str, target: str) -> str:
    begin = f"# {name}\n\n`./build.sh` compiles the model for {target} and builds the project around it.\n\n"
    if example in _OTHERS:
        return begin + _OTHERS[example]
    code = (_BENCH if example == "bench" else _MICROPHONE).format(target=target, example=example)
    what = "with every layer's cycles" if example == "bench" else "with a recording as the microphone"
    return begin + _RUN.format(what=what, simulate=code, example=example, target=target)
