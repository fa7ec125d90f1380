import errno
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from encoders import ENCODERS, FEATURES, FRAMES, build
from torch import nn

import edgetx.cli
from edgetx.cli import VERBS, main

BOARD = ("--target", "nucleo-l4r5zi")


def run(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)


def save(path, model, example=None):
    example = torch.randn(1, FRAMES, FEATURES) if example is None else example
    torch.export.save(torch.export.export(model.eval(), (example,)), path)
    return path


@pytest.mark.parametrize("verb", VERBS)
def test_listed_help_is_the_verbs_own(verb):
    assert edgetx.cli.main.get_command(None, verb).get_short_help_str(limit=200) == VERBS[verb]


def test_help_loads_neither_numpy_nor_torch():
    code = (
        "import sys; from edgetx.cli import main; main(['--help'], standalone_mode=False); print(sorted(sys.modules))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'numpy'" not in output
    assert "'torch'" not in output


@pytest.mark.parametrize("what", ["targets", "models", "ops"])
def test_list_prints_what_there_is(what):
    rows = json.loads(run("list", what, "--json").stdout)
    assert rows
    assert rows[0]["name"] in run("list", what).stdout


def test_compile_prints_tables_and_json(compiled, tmp_path):
    result = run("compile", compiled.model, *BOARD, "--data", compiled.data, "-o", tmp_path / "out", "--to", "c")
    assert result.exit_code == 0
    for word in ("accuracy", "arena", "c_host", "cycles/MAC", "ms on cortex-m4"):
        assert word in result.stdout
    report = json.loads(
        run(
            "compile", compiled.model, *BOARD, "--data", compiled.data, "-o", tmp_path / "o", "--to", "c", "--json"
        ).stdout
    )
    assert report["artifacts"] == {"c": "c", "firmware": "firmware.elf"}


def test_a_compiled_folder_knows_its_target(compiled, tmp_path):
    out = compiled.folder
    assert json.loads(run("profile", out, "--engine", "estimate", "--json").stdout)["core"] == "cortex-m4"
    assert "identify nucleo-l4r5zi" in run("flash", out, "--dry-run").stdout
    assert "was compiled for nucleo-l4r5zi" in run("flash", out, "--target", "nucleo-f446re", "--dry-run").stderr
    missing = run("profile", out / "firmware.elf")
    assert missing.exit_code == 2
    assert "Only folders" in missing.stderr


@pytest.mark.parametrize("runtime", ["int", "c", "tflm", "litert", "onnxruntime", "simulator", "float"])
def test_run_gives_real_outputs_for_real_inputs(compiled, tmp_path, runtime):
    x = np.load(compiled.data)["x"][:1]
    np.savez(tmp_path / "x.npz", in0=x)
    assert (
        run(
            "run", compiled.folder, "--input", tmp_path / "x.npz", "--runtime", runtime, "-o", tmp_path / "y.npz"
        ).exit_code
        == 0
    )
    y = np.load(tmp_path / "y.npz")["out0"]
    reference = compiled.artifact.runtime("float").run([x])[0]
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, reference, atol=0.2)


def test_run_gives_integers_for_integers_step_by_step(compiled, tmp_path):
    x = np.random.default_rng(0).integers(-128, 128, (5, 1, FRAMES, FEATURES), dtype=np.int8)
    np.savez(tmp_path / "x.npz", in0_seq=x)
    for runtime in ("int", "c"):
        run(
            "run",
            compiled.folder,
            "--input",
            tmp_path / "x.npz",
            "--runtime",
            runtime,
            "-o",
            tmp_path / f"{runtime}.npz",
        )
    a, b = (np.load(tmp_path / f"{runtime}.npz")["out0_seq"] for runtime in ("int", "c"))
    assert a.dtype == np.int8
    assert a.shape[0] == 5
    assert (a == b).all()


@pytest.mark.parametrize(
    ("arrays", "text"),
    [
        ({"in0": np.full((FRAMES, FEATURES), np.nan, np.float32)}, "not numbers"),
        ({"in0": np.full((FRAMES, FEATURES), 300)}, "not int8"),
        ({"in0": np.zeros((3, 3), np.float32)}, "the model takes"),
        ({"x": np.zeros((FRAMES, FEATURES), np.float32)}, "no array 'in0'"),
    ],
)
def test_run_refuses_what_is_no_input(compiled, tmp_path, arrays, text):
    np.savez(tmp_path / "x.npz", **arrays)
    result = run("run", compiled.folder, "--input", tmp_path / "x.npz", "-o", tmp_path / "y.npz")
    assert result.exit_code == 1
    assert text in result.stderr
    assert not (tmp_path / "y.npz").exists()


def test_run_writes_exactly_the_file_it_names(compiled, tmp_path):
    np.savez(tmp_path / "x.npz", in0=np.load(compiled.data)["x"][:1])
    assert run("run", compiled.folder, "--input", tmp_path / "x.npz", "-o", tmp_path / "y").exit_code == 0
    assert "out0" in np.load(tmp_path / "y")
    result = run("run", compiled.folder, "--input", tmp_path / "x.npz", "-o", tmp_path)
    assert result.exit_code == 1
    assert "cannot save" in result.stderr
    assert "disk" not in result.stderr


def test_verify_takes_data_without_labels(compiled, tmp_path):
    np.savez(tmp_path / "x.npz", x=np.load(compiled.data)["x"])
    result = run("verify", compiled.folder, "--cases", 4, "--runtime", "c", "--data", tmp_path / "x.npz", "--json")
    assert json.loads(result.stdout)["c_host"] == {"cases": 4, "mismatches": 0, "max_lsb": 0, "same_top1": 1.0}


def test_damaged_report_is_named(own_copy):
    (own_copy.folder / "report.json").write_text("{")
    result = run("verify", own_copy.folder)
    assert result.exit_code == 3
    assert "report.json: damaged" in result.stderr


def test_evaluate_prints_each_runtime(compiled):
    result = json.loads(run("evaluate", compiled.folder, "--data", compiled.data, "--json").stdout)
    assert result["n"] == 48
    assert set(result["accuracy"]) == {"float", "int", "c", "tflm", "litert", "onnxruntime", "simulator"}
    assert result["accuracy"]["float"] == 1.0
    assert result["accuracy"]["c"] == result["accuracy"]["int"] >= 0.9
    assert result["samples"]["simulator"] == 20


def test_verify_passes_and_names_a_runtime_that_differs(own_copy):
    assert run("verify", own_copy.folder, "--cases", 6, "--runtime", "c,tflm,litert").exit_code == 0
    model_c = own_copy.folder / "c" / "model.c"
    before, _, after = model_c.read_text().rpartition(".high = 127")  # of the last layer
    model_c.write_text(f"{before}.high = -127{after}")
    result = run("verify", own_copy.folder, "--cases", 6, "--runtime", "c,tflm")
    assert result.exit_code == 1
    assert "differs from the integer reference: c_host" in result.stderr


class Sorted(nn.Module):
    def forward(self, x):
        return torch.sort(x, 1).values


def nan_weight():
    model, _ = build(ENCODERS["one head no bias"])
    with torch.no_grad():
        model.head.weight[0, 0] = float("nan")
    return model


def bad_inputs(tmp_path):
    """Name, arguments, exit code, what the error says."""
    good = save(tmp_path / "good.pt2", build(ENCODERS["one head no bias"])[0])
    data = tmp_path / "calib.npz"
    np.savez(data, x=np.zeros((4, FRAMES, FEATURES), np.float32))
    np.savez(tmp_path / "shape.npz", x=np.zeros((4, 3, 3), np.float32))
    np.savez(tmp_path / "nan.npz", x=np.full((4, FRAMES, FEATURES), np.nan, np.float32))
    np.savez(tmp_path / "nox.npz", z=np.zeros(3))
    np.savez(tmp_path / "labels.npz", x=np.zeros((4, FRAMES, FEATURES), np.float32), y=np.array([0, 1, 99, 2]))
    (tmp_path / "torn.npz").write_bytes(data.read_bytes()[:60])
    (tmp_path / "model.bin").write_bytes(b"\x01")
    (tmp_path / "torn.pt2").write_bytes(good.read_bytes()[:1000])
    (tmp_path / "mine.toml").write_text('name = "mine"\nclokc_hz = 1\n')
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.txt").write_text("important")
    big = save(tmp_path / "big.pt2", nn.Sequential(nn.Linear(FEATURES, 4096), nn.Linear(4096, 256)))
    with_data = ("--data", data)
    return [
        ("unknown model", ("compile", "kws-transfomer-micro", *BOARD), 1, "did you mean 'kws-transformer-micro'"),
        ("missing file", ("compile", tmp_path / "no.pt2", *BOARD), 1, "no such file"),
        ("unknown kind", ("compile", tmp_path / "model.bin", *BOARD), 1, "unknown kind of model '.bin'"),
        ("truncated program", ("compile", tmp_path / "torn.pt2", *BOARD, *with_data), 1, "not a program saved by"),
        ("unsupported op", ("compile", save(tmp_path / "u.pt2", Sorted()), *BOARD, *with_data), 1, "sort"),
        ("nan weight", ("compile", save(tmp_path / "n.pt2", nan_weight()), *BOARD, *with_data), 1, "NaN"),
        ("no calibration", ("compile", good, *BOARD), 1, "no calibration data"),
        ("calibration of another shape", ("compile", good, *BOARD, "--data", tmp_path / "shape.npz"), 1, "12 × 10"),
        ("calibration not a number", ("compile", good, *BOARD, "--data", tmp_path / "nan.npz"), 1, "not numbers"),
        ("calibration without x", ("compile", good, *BOARD, "--data", tmp_path / "nox.npz"), 1, "no array 'x'"),
        ("calibration torn", ("compile", good, *BOARD, "--data", tmp_path / "torn.npz"), 1, "not readable"),
        ("label of no class", ("compile", good, *BOARD, "--data", tmp_path / "labels.npz"), 1, "labels from 0 to 99"),
        ("no data there", ("compile", good, *BOARD, "--data", tmp_path / "none"), 1, "no such file or folder"),
        ("neither audio nor arrays", ("compile", good, *BOARD, "--data", good), 1, "neither an .npz nor a folder"),
        ("audio for a bare model", ("compile", good, *BOARD, "--data", tmp_path / "folder"), 1, "needs a front end"),
        ("unknown target", ("compile", good, "--target", "nucleo-l4r5"), 3, "did you mean 'nucleo-l4r5zi'"),
        ("misspelt target key", ("compile", good, "--target", tmp_path / "mine.toml"), 3, "did you mean 'clock_hz'"),
        ("unknown form", ("compile", good, *BOARD, "--to", "tflight"), 3, "did you mean 'tflite'"),
        ("unknown setting", ("compile", good, *BOARD, "--set", "quantisation.recipe=x"), 3, "quantization.recipe"),
        ("unknown recipe", ("compile", good, *BOARD, *with_data, "--set", "quantization.recipe=int4"), 3, "int4"),
        ("too large for flash", ("compile", big, "--target", "nucleo-g0b1re", *with_data), 1, "flash"),
        ("somebody's folder", ("compile", good, *BOARD, *with_data, "-o", tmp_path / "folder"), 1, "not an earlier"),
        ("no target", ("compile", good), 2, "Missing option '--target'"),
        ("unknown verb", ("compil", good), 2, "did you mean 'compile'"),
        ("not compiled", ("evaluate", tmp_path / "folder", "--data", data), 3, "not a compiled folder"),
    ]  # fmt: skip


def test_bad_input_gets_one_clear_error_and_leaves_nothing(tmp_path, monkeypatch):
    cases = bad_inputs(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name, arguments, code, text in cases:
        before = sorted(path for path in tmp_path.rglob("*") if path.name != "build")
        result = run(*arguments)
        assert result.exit_code == code, (name, result.output)
        assert text in result.stderr, (name, result.stderr)
        assert result.stdout == "", name
        assert sorted(path for path in tmp_path.rglob("*") if path.name != "build") == before, name


def test_error_is_json_when_asked_for(monkeypatch):
    arguments = ["compile", "nothing", *BOARD, "--json"]
    monkeypatch.setattr(sys, "argv", ["edgetx", *arguments])
    error = json.loads(run(*arguments).stdout)["error"]
    assert error["what"] == "no such model"
    assert error["exit_code"] == 1


def test_full_disk_leaves_the_earlier_output(own_copy, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    before = (own_copy.folder / "report.json").read_bytes()
    monkeypatch.setattr("edgetx.compiler.writing.write_onnx", full)
    result = run("compile", own_copy.model, *BOARD, "--data", own_copy.data, "-o", own_copy.folder)
    assert result.exit_code == 1
    assert "is the disk full?" in result.stderr
    assert (own_copy.folder / "report.json").read_bytes() == before
    assert [path.name for path in own_copy.folder.parent.iterdir()] == ["out"]


def test_interrupt_leaves_nothing_and_exits_130(own_copy, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("edgetx.compiler.writing.write_onnx", interrupt)
    target = own_copy.folder.parent / "new"
    result = run("compile", own_copy.model, *BOARD, "--data", own_copy.data, "-o", target)
    assert result.exit_code == 130
    assert [path.name for path in own_copy.folder.parent.iterdir()] == ["out"]


def test_killed_run_is_swept_up_by_the_next(compiled, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "edgetx", "compile", compiled.model, *BOARD, "--data", compiled.data, "-o", out]
    with subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob(".out.*.partial")) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
    assert not out.exists()
    assert run("compile", compiled.model, *BOARD, "--data", compiled.data, "-o", out, "--to", "onnx").exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_output_moved_aside_by_a_killed_run_comes_back(own_copy):
    own_copy.folder.rename(own_copy.folder.with_name(".out.99999999.old"))
    result = run("compile", own_copy.model, *BOARD, "--data", own_copy.data, "-o", own_copy.folder, "--to", "onnx")
    assert result.exit_code == 0
    assert [path.name for path in own_copy.folder.parent.iterdir()] == ["out"]


def test_missing_compiler_is_a_toolchain_error(compiled, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *_: None)
    result = run("compile", compiled.model, *BOARD, "--data", compiled.data, "-o", tmp_path / "out", "--to", "c")
    assert result.exit_code == 4
    assert "hint:" in result.stderr
    assert not (tmp_path / "out").exists()


def test_missing_package_names_its_extra(tmp_path):
    (tmp_path / "model.pt2").write_bytes(b"")
    code = "import sys; sys.modules['torch'] = None; from edgetx.cli import main; main()"
    command = [sys.executable, "-c", code, "compile", str(tmp_path / "model.pt2"), *BOARD]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 4
    assert "edgetx[torch]" in result.stderr
