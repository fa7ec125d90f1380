"""Supernets and searches: every network is the beginning of the largest, and workers share what they find."""

import json
import multiprocessing
import os
import signal
import time
from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner
from compressing import RECIPE

from edgetx.cli import main
from edgetx.compress.cost import NO_LIMIT, Cost
from edgetx.compress.search import best, search
from edgetx.compress.searched import search_network
from edgetx.compress.supernet import Sandwich, Supernet, beginning, subnet_recipe
from edgetx.compress.tuning import Batch, Distilling
from edgetx.compress.views import load_tuning_data
from edgetx.errors import ConfigError, FitError
from edgetx.nn import build
from edgetx.recipe import load_recipe
from edgetx.targets import load_target

BOARD = load_target("nucleo-l4r5zi")
SPACE = """
[search]
trials = 6
epochs = 3
space = { channels = [4, 8, 12], layers = [1, 2] }
"""
ENCODER = RECIPE.replace(
    'architecture = "ds-cnn"', 'architecture = "keyword_transformer"'
).replace(
    "options = { channels = 12, layers = 2, kernel = [3, 3], stride = [2, 4], dropout = 0.0 }",
    'options = { width = 16, heads = 2, head_size = 8, layers = 2, mlp = 24, stem = [4, 8], pooling = "statistics", '
    'norm = "batch", norm_place = "branch", qkv_bias = true }',
)  # fmt: skip
ENCODER_SPACE = """
[search]
space = { width = [8, 12, 16], layers = [1, 2], layer_mlp = [8, 24], layer_heads = [1, 2] }
"""


def recipe_of(folder, text):
    (folder / "recipe.toml").write_text(text)
    return load_recipe(folder / "recipe.toml")


@pytest.mark.parametrize("text", [RECIPE + SPACE, ENCODER + ENCODER_SPACE], ids=["ds-cnn", "encoder"])
def test_a_subnet_alone_computes_what_it_does_in_the_supernet(tmp_path, text):
    torch.manual_seed(0)
    supernet = Supernet(recipe_of(tmp_path, text))
    x = torch.randn(64, *supernet.recipe.input_shape)
    for choice in (supernet.space.smallest, supernet.space.random(), supernet.space.largest):
        supernet.eval()
        alone = build(subnet_recipe(supernet.recipe, choice))
        alone.load_state_dict(dict(supernet._parts(alone)))
        with torch.no_grad():
            torch.testing.assert_close(supernet(x, choice), alone.eval()(x))
            supernet.train()
            separate = supernet.subnet(choice, x)
            assert torch.isfinite(separate(x)).all()


def test_all_networks_teach_the_shared_weights(tmp_path):
    torch.manual_seed(0)
    supernet = Supernet(recipe_of(tmp_path, ENCODER + ENCODER_SPACE))
    supernet.train()
    before = {name: tensor.clone() for name, tensor in supernet.full.named_buffers()}
    batch = Batch(torch.randn(8, *supernet.recipe.input_shape), torch.eye(2)[torch.arange(8) % 2])
    loss = supernet(batch.x, supernet.space.smallest).square().sum()
    loss.backward()
    weight = supernet.full.head.weight.grad
    assert weight[:, :8].abs().sum() > 0
    assert weight[:, 8:16].abs().sum() == 0  # the means of features that the smallest network lacks
    assert weight[:, 16:24].abs().sum() > 0  # its deviations
    for name, tensor in supernet.full.named_buffers():
        torch.testing.assert_close(tensor, before[name])
    assert Sandwich(supernet.space, Distilling(0.0))(supernet, batch).requires_grad


def test_beginnings_of_packed_tensors_are_those_of_each_part():
    tensor = torch.arange(12.0).reshape(6, 2)
    assert beginning(tensor, torch.Size((3, 1)), (0, 3))[:, 0].tolist() == [0, 4, 8]
    assert beginning(tensor, torch.Size((2, 2))).tolist() == [[0, 1], [2, 3]]


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ("{}", "nothing to choose"),
        ("{ width = [8, 32] }", "the model has 16"),
        ("{ hight = [8] }", "the model has None"),
        ("{ width = [] }", "values"),
    ],
)
def test_impossible_spaces_are_refused(tmp_path, space, message):
    recipe = recipe_of(tmp_path, f"{ENCODER}\n[search]\nspace = {space}\n")
    with pytest.raises(ConfigError, match=message):
        Supernet(recipe)


def made_up_cost(choice):
    return Cost(1000.0 * choice.options["channels"] * choice.options["layers"], 1.0, 1.0)


def look(recordings, folder, storage, trials, delay):
    torch.set_num_threads(1)
    recipe = load_recipe(folder / "recipe.toml")
    torch.manual_seed(0)
    supernet = Supernet(recipe).eval()

    def measure(choice):
        time.sleep(delay)
        return made_up_cost(choice)

    known = load_tuning_data(recordings, recipe)
    search(supernet, known, measure, replace(NO_LIMIT, cycles=9000.0), trials, storage)


def test_two_workers_share_a_study_and_one_that_is_killed_loses_nothing(tones, tmp_path):
    recordings, _ = tones
    recipe = recipe_of(tmp_path, RECIPE + SPACE)
    storage = tmp_path / "study" / "search.journal"
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=look, args=(recordings, tmp_path, storage, 6, delay)) for delay in (60.0, 0.0)]
    workers[0].start()
    time.sleep(0.1)
    workers[1].start()
    workers[1].join(120)
    os.kill(workers[0].pid, signal.SIGKILL)
    workers[0].join(10)
    assert workers[1].exitcode == 0
    supernet, known = Supernet(recipe).eval(), load_tuning_data(recordings, recipe)
    found = search(supernet, known, lambda _: pytest.fail("measured again"), NO_LIMIT, 6, storage)
    assert len(found) == 6
    chosen = best(found, NO_LIMIT)
    assert chosen.over <= 1
    assert chosen.accuracy == max(one.accuracy for one in found if one.over <= 1)


def test_when_none_fits_the_nearest_is_named(tones, tmp_path):
    recordings, _ = tones
    recipe = recipe_of(tmp_path, RECIPE + SPACE)
    supernet, known = Supernet(recipe).eval(), load_tuning_data(recordings, recipe)
    limit = replace(NO_LIMIT, cycles=10.0)
    found = search(supernet, known, made_up_cost, limit, 6, tmp_path / "search.journal")
    nearest = min(one.cost.cycles for one in found)
    with pytest.raises(FitError, match=f"takes {nearest:,.0f} cycles, 10 allowed"):
        best(found, limit)


@pytest.mark.simulator
def test_the_chosen_network_costs_what_the_search_said(tones, tmp_path):
    recordings, _ = tones
    (tmp_path / "recipe.toml").write_text(RECIPE + SPACE)
    limit = replace(NO_LIMIT, cycles=180_000.0)
    stages = search_network(str(tmp_path / "recipe.toml"), recordings, tmp_path / "out", BOARD, limit)
    rows = json.loads((tmp_path / "out" / "search.json").read_text())
    chosen = next(row for row in rows if str(stages[-1].name).endswith(describe(row["options"])))
    assert stages[-1].cycles <= limit.cycles
    assert abs(stages[-1].cycles / chosen["cycles"] - 1) < 0.02


def describe(options):
    return ", ".join(f"{name} {value}" for name, value in options.items())


@pytest.mark.simulator
def test_compile_with_a_budget_drives_every_stage_once(tones, tmp_path, monkeypatch):
    recordings, _ = tones
    (tmp_path / "mine.toml").write_text(RECIPE)
    out = tmp_path / "built"
    arguments = ["compile", str(tmp_path / "mine.toml"), "--target", "nucleo-l4r5zi", "--data", str(recordings)]
    arguments += ["--budget", "latency=1.2ms", "--to", "c", "-o", str(out), "-q", "--json"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    names = [stage["name"] for stage in report["stages"]]
    assert names == ["before pruning", "pruned", "quantized after training", "quantization-aware", "int8"]
    assert report["profile"]["latency_us"] <= 1200
    assert report["stages"][-1]["accuracy"] == 1.0
    assert report["stages"][-1]["interval_95"][1] == 1.0
    assert report["stages"][-1]["energy_uj"] > 0
    kept = json.loads((out.with_name(".built.stages") / "quantized" / "metrics.json").read_text())["stages"]
    assert report["stages"][:-1] == kept
    for stage in ("train", "prune", "quantize"):
        monkeypatch.setattr(f"edgetx.compress.budget.{stage}", lambda *_: pytest.fail("was done before"))
    assert CliRunner().invoke(main, arguments).exit_code == 0


@pytest.mark.simulator
def test_an_impossible_budget_is_refused_with_the_nearest_point(tones, tmp_path):
    recordings, model = tones
    arguments = ["compile", str(model), "--compress", "--target", "nucleo-l4r5zi", "--data", str(recordings)]
    for budget, message in (("latency=1us", "cycles, 120 allowed"), ("ram=1K", "bytes of RAM, 1,024 allowed")):
        result = CliRunner().invoke(main, [*arguments, "--budget", budget, "-o", str(tmp_path / "out"), "-q"])
        assert result.exit_code == 1
        assert message in result.stderr
        assert not (tmp_path / "out").exists()


@pytest.mark.simulator
def test_a_budget_below_the_front_end_is_refused_before_anything_is_trained(tones, tmp_path, monkeypatch):
    monkeypatch.setattr("edgetx.compress.budget.train", lambda *_: pytest.fail("was trained"))
    (tmp_path / "mine.toml").write_text(RECIPE)
    arguments = ["compile", str(tmp_path / "mine.toml"), "--data", str(tones[0]), "--target", "nucleo-l4r5zi"]
    result = CliRunner().invoke(main, [*arguments, "--budget", "flash=4K", "-o", str(tmp_path / "out"), "-q"])
    assert result.exit_code == 1
    assert "code, front end and stack alone take" in result.stderr
    assert "bytes of flash, 4,096 allowed" in result.stderr
