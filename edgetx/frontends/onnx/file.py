"""An ONNX file as a checked protobuf message."""

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx.external_data_helper import load_external_data_for_tensor

from edgetx.errors import ModelError
from edgetx.frontends.onnx.structure import STANDARD_DOMAINS, normalize
from edgetx.frontends.onnx.tensors import refuse_absurd

OLDEST_OPSET, NEWEST_OPSET = 7, 24


def read_model(content: bytes, folder: Path | None = None) -> tuple[onnx.GraphProto, int]:
    """The main graph of a file, all of its operators in standard ones, and their opset.

    Args:
        content: The file.
        folder: Where further files with the contents of tensors lie.

    Raises:
        ModelError: If the file is not ONNX, or of an opset that is not known.
    """
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except (DecodeError, ValueError) as problem:
        raise ModelError(f"not an ONNX file: {problem}") from problem
    opsets = [entry.version for entry in model.opset_import if entry.domain in STANDARD_DOMAINS]
    if not model.graph.node or not opsets:
        raise ModelError("not an ONNX file: it has no operators or names no opset")
    if not OLDEST_OPSET <= opsets[0] <= NEWEST_OPSET:
        raise ModelError(
            f"opset {opsets[0]} is not supported", hint=f"export with an opset from {OLDEST_OPSET} to {NEWEST_OPSET}"
        )
    if folder is not None:
        _load_external(model, folder)
    return normalize(model).graph, opsets[0]


def _load_external(model: onnx.ModelProto, folder: Path) -> None:
    """Read what tensors keep in other files, which must lie in the same folder."""
    for tensor in model.graph.initializer:
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        refuse_absurd(tensor)
        try:
            load_external_data_for_tensor(tensor, str(folder))
        except (OSError, ValueError, RuntimeError, onnx.checker.ValidationError) as problem:
            raise ModelError(f"its contents cannot be read: {problem}", where=tensor.name) from problem
        tensor.data_location = onnx.TensorProto.DEFAULT
