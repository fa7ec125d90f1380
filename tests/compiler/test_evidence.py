"""Evidence bundles: replayed, damaged, and not bundles at all."""

import random
import zipfile

import pytest
from click.testing import CliRunner

from edgetx.cli import main


def edgetx(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def bundle(compiled, tmp_path_factory):
    path = tmp_path_factory.mktemp("evidence") / "evidence.zip"
    packed = edgetx("bundle", compiled.folder, "-o", path)
    assert packed.exit_code == 0, packed.output
    return path


def test_replayed(bundle):
    result = edgetx("verify", bundle)
    assert result.exit_code == 0, result.output
    assert "the firmware prints the same" in result.output


@pytest.mark.parametrize("name", ["out/c/model.c", "out/firmware.elf", "out/plan.json", "evidence.json"])
def test_a_changed_file_is_named(bundle, name, tmp_path):
    changed = tmp_path / "changed.zip"
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(changed, "w") as new:
        for item in old.namelist():
            data = old.read(item)
            if item == name == "evidence.json":
                data = data.replace(b"case 0", b"case 9")
            new.writestr(item, data + b" " * (item == name))
    result = edgetx("verify", changed)
    assert result.exit_code == 1
    assert name.removeprefix("out/") in result.output or "prints something else" in result.output


def test_damage_is_an_error(bundle, tmp_path):
    rng, whole = random.Random(0), bundle.read_bytes()
    for n in range(40):
        data = bytearray(whole)
        for _ in range(8):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path = tmp_path / "damaged.zip"
        path.write_bytes(data[: rng.randrange(len(data))] if n % 2 else data)
        assert edgetx("verify", path).exit_code in (0, 1, 3)


def test_not_a_bundle(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"PK")
    assert "not an evidence bundle" in edgetx("verify", tmp_path / "x.zip").output
