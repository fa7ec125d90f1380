"""Frames on a wire: a checksum and byte stuffing, so that whatever else is on the wire is told from them.

A frame is its contents and their CRC-32 (little endian), with consistent overhead byte stuffing (Cheshire and Baker,
IEEE/ACM Transactions on Networking 7(2), 1999), between two zero bytes. After damage the next zero byte begins anew.
"""

import zlib

LARGEST = 512
"""Bytes between two zero bytes that are kept; more are no frame of ours."""
_CHECKSUM_BYTES = 4
_FULL_BLOCK = 0xFF


def encode_frame(contents: bytes) -> bytes:
    """A frame, with the zero bytes around it."""
    data = contents + zlib.crc32(contents).to_bytes(_CHECKSUM_BYTES, "little")
    out = bytearray(b"\0")
    for block in data.split(b"\0"):
        while len(block) >= _FULL_BLOCK - 1:
            out += bytes([_FULL_BLOCK]) + block[: _FULL_BLOCK - 1]
            block = block[_FULL_BLOCK - 1 :]
        out += bytes([len(block) + 1]) + block
    return bytes(out + b"\0")


def decode_frame(stuffed: bytes) -> bytes | None:
    """What lay between two zero bytes; None if it is not a whole frame."""
    data = bytearray()
    place = 0
    while place < len(stuffed):
        code = stuffed[place]
        block = stuffed[place + 1 : place + code]
        if code == 0 or len(block) < code - 1:
            return None
        data += block
        place += code
        if code < _FULL_BLOCK and place < len(stuffed):
            data.append(0)
    if len(data) < _CHECKSUM_BYTES:
        return None
    contents, checksum = bytes(data[:-_CHECKSUM_BYTES]), data[-_CHECKSUM_BYTES:]
    return contents if zlib.crc32(contents).to_bytes(_CHECKSUM_BYTES, "little") == checksum else None


class FrameReader:
    """Finds frames in a stream of bytes.

    Attributes:
        text: What came that was not a frame, such as text that the firmware printed; the last few kilobytes.
    """

    _KEPT_TEXT = 8192

    def __init__(self) -> None:
        self.text = bytearray()
        self._partial = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Contents of the frames that are complete with these bytes."""
        frames = []
        *ended, rest = data.split(b"\0")
        for part in ended:
            self._keep(part)
            if (frame := decode_frame(bytes(self._partial))) is not None:
                frames.append(frame)
            else:
                self.text += self._partial
            self._partial.clear()
        self._keep(rest)
        del self.text[: -self._KEPT_TEXT]
        return frames

    def _keep(self, data: bytes) -> None:
        self._partial += data
        excess = len(self._partial) - LARGEST
        if excess > 0:
            self.text += self._partial[:excess]
            del self._partial[:excess]
