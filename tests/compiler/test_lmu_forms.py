"""The forms of an LMU, measured: what is chosen, what the report says, and what the user may force."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from edgetx.compiler.lmu_forms import (
    LmuCandidate,
    choose_lmu_form,
    fastest_accurate,
    lmu_report,
    memory_layers,
    readout_layers,
)
from edgetx.compiler.settings import lmu_form
from edgetx.compiler.streaming import StreamOptions, stream_model
from edgetx.errors import ConfigError
from edgetx.frontends.torch import export_module
from edgetx.ir import Graph
from edgetx.nn.mixers import MixerInput, make_mixer
from edgetx.passes.lower_lmu import FORMS
from edgetx.passes.pipeline import canonicalize
from edgetx.quant import QuantRecipe
from edgetx.targets import load_target

TOKENS, WIDTH = 20, 8
CANDIDATE = LmuCandidate("fir", 40.0, 100, 1000, 600, 400, 10, 20, 30)


@cache
def mixer() -> Graph:
    torch.manual_seed(0)
    module = make_mixer("lmu(6, 24)", MixerInput(TOKENS, WIDTH, causal=True))
    assert module is not None
    return export_module(module.eval(), torch.randn(1, TOKENS, WIDTH), "mixer")


def samples() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(4, TOKENS, WIDTH)).astype(np.float32)


@cache
def on_a_phone() -> tuple[str, list[LmuCandidate]]:
    return choose_lmu_form(mixer(), samples(), QuantRecipe(), load_target("phone-cortex-a53"))


def test_phone_has_errors_and_products_but_no_cycles() -> None:
    form, candidates = on_a_phone()
    assert [candidate.form for candidate in candidates] == list(FORMS)
    assert {candidate.cycles for candidate in candidates} == {None}
    assert all(candidate.snr_db > 25 for candidate in candidates)
    assert form == fastest_accurate(candidates)
    report = lmu_report(form, candidates)  # type: ignore[arg-type]
    assert report is not None
    assert report["form"] == form


def test_a_stream_is_chosen_by_its_hops() -> None:
    asked = []

    def hop(clip):  # type: ignore[no-untyped-def]
        asked.append(clip)
        return stream_model(clip, StreamOptions(), None).model

    _, candidates = choose_lmu_form(mixer(), samples(), QuantRecipe(), load_target("phone-cortex-a53"), as_run=hop)
    assert len(asked) == len(FORMS)
    assert [TOKENS * hop.macs for hop in candidates] == [clip.macs for clip in on_a_phone()[1]]


def test_state_of_a_stream_is_inputs_or_the_memory() -> None:
    _, candidates = on_a_phone()
    kept = {candidate.form: candidate.stream_state_bytes for candidate in candidates}
    assert kept == {"fir": TOKENS - 1, "parallel": TOKENS - 1, "recurrence": 2 * 6, "split": 2 * 6}


@pytest.mark.toolchain
@pytest.mark.simulator
def test_every_form_is_simulated() -> None:
    pytest.importorskip("unicorn")
    _, candidates = choose_lmu_form(mixer(), samples(), QuantRecipe(), load_target("nucleo-l4r5zi"))
    for candidate in candidates:
        assert candidate.cycles is not None
        assert candidate.memory_cycles is not None
        assert 0 < candidate.memory_cycles < candidate.cycles
    alone = {c.form: c.readout_cycles for c in candidates}
    assert alone["recurrence"] is alone["parallel"] is None  # one layer reads the memory and the tokens
    assert 0 < alone["fir"] < alone["split"]
    assert all(c.readout_cycles < c.memory_cycles for c in candidates if c.readout_cycles)


def test_fastest_of_the_accurate_forms_is_chosen() -> None:
    slow = replace(CANDIDATE, form="parallel", cycles=2000, snr_db=40.5)
    noisy = replace(CANDIDATE, form="recurrence", cycles=10, snr_db=20.0)
    assert fastest_accurate([CANDIDATE, slow, noisy]) == "fir"
    assert fastest_accurate([replace(CANDIDATE, snr_db=30.0), slow, noisy]) == "parallel"
    unmeasured = [replace(CANDIDATE, cycles=None), replace(slow, cycles=None, macs=50)]
    assert fastest_accurate(unmeasured) == "parallel"


def test_layers_between_input_and_readout() -> None:
    graph = mixer()
    for form, wanted in (("fir", {"conv_2d", "fully_connected", "add"}), ("recurrence", {"lmu", "fully_connected"})):
        lowered = canonicalize(graph, lmu=form)  # type: ignore[arg-type]
        names = memory_layers(graph, lowered)
        found = {node.op.name for node in lowered.nodes if node.name in names}
        assert wanted <= found
        assert "out" not in names


def test_layers_that_read_nothing_but_the_memory() -> None:
    graph = mixer()
    for form, wanted in (("fir", {"pad", "conv_2d"}), ("split", {"lmu", "quantize", "fully_connected"})):
        lowered = canonicalize(graph, lmu=form)  # type: ignore[arg-type]
        names = readout_layers(graph, lowered)
        assert names is not None
        found = {node.op.name for node in lowered.nodes if node.name in names}
        assert found - {"reshape"} == wanted


def test_model_without_lmu_has_no_section() -> None:
    module = torch.nn.Linear(4, 2)
    graph = export_module(module, torch.randn(1, 3, 4), "linear")
    form, candidates = choose_lmu_form(graph, samples(), QuantRecipe(), load_target("nucleo-l4r5zi"))
    assert (candidates, lmu_report(form, candidates)) == ([], None)


def test_form_that_is_asked_for() -> None:
    assert lmu_form({}) is lmu_form({"lmu.form": "auto"}) is None
    assert lmu_form({"lmu.form": "recurrence"}) == "recurrence"
    with pytest.raises(ConfigError, match="unknown form 'fft'"):
        lmu_form({"lmu.form": "fft"})
    form, _ = choose_lmu_form(mixer(), samples(), QuantRecipe(), load_target("phone-cortex-a53"), forced="recurrence")
    assert form == "recurrence"
