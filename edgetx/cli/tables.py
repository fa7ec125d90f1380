"""Reports as tables for people."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from edgetx.cli.cells import make_console, number, percent, plain_table
from edgetx.cli.stream_tables import lmu_table, spikes_table, states_table, streaming_table

if TYPE_CHECKING:
    from edgetx.compiler.evaluation import Accuracy
    from edgetx.compiler.evaluation_report import Evaluation
    from edgetx.data.check import Report as DataReport
    from edgetx.evaluation.spotting import Point

Json = Mapping[str, Any]
SHOWN_ROWS = 30


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
        console.print(streaming_table(report["streaming"]))
        if report["streaming"]["states"]:
            console.print(states_table(report["streaming"]["states"]["kept"]))
    if report.get("lmu"):
        console.print(lmu_table(report["lmu"]))
    if report.get("mixed"):
        console.print(_mixed(report["mixed"]))
    if report.get("spikes"):
        console.print(spikes_table(report["spikes"]))
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


def _verification(verification: Json) -> Table:
    table = plain_table("runtime", "cases>", "differ>", "largest>", "same answer>")
    for runtime, row in verification.items():
        if row is None:
            table.add_row(runtime, "not installed: edgetx doctor")
            continue
        largest = f"{row['max_lsb']} LSB"
        table.add_row(runtime, number(row["cases"]), number(row["mismatches"]), largest, percent(row["same_top1"]))
    return table


def _mixed(mixed: Json, shown: int = 12) -> Table:
    table = plain_table("16 bits for", "error that goes>", "cycles added>", "")
    for row in mixed["sensitivities"][:shown]:
        raised = "raised" if row["raised"] else ""
        table.add_row(", ".join(row["tensors"]), percent(row["error"]), number(row["cycles"]), raised)
    for name, key in (("none", "narrow_"), ("those raised", ""), ("all", "wide_")):
        table.add_row(name, f"{mixed[f'{key}snr_db']:.1f} dB", number(mixed[f"{key}cycles"]), "in all")
    return table
