"""What is read from images."""

import pytest

from edgetx.errors import ModelError
from edgetx.firmware import section_sizes
from edgetx.firmware.image import _FLOAT_HELPER


@pytest.mark.parametrize(
    "name",
    ["__aeabi_fadd", "__aeabi_dmul", "__aeabi_cfcmple", "__aeabi_i2f", "__aeabi_ul2d", "__addsf3", "__fixunsdfsi"],
)
def test_float_helpers(name):
    assert _FLOAT_HELPER.match(name)


@pytest.mark.parametrize(
    "name", ["__aeabi_idiv", "__aeabi_uldivmod", "__aeabi_lmul", "__divsi3", "__udivmodsi4", "__clzsi2", "__muldi3"]
)
def test_integer_helpers(name):
    assert not _FLOAT_HELPER.match(name)


def test_not_an_image(tmp_path):
    path = tmp_path / "model.elf"
    path.write_bytes(b"\x7fELF damaged")
    with pytest.raises(ModelError, match="not a readable ELF image"):
        section_sizes(path)
