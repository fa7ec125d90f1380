"""Compile models of the zoo, measure them as integers, and write both into their metrics and cards.

python tools/measure_zoo.py NAME … --data DIR [--trainings FOLDER]

FOLDER holds what `edgetx train NAME --seeds N --keep-all -o FOLDER/NAME` wrote: its best model goes into the zoo, and
all of them are measured.
"""

import argparse
import json
import shutil
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from edgetx.audio import load_dataset
from edgetx.compiler import CompileOptions, compile_model, load_artifact
from edgetx.compiler.evaluation import evaluate, evaluation_data
from edgetx.compress.ledger import graph_stage
from edgetx.compress.quantize import plan_of
from edgetx.compress.trained import load_trained
from edgetx.recipe import load_recipe
from edgetx.targets import load_target
from edgetx.train.card import model_card
from edgetx.train.metrics import Repeats, Stage, load_metrics

BOARD = "nucleo-l4r5zi"
MODELS = Path(__file__).parent.parent / "models"


def measured(name: str, data: Path, out: Path) -> Stage:
    """The stage of the integer model: size and cycles on the board, accuracy on the test split."""
    report = compile_model(CompileOptions(str(MODELS / name), load_target(BOARD), out, ("c",)))
    artifact = load_artifact(out)
    accuracy = evaluate(artifact, evaluation_data(artifact, data), ("int",)).accuracy["int"]
    stages = report["stages"]
    assert isinstance(stages, list)
    return replace(Stage(**stages[-1]), accuracy=accuracy)


def with_integers(repeats: Repeats, trainings: Path, data: Path) -> Repeats:
    """The same trainings, with the accuracy of each as an integer graph."""
    runs = []
    for run in repeats.runs:
        model = load_trained(f"{trainings}-fold-{run.fold}-seed-{run.seed}")
        test = load_dataset(data, model.recipe).part("test")
        runs.append(
            replace(run, int8=graph_stage("int8", model.graph, test, plan_of(model, load_target(BOARD))).accuracy)
        )
    return replace(repeats, runs=tuple(runs))


def adopt(trained: Path, folder: Path) -> None:
    """Copy a trained model into the zoo."""
    folder.mkdir(exist_ok=True)
    for name in ("recipe.toml", "weights.safetensors", "calibration.npz", "metrics.json", "training.csv"):
        shutil.copyfile(trained / name, folder / name)


def main() -> None:
    """Measure and rewrite every model named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--trainings", type=Path)
    arguments = parser.parse_args()
    for name in arguments.names:
        folder = MODELS / name
        if arguments.trainings:
            adopt(arguments.trainings / name, folder)
        with tempfile.TemporaryDirectory() as temporary:
            stage = measured(name, arguments.data, Path(temporary) / name)
        metrics = load_metrics(folder / "metrics.json")
        if arguments.trainings and metrics.repeats:
            repeats = with_integers(metrics.repeats, arguments.trainings / name, arguments.data)
            metrics = replace(metrics, repeats=repeats)
        stages = (*(known for known in metrics.stages if known.name != stage.name), stage)
        metrics = replace(metrics, stages=stages, target=BOARD)
        (folder / "metrics.json").write_text(json.dumps(asdict(metrics), indent=2) + "\n", encoding="utf-8")
        (folder / "README.md").write_text(model_card(load_recipe(folder), metrics), encoding="utf-8")
        print(f"{name}: float {metrics.test.accuracy:.2%}, int8 {stage.accuracy:.2%}, {stage.cycles} cycles")


if __name__ == "__main__":
    main()
