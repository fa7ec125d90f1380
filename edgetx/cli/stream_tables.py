"""What streams, memories and spikes are, as tables."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from edgetx.cli.cells import number, percent, plain_table

Json = Mapping[str, Any]


def streaming_table(streaming: Json) -> Table:
    """What a stream waits for, equals and remembers, and what its hops cost."""
    table = plain_table("stream", "value>")
    frames = f"{streaming['hop_frames']} frames"
    table.add_row("hop", frames if streaming["hop_ms"] is None else f"{streaming['hop_ms']:g} ms ({frames})")
    ahead = streaming["look_ahead_ms"]
    waits = f"{max(0, streaming['lag_frames'])} frames"
    table.add_row("waits beyond the end of a clip", waits if ahead is None else f"{ahead:g} ms ({waits})")
    table.add_row("equals the clip model at", streaming["claim"])
    table.add_row("compared, different", f"{streaming['windows_compared']}, {streaming['mismatches']}")
    if streaming["memory"]:
        table.add_row("remembers", _remembers(streaming))
    if streaming["error"]:
        error = streaming["error"]
        saturated = (
            f", {percent(error['saturated'])} of the hops beyond the largest logit" if error["saturated"] else ""
        )
        table.add_row("distance from the float model", f"mean {error['mean']:.4f}, 99 % {error['p99']:.4f}, "
                      f"largest {error['largest']:.4f} in {number(error['hops'])} hops{saturated}")  # fmt: skip
    if streaming["error"] and streaming["error"]["hour"] is not None:
        table.add_row("bound for an hour, kept with 99 %", f"{streaming['error']['hour']:.4f}")
    if streaming["mid_stream"]:
        mid = streaming["mid_stream"]
        table.add_row("accuracy on clips in mid-stream", f"{percent(mid['running'])} of {mid['clips']}; reset at the "
                      f"beginning of each, {percent(mid['reset'])}")  # fmt: skip
    if streaming["states"]:
        table.add_row("states", _widths(streaming["states"]))
    if streaming["duty_cycle"] is None:
        return table
    clock = f"{streaming['clock_hz'] / 1e6:g} MHz"
    for part, cycles in streaming["parts"].items():
        table.add_row(f"cycles per hop: {part}", number(round(cycles)))
    mean, worst = round(streaming["mean_hop_cycles"]), streaming["worst_hop_cycles"]
    table.add_row("cycles per hop: all, mean", number(mean))
    table.add_row("cycles per hop: all, worst", number(worst))
    table.add_row(
        f"duty cycle at {clock}",
        f"{percent(streaming['duty_cycle'])}, worst hop {percent(streaming['worst_duty_cycle'])}",
    )
    return table


def states_table(kept: list[Json]) -> Table:
    """State by state: what it is, its width, what that costs, and what a reset makes of it."""
    table = plain_table("state", "kind", "shape>", "bits>", "bytes>", "answers over its rounding>", "after a reset>")
    for row in kept:
        kind = "recurrence" if row["recurrent"] else "ring"
        noise = "–" if row["noise_db"] is None else f"{row['noise_db']:.0f} dB"
        begins = "as a clip begins" if row["begins"] is None else f"{row['begins']:g}"
        shape = " × ".join(map(str, row["shape"]))
        table.add_row(row["name"], kind, shape, str(row["bits"]), number(row["nbytes"]), noise, begins)
    return table


def _widths(states: Json) -> str:
    """Bytes of states, and what was measured of the widths of recurrences."""
    text = f"{number(states['rings'])} bytes of rings"
    if not states["recurrent"]:
        return text
    text += f", {number(states['recurrent'])} of recurrences in {states['used']} bits"
    for width in states["widths"]:
        text += f"; at {width['bits']} bits {width['first_db']:.0f} dB, at the end {width['last_db']:.0f} dB"
    return text


def _remembers(streaming: Json) -> str:
    """For how long a stream depends on what it heard."""
    memory = streaming["memory"]
    hops, how = memory["hops"], "its rings hold no more" if memory["proven"] else "measured"
    if hops is None:
        return f"ever; after {memory['starts']} resets answers stay within {memory['residual']:.4f}"
    length = "" if streaming["hop_ms"] is None else f" ({hops * streaming['hop_ms'] / 1000:.2f} s)"
    return f"{number(hops)} hops{length}, {how}: {memory['starts']} streams begun anew agree from then on, bit for bit"


def lmu_table(lmu: Json) -> Table:
    """The forms of an LMU, as measured."""
    columns = (
        "signal to error>",
        "memory, readout>",
        "with what joins>",
        f"cycles of a {lmu['unit']}>",
        "flash>",
        "streamed state>",
    )
    table = plain_table("LMU as", *columns)
    for row in lmu["candidates"]:
        keys = ("readout_cycles", "memory_cycles", "cycles", "flash_bytes", "stream_state_bytes")
        name = f"{row['form']} (chosen)" if row["form"] == lmu["form"] else row["form"]
        table.add_row(name, f"{row['snr_db']:.1f} dB", *(number(row[key]) for key in keys))
    return table


def spikes_table(spikes: Json) -> Table:
    """Layers on spikes, how often their inputs fire, and how they are computed."""
    table = plain_table("layer on spikes", "firing rate>", "break-even>", "MACs>", "synaptic operations>", "kernel")
    for row in spikes["layers"]:
        kernel = "event-driven" if row["event_driven"] else "dense"
        limit = "–" if row["break_even"] is None else f"{row['break_even']:.1%}"
        counts = number(row["macs"]), number(round(row["synaptic_operations"]))
        table.add_row(row["layer"], f"{row['rate']:.1%}", limit, *counts, kernel)
    table.add_row("all", "", "", number(spikes["macs"]), number(round(spikes["synaptic_operations"])), "")
    return table
