"""The call tree as a file that speedscope.app and Perfetto open."""

import json
from pathlib import Path

from edgetx.profile.attribution import Span

SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def speedscope(span: Span, name: str) -> dict[str, object]:
    """The call tree as a sampled profile: one stack per call path, weighted by its own cycles."""
    frames: dict[str, int] = {}
    samples: list[list[int]] = []
    weights: list[int] = []
    for index, context in enumerate(span.contexts):
        if context.cycles:
            samples.append([frames.setdefault(frame, len(frames)) for frame in span.path(index)])
            weights.append(context.cycles)
    profile = {
        "type": "sampled",
        "name": name,
        "unit": "none",
        "startValue": 0,
        "endValue": sum(weights),
        "samples": samples,
        "weights": weights,
    }
    return {
        "$schema": SCHEMA,
        "name": name,
        "exporter": "edgetx",
        "shared": {"frames": [{"name": frame} for frame in frames]},
        "profiles": [profile],
    }


def trace_events(span: Span, clock_hz: int) -> dict[str, object]:
    """The call tree as nested slices in microseconds, callers around callees, in the order of first call."""
    children: dict[int, list[int]] = {}
    for index, context in enumerate(span.contexts):
        children.setdefault(context.parent, []).append(index)
    events: list[dict[str, object]] = []

    def emit(index: int, start: int) -> None:
        cycles = span.inclusive[index]
        if not cycles:
            return
        microseconds = {"ts": start / clock_hz * 1e6, "dur": cycles / clock_hz * 1e6}
        label = span.name(span.contexts[index].function)
        calls = {"calls": span.contexts[index].calls, "cycles": cycles}
        events.append({"ph": "X", "pid": 1, "tid": 1, "name": label, "args": calls, **microseconds})
        for child in children.get(index, []):
            emit(child, start)
            start += span.inclusive[child]

    emit(0, 0)
    return {"traceEvents": events, "displayTimeUnit": "ns"}


def write_trace(span: Span, name: str, clock_hz: int, path: Path) -> None:
    """Write a trace: for Perfetto if the file is called `*.perfetto.json`, else for speedscope."""
    for_perfetto = path.name.endswith(".perfetto.json")
    data = trace_events(span, clock_hz) if for_perfetto else speedscope(span, name)
    path.write_text(json.dumps(data), encoding="utf-8")
