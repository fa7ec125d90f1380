"""Compile models of the zoo, measure them as integers, and write both into their metrics and cards.

python tools/measure_zoo.py NAME … --data DIR
"""

import argparse
import json
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from edgetx.compiler import CompileOptions, compile_model, load_artifact
from edgetx.compiler.evaluation import evaluate, evaluation_data
from edgetx.recipe import load_recipe
from edgetx.targets import load_target
from edgetx.train.card import model_card
from edgetx.train.metrics import Stage, load_metrics

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


def main() -> None:
    """Measure and rewrite every model named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    for name in arguments.names:
        folder = MODELS / name
        with tempfile.TemporaryDirectory() as temporary:
            stage = measured(name, arguments.data, Path(temporary) / name)
        metrics = load_metrics(folder / "metrics.json")
        metrics = replace(metrics, stages=(metrics.stages[0], stage), target=BOARD)
        (folder / "metrics.json").write_text(json.dumps(asdict(metrics), indent=2) + "\n", encoding="utf-8")
        (folder / "README.md").write_text(model_card(load_recipe(folder), metrics), encoding="utf-8")
        print(f"{name}: float {metrics.test.accuracy:.2%}, int8 {stage.accuracy:.2%}, {stage.cycles} cycles")


if __name__ == "__main__":
    main()
