"""A compiled encoder for tests of the compiler and the command line."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from encoders import CLASSES, ENCODERS, FEATURES, FRAMES, build

from edgetx.compiler import CompileOptions, compile_model, load_artifact
from edgetx.targets import load_target


@dataclass
class Compiled:
    """A compiled encoder and what it was made from."""

    folder: Path
    model: Path
    data: Path

    @property
    def artifact(self):
        return load_artifact(self.folder)

    @property
    def report(self):
        return json.loads((self.folder / "report.json").read_text())


def write_model(folder: Path, name: str) -> tuple[Path, Path]:
    """A `.pt2` and labelled data on which the float model is right by construction."""
    model, example = build(ENCODERS[name])
    torch.export.save(torch.export.export(model, (example,)), folder / "encoder.pt2")
    x = np.random.default_rng(0).normal(size=(48, FRAMES, FEATURES)).astype(np.float32)
    with torch.no_grad():
        y = np.array([int(model(torch.from_numpy(row[None])).argmax()) for row in x])
    np.savez(folder / "data.npz", x=x, y=y)
    assert y.max() < CLASSES
    return folder / "encoder.pt2", folder / "data.npz"


@pytest.fixture(scope="session")
def compiled(tmp_path_factory) -> Compiled:
    """An encoder compiled to every form for the M4F board."""
    folder = tmp_path_factory.mktemp("compiled")
    model, data = write_model(folder, "pre-norm class token")
    compile_model(CompileOptions(str(model), load_target("nucleo-l4r5zi"), folder / "out", data=data))
    return Compiled(folder / "out", model, data)


@pytest.fixture
def own_copy(compiled, tmp_path) -> Compiled:
    """A copy that a test may damage."""
    shutil.copytree(compiled.folder, tmp_path / "out")
    return Compiled(tmp_path / "out", compiled.model, compiled.data)
