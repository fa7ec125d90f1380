"""Evidence bundles: a compiled folder in one file, with hashes of all that went in and what the firmware printed.

`edgetx verify BUNDLE` replays it: every file is compared with its hash, the integer graph computes the outputs anew,
and the firmware runs again on the simulated core and must print the same.
"""

import hashlib
import json
import tempfile
import zipfile
import zlib
from pathlib import Path

import edgetx
from edgetx.compiler.artifact import Artifact, is_installed, load_artifact
from edgetx.compiler.verification import make_cases
from edgetx.errors import DataError, ModelError
from edgetx.firmware.toolchain import find_toolchain
from edgetx.output import explained
from edgetx.reference import execute, initial_state

MANIFEST = "evidence.json"
CASES = 8
_LARGEST = 1 << 30
Json = dict[str, object]


def write_bundle(artifact: Artifact, path: Path) -> Json:
    """Pack a compiled folder.

    Args:
        artifact: The folder.
        path: The `.zip` to write.

    Returns:
        The manifest.

    Raises:
        EdgetxError: If the folder is damaged, its firmware fails, or the disk is full.
    """
    files = {str(p.relative_to(artifact.folder)): p for p in sorted(artifact.folder.rglob("*")) if p.is_file()}
    manifest: Json = {
        "schema": 1,
        "edgetx": edgetx.__version__,
        "source": artifact.report["source"],
        "target": artifact.report["target"],
        "toolchain": find_toolchain().version() if artifact.target.kind == "mcu" else None,
        "sha256": {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()},
        "outputs_crc32": _output_crcs(artifact),
        "uart": _uart(artifact),
    }
    with explained(path, OSError):
        unfinished = path.with_name(f".{path.name}.part")
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as bundle:
            bundle.writestr(MANIFEST, json.dumps(manifest, indent=2) + "\n")
            for name, file in files.items():
                bundle.write(file, f"out/{name}")
        unfinished.replace(path)
    return manifest


def replay_bundle(path: Path) -> Json:
    """Verify a bundle.

    Returns:
        What was replayed: files compared, cases computed, and whether the firmware ran.

    Raises:
        DataError: If the file is damaged.
        ModelError: If anything differs from what the bundle says.
    """
    with tempfile.TemporaryDirectory() as name:
        manifest = _unpacked(path, Path(name))
        artifact = load_artifact(Path(name) / "out")
        if _output_crcs(artifact) != manifest["outputs_crc32"]:
            raise ModelError("the integer graph gives other outputs than the bundle says", where=str(path))
        uart = _uart(artifact) if manifest["uart"] is not None else None
        if uart != manifest["uart"] and uart is not None:
            raise ModelError("the firmware prints something else than the bundle says", where=str(path))
        return {"files": len(_hashes(manifest)), "cases": CASES, "firmware": uart is not None}


def _unpacked(path: Path, folder: Path) -> Json:
    """Extract the files of which the manifest has a hash."""
    try:
        with zipfile.ZipFile(path) as bundle:
            if sum(item.file_size for item in bundle.infolist()) > _LARGEST:
                raise DataError("is larger than any bundle of ours", where=str(path))
            manifest: Json = json.loads(bundle.read(MANIFEST))
            contents = {name: bundle.read(f"out/{name}") for name in _hashes(manifest)}
            complete = {"outputs_crc32", "uart"} <= set(manifest)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error, EOFError,
            NotImplementedError, RuntimeError) as problem:  # fmt: skip
        raise DataError(f"not an evidence bundle: {problem}", where=str(path)) from problem
    if not complete:
        raise DataError("not an evidence bundle: its manifest lacks keys", where=str(path))
    for name, wanted in _hashes(manifest).items():
        place = (folder / "out" / name).resolve()
        if not place.is_relative_to(folder.resolve()):
            raise DataError(f"names a file outside of it: {name}", where=str(path))
        if hashlib.sha256(contents[name]).hexdigest() != wanted:
            raise ModelError(f"{name} is not the file that was packed", where=str(path))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(contents[name])
    return manifest


def _hashes(manifest: Json) -> dict[str, str]:
    hashes = manifest["sha256"]
    if not isinstance(hashes, dict):
        raise TypeError("no hashes")
    return {str(name): str(value) for name, value in hashes.items()}


def _output_crcs(artifact: Artifact) -> list[str]:
    """CRC-32 of the outputs of random inputs, each from a fresh state."""
    graph = artifact.graph
    outputs = (execute(graph, case, initial_state(graph)) for case in make_cases(graph, (), CASES))
    return [f"{zlib.crc32(b''.join(y.tobytes() for y in arrays)):08x}" for arrays in outputs]


def _uart(artifact: Artifact) -> str | None:
    """What the firmware prints on the simulated core; None if there is no firmware or no simulator."""
    if (
        artifact.target.kind != "mcu"
        or not is_installed("simulator")
        or not (artifact.folder / "firmware.elf").is_file()
    ):
        return None
    from edgetx.profile import Simulator

    sim = Simulator(artifact.target, artifact.file("firmware.elf"), count=False)
    sim.run()
    return sim.output
