"""Archives in the layout of their publishers, with made-up audio."""

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import soundfile
from recordings import RATE

from edgetx.data.speech_commands import COMMANDS, WORDS


def wav(seed: int, seconds: float = 1.0, rate: int = RATE, volume: float = 0.3) -> bytes:
    audio = volume * np.random.default_rng(seed).uniform(-1, 1, round(seconds * rate))
    buffer = io.BytesIO()
    soundfile.write(buffer, audio, rate, "PCM_16", format="WAV")
    return buffer.getvalue()


def write_tar(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def speech_commands(folder: Path) -> None:
    """Both archives: five speakers, of whom one is in the validation list and one in the testing list."""
    speakers = ("00aa", "00bb", "00cc", "11vv", "22tt")
    files, seed = {}, 0
    for word in WORDS:
        for speaker in speakers:
            seed += 1
            files[f"{word}/{speaker}_nohash_0.wav"] = wav(seed, 0.9)
    lists = {"validation_list.txt": "11vv", "testing_list.txt": "22tt"}
    for name, speaker in lists.items():
        files[name] = "\n".join(path for path in files if f"/{speaker}_" in path).encode()
    for i, noise in enumerate(("running_tap", "white_noise")):
        files[f"_background_noise_/{noise}.wav"] = wav(1000 + i, 12.0)
    files["_background_noise_/README.md"] = files["README.md"] = b"about"
    write_tar(folder / "speech_commands_v0.02.tar.gz", files)
    test = {f"{word}/22tt_nohash_0.wav": wav(2000 + i, 1.0) for i, word in enumerate(COMMANDS)}
    test |= {f"_unknown_/22tt_nohash_{i}.wav": wav(2100 + i) for i in range(3)}
    test |= {f"_silence_/{i}.wav": wav(2200 + i, volume=0.01) for i in range(2)}
    write_tar(folder / "speech_commands_test_set_v0.02.tar.gz", {**test, "README.md": b"about"})


def esc50(folder: Path, categories: int = 50, missing: int = 0) -> None:
    """The archive with one source per clip; the first ten categories make ESC-10."""
    rows, files = ["filename,fold,target,category,esc10,src_file,take"], {}
    clip = wav(7, 0.02, 44_100)
    for target in range(categories):
        for fold in range(1, 6):
            for take in range(8):
                source = 10_000 * target + 100 * fold + take
                name = f"{fold}-{source}-A-{target}.wav"
                rows.append(f"{name},{fold},{target},sound_{target:02},{target < 10},{source},A")
                files[f"ESC-50-master/audio/{name}"] = clip
    for name in list(files)[:missing]:
        del files[name]
    with zipfile.ZipFile(folder / "master.zip", "w") as archive:
        archive.writestr("ESC-50-master/meta/esc50.csv", "\n".join(rows))
        for name, data in files.items():
            archive.writestr(name, data)
