"""The support table is read off the classes, and the documentation shows it."""

from pathlib import Path

from edgetx.ops import REGISTRY
from edgetx.ops.support import support_table, to_markdown

DOCUMENT = Path(__file__).parents[2] / "docs" / "ops.md"


def test_table_has_every_op_once() -> None:
    assert [line.op for line in support_table()] == sorted(REGISTRY)


def test_table_shows_the_holes() -> None:
    table = {line.op: line for line in support_table()}
    assert table["attention"].forms == {"onnx", "c"}
    assert table["attention"].widths == (8,)
    assert table["add"].forms == {"tflite", "onnx", "c"}
    assert table["add"].widths == (8, 16)


def test_every_op_says_what_it_means() -> None:
    assert all(line.meaning.endswith(".") for line in support_table())


def test_document_is_current() -> None:
    assert to_markdown(support_table()) in DOCUMENT.read_text(), "docs/ops.md: write the table anew"
