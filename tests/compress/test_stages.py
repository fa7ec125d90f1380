"""Pruning and quantization-aware training of a trained model, to the firmware."""

import json
import shutil
from dataclasses import astuple, replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from encoders import imported

from edgetx.audio import load_dataset
from edgetx.cli import main
from edgetx.compiler import CompileOptions, compile_model, load_artifact
from edgetx.compiler.source import load_source
from edgetx.compress.cost import NO_LIMIT, Cost, CostModel, built_report, cost_of, estimated_cost
from edgetx.compress.prune import prune
from edgetx.compress.pruning import Pruner
from edgetx.compress.quantize import quantize
from edgetx.compress.trained import load_trained
from edgetx.compress.tuning import Distilling, Tuner
from edgetx.compress.views import Views, load_tuning_data
from edgetx.compress.watch import Watch
from edgetx.errors import FitError, ModelError
from edgetx.passes.pipeline import canonicalize
from edgetx.recipe import Training
from edgetx.reference import execute
from edgetx.targets import load_target
from edgetx.train.examples import Examples
from edgetx.train.graph import GraphModule, QuantizedGraphModule

BOARD = load_target("nucleo-l4r5zi")


@pytest.mark.simulator
@pytest.mark.parametrize("method", ["accuracy", "magnitude"])
def test_a_pruned_model_is_smaller_in_every_way(tones, tmp_path, method):
    recordings, model = tones
    source = tmp_path / "source"
    source.mkdir()
    for file in model.iterdir():
        (source / file.name).write_bytes(file.read_bytes())
    text = (model / "recipe.toml").read_text()
    (source / "recipe.toml").write_text(text.replace("[pruning]", f'[pruning]\nmethod = "{method}"'))
    before, after = prune(str(source), recordings, tmp_path / "out", BOARD)
    assert method == "magnitude" or after.accuracy == 1.0
    assert after.cycles <= 0.7 * before.cycles
    assert after.macs < before.macs
    assert after.parameters < before.parameters
    assert after.flash_bytes < before.flash_bytes
    assert after.ram_bytes <= before.ram_bytes
    stages = json.loads((tmp_path / "out" / "metrics.json").read_text())["stages"]
    assert [stage["name"] for stage in stages] == ["before pruning", "pruned"]
    report = compile_model(CompileOptions(str(tmp_path / "out"), BOARD, tmp_path / "built", ("c",), cases=2))
    assert report["profile"]["cycles"] == after.cycles


@pytest.mark.simulator
def test_an_interrupted_pruning_loses_no_round_and_no_epoch(tones, tmp_path):
    recordings, model = tones
    all_epochs, seen = [], []
    prune(str(model), recordings, tmp_path / "whole", BOARD, watch=Watch(epoch=lambda e: all_epochs.append(e.epoch)))

    def stop(epoch):
        seen.append(epoch.epoch)
        if len(seen) == 6:  # in the second round, after its second epoch
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prune(str(model), recordings, tmp_path / "out", BOARD, watch=Watch(epoch=stop))
    assert not (tmp_path / "out").exists()
    prune(str(model), recordings, tmp_path / "out", BOARD, watch=Watch(epoch=lambda e: seen.append(e.epoch)))
    assert seen == all_epochs
    whole, out = (load_source(str(tmp_path / name)).graph for name in ("whole", "out"))
    assert str(whole) == str(out)
    assert not list(tmp_path.glob(".out*"))


@pytest.mark.simulator
def test_what_cannot_be_reached_is_said_and_nothing_is_written(tones, tmp_path):
    recordings, model = tones
    with pytest.raises(FitError, match="nothing is left to prune; it still takes"):
        prune(str(model), recordings, tmp_path / "out", BOARD, Cost(1000.0, float("inf"), float("inf")))
    assert not (tmp_path / "out").exists()


@pytest.mark.simulator
@pytest.mark.parametrize(("recipe", "widths"), [("static_wi8_ai8", {8}), ("static_wi8_mixed", {8, 16})])
def test_trained_quantization_is_what_is_deployed(tones, tmp_path, recipe, widths):
    recordings, trained = tones
    model = shutil.copytree(trained, tmp_path / "model")
    text = (model / "recipe.toml").read_text()
    settings = f'[quantization]\nrecipe = "{recipe}"\nextra_cycles = 50.0\n'
    (model / "recipe.toml").write_text(text.replace("[quantization]\n", settings))
    after_training, aware = quantize(str(model), recordings, tmp_path / "out", BOARD)
    assert aware.accuracy >= after_training.accuracy - 0.2
    assert aware.cycles > 0
    source = load_source(str(tmp_path / "out"))
    assert source.plan is not None
    assert {tensor.bits for tensor in source.plan.tensors.values()} == widths
    module = QuantizedGraphModule(source.graph, source.plan)
    compile_model(CompileOptions(str(tmp_path / "out"), BOARD, tmp_path / "built", ("c", "tflite"), cases=4))
    artifact = load_artifact(tmp_path / "built")
    x = load_dataset(recordings, source.recipe).part("test").x
    found = module(torch.from_numpy(x)).detach().numpy()
    given = [artifact.quantized((row[None],)) for row in x]
    deployed = [artifact.restored(execute(artifact.graph, inputs))[0] for inputs in given]
    np.testing.assert_array_equal(found, np.concatenate(deployed))
    outputs = [artifact.restored(artifact.runtime("c").run(inputs))[0] for inputs in given]
    np.testing.assert_array_equal(found, np.concatenate(outputs))


def test_tokens_go_where_the_loss_can_do_without_them():
    graph, _, _ = imported("hand plain")
    graph = canonicalize(graph)
    x = torch.randn(32, *graph.inputs[0].shape[1:], generator=torch.Generator().manual_seed(0))
    known = Examples(x, GraphModule(graph)(x).argmax(1))

    def macs(graph):
        return Cost(sum(node.op.cost(node).macs for node in graph.nodes), 1.0, 1.0)

    limit = replace(NO_LIMIT, cycles=0.7 * macs(graph).cycles)
    pruned = Pruner("accuracy", 2, macs, known, known).prune(graph, limit)
    assert any(node.name.endswith(".pooled") for node in pruned.nodes)
    assert macs(pruned).cycles <= limit.cycles
    assert GraphModule(pruned)(x).shape == (32, graph.outputs[0].shape[-1])


def tuner(module, **changes):
    x = torch.randn(2, 8, 3, generator=torch.Generator().manual_seed(0))
    views = Views(x, torch.arange(8) % 2)

    class Valid:
        x = np.zeros((2, 3), np.float32)
        y = np.array([0, 1])

    settings = Training(**{"epochs": 4, "batch": 4, "learning_rate": 0.1, "warmup_epochs": 1, **changes})
    return Tuner(module, views, Valid, settings, Distilling(0.0))


def layer():
    torch.manual_seed(0)
    return torch.nn.Linear(3, 2)


def test_an_interrupted_tuning_goes_on_as_if_it_had_not_stopped(tmp_path):
    whole, halved = layer(), layer()
    tuner(whole).run()

    class StopError(Exception):
        pass

    def stop(epoch):
        if epoch.epoch == 2:
            raise StopError

    with pytest.raises(StopError):
        tuner(halved).run(tmp_path / "checkpoint.pt", stop)
    resumed = layer()
    tuner(resumed).run(tmp_path / "checkpoint.pt")
    torch.testing.assert_close(resumed.weight, whole.weight, rtol=0, atol=0)


def test_a_loss_that_is_no_number_is_an_error_and_keeps_the_last_epoch(tmp_path):
    module = layer()
    tuner(module, epochs=1).run(tmp_path / "checkpoint.pt")
    broken = layer()
    with torch.no_grad():
        broken.weight.fill_(float("nan"))
    with pytest.raises(ModelError, match="not a number"):
        tuner(broken).run()
    assert (tmp_path / "checkpoint.pt").exists()


def test_a_checkpoint_of_another_model_or_a_damaged_one_is_refused(tmp_path):
    tuner(layer(), epochs=1).run(tmp_path / "checkpoint.pt")
    torch.manual_seed(1)
    for other in (torch.nn.Sequential(torch.nn.Linear(3, 2)), torch.nn.Linear(3, 2)):
        with pytest.raises(ModelError, match="another model"):
            tuner(other).run(tmp_path / "checkpoint.pt")
    with pytest.raises(ModelError, match="another model"):
        tuner(layer(), epochs=2).run(tmp_path / "checkpoint.pt")
    (tmp_path / "checkpoint.pt").write_bytes(b"no checkpoint")
    with pytest.raises(ModelError, match="damaged"):
        tuner(layer()).run(tmp_path / "checkpoint.pt")


@pytest.mark.simulator
def test_verbs_print_the_ledger(tones, tmp_path):
    recordings, model = tones
    arguments = ["quantize", str(model), "--data", str(recordings), "-o", str(tmp_path / "out"), "-q"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert "quantization-aware" in result.output
    result = CliRunner().invoke(main, [*arguments, "--json"])
    assert [stage["name"] for stage in json.loads(result.stdout)["stages"]][-1] == "quantization-aware"


def test_estimates_are_corrected_by_what_was_measured(tones):
    graph = load_trained(str(tones[1])).graph
    arena = int(estimated_cost(graph, BOARD).ram_bytes)
    stage = {"cycles": 1e6, "ram_bytes": arena + 5000, "flash_bytes": 12000}
    report = {"stages": [stage], "memory": {"arena_bytes": arena, "state_bytes": 0}}
    assert astuple(CostModel(BOARD).corrected(graph, report)(graph)) == pytest.approx((1e6, arena + 5000, 12000))
    assert estimated_cost(graph, BOARD).over(NO_LIMIT).worst == 0


@pytest.mark.simulator
def test_where_memory_is_short_weights_stay_in_flash():
    model = load_trained("kws-poolformer-micro")
    free = built_report(model, BOARD)
    least = estimated_cost(model.graph, BOARD, arena_bytes=0).ram_bytes
    assert least < free["memory"]["arena_bytes"]
    limit = replace(NO_LIMIT, ram_bytes=cost_of(free).ram_bytes - 1)
    short = built_report(model, BOARD, limit=limit)
    assert cost_of(short).ram_bytes <= limit.ram_bytes
    assert cost_of(short).cycles > cost_of(free).cycles
    assert short["verification"]["simulator"]["mismatches"] == 0
    for report in (free, short):
        costs = CostModel(BOARD, ram_bytes=limit.ram_bytes if report is short else NO_LIMIT.ram_bytes)
        found = costs.corrected(model.graph, report)(model.graph)
        assert astuple(found) == pytest.approx(astuple(cost_of(report)))


def test_views_are_the_front_ends_bits_and_differ(tones):
    recordings, model = tones
    recipe = load_trained(str(model)).recipe
    known = load_tuning_data(recordings, recipe)
    assert len(known.views.x) == 3
    np.testing.assert_array_equal(known.views.x[0], load_dataset(recordings, recipe).part("train").x)
    assert not torch.equal(known.views.x[1], known.views.x[2])


def test_watchers_hear_of_stages_and_epochs(tones, tmp_path):
    heard = []
    recordings, model = tones
    quantize(str(model), recordings, tmp_path / "out", BOARD, Watch(heard.append, lambda e: heard.append(e.epoch)))
    assert "quantization-aware training" in heard
    assert 2 in heard


def test_accuracy_of_a_graph_is_that_of_its_network(tones):
    recordings, model = tones
    trained = load_trained(str(model))
    from edgetx.nn.zoo import load_zoo_model

    network, recipe, _ = load_zoo_model(model)
    x = torch.from_numpy(load_dataset(recordings, recipe).x)
    with torch.no_grad():
        torch.testing.assert_close(GraphModule(trained.graph)(x), network(x), rtol=1e-4, atol=1e-4)
