"""From a graph over a clip to one over a hop, with states: `Stream`."""

from edgetx.passes.streaming.flow import StreamError
from edgetx.passes.streaming.stream import Stream, Streamed

__all__ = ["Stream", "StreamError", "Streamed"]
