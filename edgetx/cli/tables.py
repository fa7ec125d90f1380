"""Reports as tables for people."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from edgetx.compiler.evaluation import Accuracy
    from edgetx.compiler.evaluation_report import Evaluation
    from edgetx.data.check import Report as DataReport
    from edgetx.evaluation.spotting import Point

Json = Mapping[str, Any]
SHOWN_ROWS = 30


def make_console() -> Console:
    """Standard output; wide where it is not a terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=160)


def print_report(report: Json, out: Path) -> None:
    """Print what `edgetx compile` made and measured."""
    console = make_console()
    source, artifacts = report["source"], report["artifacts"]
    console.print(f"[bold]{source['name']}[/] for {report['target']}: {', '.join(artifacts.values())} in {out}")
    console.print(_stages(report["stages"]))
    console.print(_memory(report["memory"]))
    console.print(_verification(report["verification"]))
    if report["profile"]:
        print_profile(report["profile"], console)
    if report.get("streaming"):
        console.print(_streaming(report["streaming"]))
    if report.get("lmu"):
        console.print(_lmu(report["lmu"]))
    if report.get("mixed"):
        console.print(_mixed(report["mixed"]))
    if report.get("spikes"):
        console.print(_spikes(report["spikes"]))
    if report.get("import"):
        console.print(_import(report["import"]))
    for head in report.get("heads", ()):
        layers = f"{head['own']} layers of its own, {head['shared']} shared"
        console.print(f"output {head['output']}: {head['name']}, {layers}")
    for note in report.get("notes", ()):
        console.print(f"[yellow]note[/]: {note}")
    for form, reason in report.get("left_out", {}).items():
        console.print(f"[yellow]no {form}[/]: {reason}")


def _import(check: Json) -> str:
    """How the imported graph compares with its file."""
    ratio, against = check["signal_to_error_db"], f"{check['cases']} invocations of {check['runtime']}"
    if ratio is None:
        return f"import: the same as {against}"
    steps = "" if check["max_lsb"] is None else f", at most {check['max_lsb']} LSB in {check['mismatches']}"
    return f"import: {ratio:.1f} dB from {against}{steps}"


def print_profile(profile: Json, console: Console | None = None) -> None:
    """Print cycles by layer; by function where there are no layers."""
    console = console or make_console()
    if profile["engine"] == "device":
        _print_measured(profile, console)
        return
    print_rows(profile, "layer" if profile["layers"] else "function", console)
    clock = profile["clock_hz"] / 1e6
    console.print(
        f"[bold]{number(profile['cycles'])} cycles[/], {number(profile['instructions'])} instructions, "
        f"{profile['latency_us'] / 1000:.2f} ms on {profile['core']} at {clock:g} MHz ({profile['engine']})"
    )
    console.print(validation_line(profile))


def print_evaluation(evaluation: "Evaluation") -> None:
    """Print what qualifies an accuracy."""
    console, result = make_console(), evaluation.classification
    table = plain_table("", ">")
    low, high = result.interval_95
    table.add_row(f"accuracy in {evaluation.runtime}", f"{result.accuracy:.2%} of {result.clips} clips")
    table.add_row("95 % interval, clips as independent", f"{low:.1%} to {high:.1%}")
    if result.speaker_interval_95:
        low, high = result.speaker_interval_95
        table.add_row(f"95 % interval, {len(result.speakers)} speakers drawn anew", f"{low:.1%} to {high:.1%}")
        table.add_row("speakers", f"{min(result.speakers.values()):.1%} to {max(result.speakers.values()):.1%}")
    if evaluation.detection:
        table.add_row("equal error rate of keyword detection", f"{evaluation.detection.equal_error_rate:.2%}")
    for name, spotting in evaluation.streams.items():
        for what, point in (("one false accept per hour", spotting.at_rate(1.0)), ("as compiled", spotting.compiled)):
            table.add_row(f"{name}, {spotting.hours:.2f} h, {what}", _point(point, spotting.keywords))
    console.print(table)


def _point(point: "Point", keywords: int) -> str:
    """What a threshold makes of continuous audio."""
    said = f"threshold {point.threshold:.3f}: {point.false_accepts_per_hour:.1f} false accepts per hour"
    if point.miss_rate is not None:
        said += f", {point.miss_rate:.1%} of {keywords} keywords missed"
    if point.median_delay_s is not None and point.late_delay_s is not None:
        said += f", heard {point.median_delay_s:+.2f} s after their clip ends (95 %: {point.late_delay_s:+.2f} s)"
    return said


def print_data_report(report: "DataReport", shown: int = 5) -> None:
    """Print what `edgetx data check` found, with the first clips of each finding."""
    console = make_console()
    shortest, median, longest = report.seconds
    rates = ", ".join(f"{rate} Hz" for rate in report.rates)
    console.print(
        f"[bold]{report.folder}[/]: {report.clips} clips, {report.hours:.2f} h, {rates}; "
        f"{shortest:.2f} to {longest:.2f} s, median {median:.2f} s"
    )
    table = plain_table("class", "train>", "valid>", "test>")
    for label, counts in report.classes.items():
        table.add_row(label, *(str(counts[split]) for split in ("train", "valid", "test")))
    if report.speakers:
        table.add_row("speakers", *(str(report.speakers[split]) for split in ("train", "valid", "test")))
    console.print(table)
    for finding in report.findings:
        colour = "red" if finding.severity == "error" else "yellow"
        console.print(f"[{colour}]{finding.severity}[/] {finding.kind}: {finding.text}")
        for clip in finding.clips[:shown]:
            console.print(f"    {clip}", markup=False)
        if len(finding.clips) > shown:
            console.print(f"    and {len(finding.clips) - shown} more")
    if not report.findings:
        console.print("nothing to complain about")


def _print_measured(profile: Json, console: Console) -> None:
    """Print cycles by layer of a device, with the simulator's beside them."""
    table = plain_table("layer", "op", "device>", "simulated>", "error>", "MACs>", "cycles/MAC>")
    for layer in profile["layers"]:
        per_mac = f"{layer['cycles'] / layer['macs']:.2f}" if layer["macs"] else ""
        error = "–" if layer.get("error") is None else f"{layer['error']:+.1%}"
        counts = number(layer["cycles"]), number(layer.get("simulated_cycles")), error, number(layer["macs"]), per_mac
        table.add_row(layer["name"], layer["op"], *counts)
    console.print(table)
    clock, total = profile["clock_hz"] / 1e6, number(profile["cycles"])
    console.print(
        f"[bold]{total} cycles[/], {profile['latency_us'] / 1000:.2f} ms on {profile['core']} at {clock:g} MHz "
        f"(device, {profile['counter']})"
    )
    if profile["error"] is not None:
        console.print(f"simulated: {number(profile['simulated_cycles'])} cycles, error {profile['error']:+.1%}")
    cases = profile["comparison"]["cases"]
    console.print(f"outputs of {cases} cases equal to the host's, bit for bit")
    console.print(validation_line(profile))


def print_rows(profile: Json, by: str, console: Console | None = None) -> None:
    """Print cycles by layer, function or source line."""
    (console or make_console()).print({"layer": _layers, "function": _functions, "line": _lines}[by](profile))


def print_breakdown(profile: Json) -> None:
    """Print what the cycles of a simulated profile went to, stack and memory traffic."""
    console, cycles = make_console(), max(1, profile["cycles"])
    per_instruction = cycles / max(1, profile["instructions"])
    shares = ", ".join(f"{cause} {spent / cycles:.1%}" for cause, spent in profile["stalls"].items())
    console.print(f"{per_instruction:.3f} cycles per instruction: {shares}")
    traffic = ", ".join(
        f"{row['region']} {number(row['read_bytes'])} read, {number(row['written_bytes'])} written"
        for row in profile["memory"]
    )
    console.print(f"stack {number(profile['stack_bytes'])} bytes; memory traffic in bytes: {traffic or 'none'}")


def _layers(profile: Json) -> Table:
    table = plain_table("layer", "op", "cycles>", "share>", "MACs>", "cycles/MAC>", "instructions>")
    for layer in profile["layers"]:
        per_mac = f"{layer['cycles'] / layer['macs']:.2f}" if layer["macs"] else ""
        counts = number(layer["cycles"]), _share(profile, layer), number(layer["macs"]), per_mac
        table.add_row(layer["name"], layer["op"], *counts, number(layer["instructions"]))
    return table


def _functions(profile: Json) -> Table:
    table = plain_table("function", "cycles>", "share>", "with callees>", "calls>", "instructions>", "CPI>")
    for row in profile["functions"][:SHOWN_ROWS]:
        counts = number(row["cycles"]), _share(profile, row), number(row["total_cycles"]), number(row["calls"])
        per_instruction = f"{row['cycles'] / row['instructions']:.2f}" if row["instructions"] else ""
        table.add_row(row["name"], *counts, number(row["instructions"]), per_instruction)
    return table


def _lines(profile: Json) -> Table:
    table = plain_table("line", "cycles>", "share>")
    for row in profile["lines"][:SHOWN_ROWS]:
        table.add_row(f"{row['file']}:{row['line']}", number(row["cycles"]), _share(profile, row))
    return table


def _share(profile: Json, row: Json) -> str:
    return f"{row['cycles'] / max(1, profile['cycles']):.1%}"


def print_placement(report: Json) -> None:
    """Print the kernel of every op."""
    table = plain_table("layer", "op", "kernel", "from")
    for row in report["placement"]:
        table.add_row(row["layer"], row["op"], row["kernel"], row["folder"])
    make_console().print(table)


def print_verification(verification: Json) -> None:
    """Print how each runtime compares with the integer reference."""
    make_console().print(_verification(verification))


def print_accuracy(result: "Accuracy") -> None:
    """Print accuracy by runtime."""
    table = plain_table("runtime", "accuracy>", "inputs>")
    for runtime, accuracy in result.accuracy.items():
        table.add_row(runtime, percent(accuracy), number(result.samples[runtime]))
    make_console().print(table)


def validation_line(profile: Json) -> str:
    """How far the cycle model has been from silicon."""
    validation = profile["validation"]
    if profile["engine"] == "estimate":
        return (
            f"estimate for {profile['core']}: mean distance from the simulator {percent(validation['mape'])}, "
            f"worst {percent(validation['worst'])} over {validation['cases']} models"
        )
    if not validation["cases"]:
        basis = f"; it rests on {validation['source']}" if validation["source"] else ""
        return f"cycle model of {profile['core']}: not yet compared with silicon{basis}"
    return (
        f"cycle model of {profile['core']}: mean error {validation['mape']:.1%}, worst {validation['worst']:.1%} "
        f"over {validation['cases']} measurements ({validation['source']})"
    )


def number(value: int | None) -> str:
    """An integer with thousands separated, or a dash."""
    return "–" if value is None else f"{value:,}".replace(",", " ")


def percent(value: float | None) -> str:
    """A share with two decimals, or a dash."""
    return "–" if value is None else f"{value:.2%}"


def _stages(stages: list[Json]) -> Table:
    table = plain_table("stage", "accuracy>", "parameters>", "MACs>", "flash>", "RAM>", "cycles>")
    for stage in stages:
        keys = ("parameters", "macs", "flash_bytes", "ram_bytes", "cycles")
        table.add_row(stage["name"], percent(stage.get("accuracy")), *(number(stage.get(key)) for key in keys))
    return table


def _memory(memory: Json) -> Table:
    table = plain_table("memory", "bytes>")
    for key, value in memory.items():
        table.add_row(key.removesuffix("_bytes").replace("_", " "), number(value))
    return table


def _streaming(streaming: Json) -> Table:
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
        table.add_row("states", _states(streaming["states"]))
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


def _states(states: Json) -> str:
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


def _verification(verification: Json) -> Table:
    table = plain_table("runtime", "cases>", "differ>", "largest>", "same answer>")
    for runtime, row in verification.items():
        if row is None:
            table.add_row(runtime, "not installed: edgetx doctor")
            continue
        largest = f"{row['max_lsb']} LSB"
        table.add_row(runtime, number(row["cases"]), number(row["mismatches"]), largest, percent(row["same_top1"]))
    return table


def _lmu(lmu: Json) -> Table:
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


def _mixed(mixed: Json, shown: int = 12) -> Table:
    table = plain_table("16 bits for", "error that goes>", "cycles added>", "")
    for row in mixed["sensitivities"][:shown]:
        raised = "raised" if row["raised"] else ""
        table.add_row(", ".join(row["tensors"]), percent(row["error"]), number(row["cycles"]), raised)
    for name, key in (("none", "narrow_"), ("those raised", ""), ("all", "wide_")):
        table.add_row(name, f"{mixed[f'{key}snr_db']:.1f} dB", number(mixed[f"{key}cycles"]), "in all")
    return table


def _spikes(spikes: Json) -> Table:
    table = plain_table("layer on spikes", "firing rate>", "break-even>", "MACs>", "synaptic operations>", "kernel")
    for row in spikes["layers"]:
        kernel = "event-driven" if row["event_driven"] else "dense"
        limit = "–" if row["break_even"] is None else f"{row['break_even']:.1%}"
        counts = number(row["macs"]), number(round(row["synaptic_operations"]))
        table.add_row(row["layer"], f"{row['rate']:.1%}", limit, *counts, kernel)
    table.add_row("all", "", "", number(spikes["macs"]), number(round(spikes["synaptic_operations"])), "")
    return table


def plain_table(*columns: str) -> Table:
    """A table without lines; a column whose name ends in `>` is aligned to the right."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        justify: Literal["left", "right"] = "right" if column.endswith(">") else "left"
        table.add_column(column.removesuffix(">"), justify=justify, overflow="fold")
    return table
