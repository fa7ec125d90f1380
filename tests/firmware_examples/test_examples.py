"""The firmware examples, built as their users build them, and run on the simulated board."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from edgetx.cli import main
from edgetx.compiler import CompileOptions, compile_model, load_artifact
from edgetx.compiler.listening import in_chunks, listen, make_listener
from edgetx.compiler.verification import make_cases
from edgetx.profile import Simulator
from edgetx.profile.microphone import attach_microphone
from edgetx.reference import execute
from edgetx.targets import list_targets, load_target

EXAMPLES = Path(__file__).parents[2] / "firmware_examples"
RATE = 16_000
MODEL = "kws-transformer-micro"
MCUS = [t.name for t in list_targets() if t.kind == "mcu" and t.name != "microbit"]  # its memory is too small

pytestmark = [
    pytest.mark.toolchain,
    pytest.mark.skipif(
        not (shutil.which("cmake") and shutil.which("arm-none-eabi-gcc")), reason="needs cmake and arm-none-eabi-gcc"
    ),
]


def edgetx(*arguments):
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result


def run(*command, cwd=None, data=None):
    done = subprocess.run([str(c) for c in command], cwd=cwd, input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    return done.stdout


def build(source, model, folder, *definitions):
    toolchain = ("--toolchain", model / "board" / "toolchain.cmake") if (model / "board").is_dir() else ()
    run("cmake", "-S", source, "-B", folder, f"-DEDGETX_MODEL={model}", *definitions, *toolchain)
    run("cmake", "--build", folder, "-j2")
    return folder / f"{source.name}.elf"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    out = tmp_path_factory.mktemp("model") / "out"
    edgetx("compile", MODEL, "--target", "mps2-an386", "--to", "tflite,c", "-o", out, "--quiet")
    return out


def speech(seconds, shared_data):
    """Words of a test speaker, with pauses."""
    import soundfile

    words = sorted((shared_data / "audio" / "arabic_speech_commands").glob("*/*.flac"))[::331]
    audio = np.random.default_rng(0).normal(0, 30, seconds * RATE)
    for start in range(RATE, len(audio) - RATE, 2 * RATE):
        clip = soundfile.read(words[start // RATE % len(words)], dtype="int16")[0][:RATE]
        audio[start : start + len(clip)] += clip
    return np.clip(audio, -32768, 32767).astype(np.int16)


def test_bench(model, tmp_path):
    image = build(EXAMPLES / "bench", model, tmp_path / "bench")
    sim = Simulator("mps2-an386", image)
    sim.run()
    lines = sim.output.splitlines()
    names = [row["name"] for row in json.loads((model / "layers.json").read_text())]
    assert [line.split(" ", 1)[1] for line in lines[: len(names)]] == names
    assert lines[-1] == "PASS"
    assert sim.exit_status == 0
    simulated = json.loads((model / "report.json").read_text())["profile"]["cycles"]
    assert int(lines[len(names)].split()[0]) == pytest.approx(simulated, rel=0.02)


@pytest.mark.parametrize("name", ["keyword_spotter", "sound_event"])
def test_continuous_audio_gives_the_events_of_the_host(model, name, tmp_path, shared_data):
    image = build(EXAMPLES / name, model, tmp_path / name)
    audio = speech(6, shared_data)
    listener = make_listener(load_artifact(model))
    host = [(round(d.seconds / 0.02), d.label) for d in listen(listener, in_chunks(audio, RATE))]
    assert host
    sim = Simulator("mps2-an386", image, count=False)
    attach_microphone(sim, audio, RATE)
    sim.run(max_instructions=10**11)
    lines = [line.split() for line in sim.output.splitlines()]
    assert lines[-1][:3] == ["heard", "300", "hops" if name == "sound_event" else "hops,"]
    if name == "keyword_spotter":
        assert [(int(hop), label) for kind, hop, label, *_ in lines if kind == "event"] == host
        assert lines[-1][-2:] == ["0", "samples"]
    else:
        begun = [(int(hop), label) for kind, label, hop, *_ in lines if kind == "begin"]
        assert begun[0] == host[0]
        assert set(begun) <= set(host)


def test_listen_shows_what_is_detected(model, tmp_path, shared_data):
    import soundfile

    audio = speech(6, shared_data)
    soundfile.write(tmp_path / "words.wav", audio, RATE)
    listener = make_listener(load_artifact(model))
    expected = [d.label for d in listen(listener, in_chunks(audio, RATE))]
    shown = edgetx("listen", model, "--wav", tmp_path / "words.wav", "--json", "--png", tmp_path / "words.png")
    assert [row["label"] for row in json.loads(shown.stdout)] == expected
    assert (tmp_path / "words.png").read_bytes().startswith(b"\x89PNG")
    assert CliRunner().invoke(main, ["listen", str(model)]).exit_code == 2


def test_stream_gives_the_events_of_the_host(tmp_path, shared_data):
    out = tmp_path / "model"
    settings = {"streaming.threshold": "0.3"}
    target = load_target("mps2-an386")
    compile_model(
        CompileOptions(
            "kws-lmuformer-micro", target, out, ("c",), cases=1, simulated_cases=1, settings=settings, stream=True
        )
    )
    audio = speech(6, shared_data)
    listener = make_listener(load_artifact(out))
    hop = listener.pace.step * listener.recipe.frontend.hop_ms / 1000
    host = [(round(d.seconds / hop), d.label) for d in listen(listener, in_chunks(audio, RATE))]
    assert host
    sim = Simulator(target, build(EXAMPLES / "keyword_spotter", out, tmp_path / "spotter"), count=False)
    attach_microphone(sim, audio, RATE)
    sim.run(max_instructions=10**11)
    lines = [line.split() for line in sim.output.splitlines()]
    assert [(int(hop), label) for kind, hop, label, *_ in lines if kind == "event"] == host
    assert lines[-1] == ["heard", str(round(6 / hop)), "hops,", "lost", "0", "samples"]


@pytest.mark.parametrize("kind", ["i2s", "pdm"])
def test_microphone_skeletons_build(model, kind, tmp_path):
    assert build(EXAMPLES / "keyword_spotter", model, tmp_path / kind, f"-DMICROPHONE={kind}").exists()


def test_scaffolded_projects(model, tmp_path):
    project = tmp_path / "sound_event"
    edgetx("new", "firmware", project, "--target", "mps2-an386", "--example", "sound_event")
    assert (project / "build.sh").stat().st_mode & 0o100
    assert "build/sound_event/sound_event.elf --target mps2-an386" in (project / "README.md").read_text()
    assert build(project, model, project / "build").exists()
    again = CliRunner().invoke(main, ["new", "firmware", str(tmp_path / "sound_event"), "--target", "mps2-an386"])
    assert again.exit_code == 3
    assert "exists already" in again.output


def test_scaffold_finds_the_model_from_its_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my words").mkdir()
    edgetx("new", "firmware", "doorbell", "--target", "mps2-an386", "--model", "my words")
    assert f"edgetx compile '{tmp_path}/my words' --target" in (tmp_path / "doorbell" / "build.sh").read_text()


def test_scaffold_for_a_board_of_the_users_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (EXAMPLES.parent / "targets" / "mps2-an386.toml").read_text().replace('"mps2-an386"', '"my-board"', 1)
    (tmp_path / "my-board.toml").write_text(text)
    edgetx("new", "firmware", "doorbell", "--target", "my-board.toml")
    assert (tmp_path / "doorbell" / "my-board.toml").read_text() == text
    assert "--target my-board.toml -o" in (tmp_path / "doorbell" / "build.sh").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--target", "mps2-an386", "--model", "kws-transfomer-micro"), 1, "kws-transformer-micro"),
        (("--target", "phone-cortex-a55"), 3, "edgetx compile"),
        (("--target", "esp32-c3"), 3, "arduino_library"),
    ],
)
def test_scaffold_refuses(tmp_path, arguments, code, said):
    refused = CliRunner().invoke(main, ["new", "firmware", str(tmp_path / "x"), *arguments])
    assert refused.exit_code == code
    assert said in refused.output
    assert not (tmp_path / "x").exists()


def test_scaffold_for_a_framework(tmp_path):
    edgetx("new", "firmware", tmp_path / "x", "--target", "esp32-c3", "--example", "arduino_library")
    assert "make EDGETX_MODEL" in (tmp_path / "x" / "build.sh").read_text()


def test_new_recipe(tmp_path):
    from edgetx.recipe import load_recipe

    edgetx("new", "recipe", tmp_path / "my-words")
    assert load_recipe(tmp_path / "my-words" / "recipe.toml").name == "my-words"
    assert CliRunner().invoke(main, ["new", "recipe", str(tmp_path / "x"), "--from", "kws"]).exit_code == 3


def test_c_library_installs_and_is_found(model, tmp_path):
    """For this machine: kernels are those of a phone, which are portable."""
    portable = tmp_path / "model"
    shutil.copytree(model / "c", portable / "c")
    if "smlad" in "".join(p.read_text() for p in portable.glob("c/*.h")):
        edgetx("compile", MODEL, "--target", "mps2-an385", "--to", "c", "-o", tmp_path / "m3", "--quiet")
        portable = tmp_path / "m3"
    library, prefix = tmp_path / "library", tmp_path / "prefix"
    run("cmake", "-S", EXAMPLES / "c_library", "-B", library, f"-DEDGETX_MODEL={portable}")
    run("cmake", "--build", library, "-j2")
    run("cmake", "--install", library, "--prefix", prefix)
    consumer = tmp_path / "consumer"
    run("cmake", "-S", EXAMPLES / "c_library" / "consumer", "-B", consumer, f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", consumer)
    graph = load_artifact(model).graph
    case = make_cases(graph, (), 1)[0]
    assert run(consumer / "consumer", data=case[0].tobytes()) == execute(graph, case)[0].tobytes()


def test_arduino_library(model, tmp_path):
    """The sketch compiles as C++ against the library's folder, with what Arduino gives every sketch declared."""
    library = shutil.copytree(EXAMPLES / "arduino_library", tmp_path / "EdgetxModel")
    run("make", f"EDGETX_MODEL={model}", cwd=library)
    (tmp_path / "Arduino.h").write_text(
        "#include <cstring>\nusing std::memcpy;\nstruct Port { void begin(long); template <class T> void print(T); };\n"
        "extern Port Serial;\nvoid delay(unsigned long);\n"
    )
    sketch = library / "examples" / "KeywordSpotter" / "KeywordSpotter.ino"
    compiler = ["g++", "-Wall", "-Werror", "-std=gnu++17", "-fsyntax-only"]
    run(*compiler, "-x", "c++", "-include", tmp_path / "Arduino.h", f"-I{library / 'src'}", sketch)


TFLM_HEADERS = {
    "micro/micro_mutable_op_resolver.h": "enum TfLiteStatus { kTfLiteOk, kTfLiteError };\n"
    "#define TF_LITE_ENSURE_STATUS(a) do { if ((a) != kTfLiteOk) return kTfLiteError; } while (0)\n"
    "namespace tflite { template <unsigned n> struct MicroMutableOpResolver { METHODS }; }\n",
    "micro/micro_interpreter.h": "#include <cstddef>\nunion Data { void* raw; signed char* int8; };\n"
    "struct TfLiteTensor { Data data; std::size_t bytes; };\n"
    "namespace tflite { struct Model { int version() const; };\n"
    "struct MicroInterpreter { template <class R> MicroInterpreter(const Model*, R&, unsigned char*, std::size_t);\n"
    "TfLiteStatus AllocateTensors(); TfLiteStatus Invoke(); TfLiteTensor* input(int); TfLiteTensor* output(int);\n"
    "std::size_t arena_used_bytes(); }; }\n",
    "micro/micro_log.h": "void MicroPrintf(const char*, ...);\n",
    "micro/system_setup.h": "namespace tflite { void InitializeTarget(); }\n",
    "schema/schema_generated.h": "#define TFLITE_SCHEMA_VERSION 3\n"
    "namespace tflite { struct Model; const Model* GetModel(const void*); }\n",
}
"""The interface of TensorFlow Lite Micro that the application uses; its sources come in no package."""


def test_tflm_application_compiles(model, tmp_path):
    methods = re.findall(r"resolver\.(Add\w+)\(\)", (model / "tflite" / "op_resolver.h").read_text())
    for name, text in TFLM_HEADERS.items():
        path = tmp_path / "tensorflow" / "lite" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#pragma once\n" + text.replace("METHODS", "".join(f"TfLiteStatus {m}();" for m in methods)))
    compiler = ["g++", "-Wall", "-Werror", "-std=c++17", "-fsyntax-only"]
    run(*compiler, f"-I{tmp_path}", f"-I{model / 'tflite'}", EXAMPLES / "tflm_application" / "src" / "main.cc")


@pytest.mark.slow
@pytest.mark.parametrize("target", MCUS)
def test_every_board(target, tmp_path):
    out = tmp_path / "model"
    compile_model(CompileOptions(MODEL, load_target(target), out, ("c",), cases=1, simulated_cases=1))
    build(EXAMPLES / "keyword_spotter", out, tmp_path / "keyword_spotter")
    sim = Simulator(target, build(EXAMPLES / "bench", out, tmp_path / "bench"))
    sim.run()
    assert sim.output.splitlines()[-1] == "PASS"
