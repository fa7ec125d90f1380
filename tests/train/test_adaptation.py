"""A second task on a trained backbone: what stays, what learns, and both heads in one firmware."""

import numpy as np
import pytest
import torch
from recordings import make_recordings
from tones import ENCODER, tones_recipe

from edgetx.compiler import CompileOptions, compile_model, load_source
from edgetx.compiler.heads import joined
from edgetx.compiler.source import Source
from edgetx.errors import ConfigError
from edgetx.ir import GraphBuilder
from edgetx.nn import load_zoo_model
from edgetx.ops import FullyConnected
from edgetx.reference import execute
from edgetx.targets import load_target
from edgetx.train import train

OPTIONS = f'{ENCODER}, norm = "batch"'


def recipe(classes: str, adaptation: str = "", options: str = OPTIONS, epochs: int = 6) -> str:
    text = tones_recipe("keyword_transformer", options, epochs=epochs, batch=5, classes=classes)
    return text.replace('name = "tones"', 'name = "swapped"') + adaptation if adaptation else text


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Recordings, a model of two tones, and two adapted to the classes in another order."""
    folder = tmp_path_factory.mktemp("adaptation")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGETX_CACHE", str(folder / "cache"))
        recordings = make_recordings(folder / "recordings")
        (folder / "backbone.toml").write_text(recipe('["low", "high"]'))
        train(folder / "backbone.toml", recordings, folder / "backbone")
        for rank in (0, 2):
            table = f'\n[adaptation]\nbackbone = "{folder / "backbone"}"\nrank = {rank}\n'
            (folder / f"rank-{rank}.toml").write_text(recipe('["high", "low"]', table, epochs=40))
            train(folder / f"rank-{rank}.toml", recordings, folder / f"rank-{rank}")
        yield folder


def changed(folders, rank):
    before, after = (load_zoo_model(folders / name)[0].state_dict() for name in ("backbone", f"rank-{rank}"))
    return {name for name in before if not torch.equal(before[name], after[name])}


def test_without_a_rank_only_the_head_learns(folders):
    assert changed(folders, 0) == {"head.weight", "head.bias"}


def test_low_rank_changes_are_folded_into_linear_layers(folders):
    names = changed(folders, 2)
    assert {"head.weight", "head.bias"} < names
    assert all(name.endswith(".weight") for name in names - {"head.bias"})
    before, after = (load_zoo_model(folders / name)[0] for name in ("backbone", "rank-2"))
    weight = "blocks.0.mlp.0.weight"
    assert weight in names
    change = after.state_dict()[weight] - before.state_dict()[weight]
    assert int(torch.linalg.matrix_rank(change, atol=1e-5)) <= 2


def test_adapted_models_have_learned_the_other_order(folders):
    for rank in (0, 2):
        calibration = load_zoo_model(folders / f"rank-{rank}")[2]
        models = (load_zoo_model(folders / name)[0] for name in ("backbone", f"rank-{rank}"))
        first, second = (model(torch.from_numpy(calibration)).argmax(1) for model in models)
        assert torch.equal(first, 1 - second)


def test_heads_share_all_layers_but_the_last_in_one_firmware(folders, tmp_path):
    sources = [load_source(str(folders / name)) for name in ("backbone", "rank-0")]
    together, heads = joined(sources[0], sources[1:])
    assert [head.own for head in heads] == [len(sources[0].graph.nodes), 1]
    x = np.asarray(together.calibration[:1], np.float32)
    alone = [execute(source.graph, [x])[0] for source in sources]
    assert all(np.array_equal(a, b) for a, b in zip(execute(together.graph, [x]), alone, strict=True))

    board = load_target("nucleo-l4r5zi")
    one, two = (
        compile_model(CompileOptions(str(folders / "backbone"), board, tmp_path / f"{len(more)}", cases=4, heads=more))
        for more in ((), (str(folders / "rank-0"),))
    )
    verified = two["verification"]
    assert {name: verified[name]["mismatches"] for name in ("c_host", "tflm", "litert", "simulator")} == dict.fromkeys(
        ("c_host", "tflm", "litert", "simulator"), 0
    )
    assert [head["name"] for head in two["heads"]] == ["tones", "swapped"]
    assert two["stages"][-1]["cycles"] < 1.2 * one["stages"][-1]["cycles"]
    assert two["memory"]["weights_bytes"] < one["memory"]["weights_bytes"] + 200


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda text: text.replace("mlp = 8", "mlp = 16"), "another architecture"),
        (lambda text: text.replace("mean = 5.0", "mean = 6.0"), "another front end"),
        (lambda text: text.replace('backbone"\n', 'nowhere"\n'), "no such recipe"),
        (lambda text: text.replace("rank = 0", "rank = -1"), "must not be negative"),
    ],
)
def test_a_backbone_that_does_not_fit_is_refused(folders, tmp_path, change, complaint):
    path = tmp_path / "changed.toml"
    path.write_text(change((folders / "rank-0.toml").read_text()))
    with pytest.raises(ConfigError, match=complaint):
        train(path, folders / "recordings", tmp_path / "out")


def test_constants_of_equal_contents_hide_nothing_that_is_shared():
    def source(name: str, head: float) -> Source:
        b = GraphBuilder(name)
        y = b.input("x", (1, 3))
        for number in range(2):  # two layers of the same weights, under two names
            y = b.op(FullyConnected(), y, b.const(np.eye(3, dtype=np.float32), f"w{number}"), name=f"layer{number}")
        weight = b.const(np.full((2, 3), head, np.float32), "head")
        return Source("test", name, name, b.graph(b.op(FullyConnected(), y, weight, name="out")))

    together, (_, second) = joined(source("one", 1.0), [source("two", 2.0)])
    assert (second.own, second.shared) == (1, 2)
    one, two = execute(together.graph, [np.ones((1, 3), np.float32)])
    assert (one.tolist(), two.tolist()) == ([[3.0, 3.0]], [[6.0, 6.0]])


def test_several_heads_do_not_stream(tmp_path):
    options = CompileOptions("one", load_target("nucleo-l4r5zi"), tmp_path / "out", stream=True, heads=("two",))
    with pytest.raises(ConfigError, match="not hop by hop"):
        compile_model(options)


def test_models_of_other_inputs_share_nothing(folders, tmp_path):
    other = load_source("kws-transformer-micro")
    with pytest.raises(ConfigError, match="takes other inputs"):
        joined(load_source(str(folders / "backbone")), [other])
