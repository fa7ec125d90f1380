"""A flatbuffer of the TFLite schema in which equal parts are stored once."""

from collections.abc import Callable, Hashable, Mapping, Sequence

import flatbuffers
import numpy as np
import tflite

from edgetx.ir import Array

BUFFER_ALIGNMENT = 16
FILE_IDENTIFIER = b"TFL3"


class Flatbuffer:
    """Writes tables, vectors and strings; a part that is there already is referred to, not repeated."""

    def __init__(self) -> None:
        self._builder = flatbuffers.Builder(1 << 16)
        self._written: dict[Hashable, int] = {}

    def table(self, name: str, fields: Mapping[str, object]) -> int:
        """Offset of a table, its fields in the schema's spelling; numbers, or offsets of other parts."""

        def write() -> int:
            getattr(tflite, f"{name}Start")(self._builder)
            for field, value in fields.items():
                getattr(tflite, f"{name}Add{field}")(self._builder, value)
            return int(getattr(tflite, f"{name}End")(self._builder))

        return self._once((name, tuple(fields.items())), write)

    def vector(self, values: Sequence[int] | Sequence[float], dtype: str) -> int:
        """Offset of a vector of numbers."""
        array = np.array(values, dtype)
        return self._once((dtype, array.tobytes()), lambda: int(self._builder.CreateNumpyVector(array)))

    def data(self, array: Array) -> int:
        """Offset of the bytes of a tensor, aligned for use where they lie."""
        raw = array.tobytes()

        def write() -> int:
            self._builder.Prep(BUFFER_ALIGNMENT, len(raw))
            return int(self._builder.CreateByteVector(raw))

        return self._once(("data", raw), write)

    def offsets(self, parts: Sequence[int]) -> int:
        """Offset of a vector of tables."""

        def write() -> int:
            self._builder.StartVector(4, len(parts), 4)
            for part in reversed(parts):
                self._builder.PrependUOffsetTRelative(part)
            return int(self._builder.EndVector())

        return self._once(("offsets", tuple(parts)), write)

    def string(self, text: str) -> int:
        """Offset of a string."""
        return self._once(("string", text), lambda: int(self._builder.CreateString(text)))

    def finish(self, root: int) -> bytes:
        """The file whose root table is `root`."""
        self._builder.Finish(root, file_identifier=FILE_IDENTIFIER)
        return bytes(self._builder.Output())

    def _once(self, key: Hashable, write: Callable[[], int]) -> int:
        if key not in self._written:
            self._written[key] = write()
        return self._written[key]
