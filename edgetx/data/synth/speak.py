"""A process that speaks: requests as lines of JSON on standard input, samples on standard output.

eSpeak NG is under the GPL, version 3; edgetx neither contains nor links it. This program runs on its own, loads the
library that the Python package `espeakng-loader` brings, and exchanges text for sound through pipes.

Output: the sample rate as a 32-bit integer; then for every request the number of samples as a 32-bit integer, −1 if
there is no such voice, and the samples as 16-bit integers. Little endian.
"""

import ctypes
import json
import struct
import sys
from collections.abc import Callable
from pathlib import Path

# Constants of espeak-ng/speak_lib.h.
_SYNCHRONOUS = 2
_RATE, _PITCH = 1, 3
_UTF8 = 1
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int16), ctypes.c_int, ctypes.c_void_p)


def main() -> None:
    """Speak until standard input ends."""
    import espeakng_loader

    # The library prints to standard output; the answers go to a copy of it.
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    chunks: list[bytes] = []

    def keep(samples: "ctypes._Pointer[ctypes.c_int16]", count: int, _events: int) -> int:
        if samples and count:
            chunks.append(ctypes.string_at(samples, 2 * count))
        return 0

    callback = _CALLBACK(keep)
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, str(espeakng_loader.get_data_path()).encode(), 0)
    library.espeak_SetSynthCallback(callback)
    out = sys.stdout.buffer
    out.write(struct.pack("<i", rate))
    out.flush()
    for line in sys.stdin:
        _answer(json.loads(line), library, chunks, out.write)
        out.flush()


def _answer(
    request: dict[str, object], library: ctypes.CDLL, chunks: list[bytes], write: Callable[[bytes], object]
) -> None:
    if library.espeak_SetVoiceByName(str(request["voice"]).encode()):
        write(struct.pack("<i", -1))
        return
    chunks.clear()
    library.espeak_ng_SetRandSeed(ctypes.c_long(1))  # breath and flutter are random
    library.espeak_SetParameter(_RATE, request["rate"], 0)
    library.espeak_SetParameter(_PITCH, request["pitch"], 0)
    text = str(request["text"]).encode()
    library.espeak_Synth(text, len(text) + 1, 0, 0, 0, _UTF8, None, None)
    library.espeak_Synchronize()
    spoken = b"".join(chunks)
    write(struct.pack("<i", len(spoken) // 2) + spoken)


def variants() -> list[str]:
    """Names of the voice variants that the package brings."""
    import espeakng_loader

    return sorted(path.name for path in (Path(espeakng_loader.get_data_path()) / "voices" / "!v").iterdir())


if __name__ == "__main__":
    if sys.argv[1:] == ["--variants"]:
        print(json.dumps(variants()))
    else:
        main()
