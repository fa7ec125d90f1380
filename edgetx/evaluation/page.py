"""An evaluation as one HTML page beside its plots."""

from collections.abc import Mapping, Sequence
from html import escape

from edgetx.evaluation.classification import Classification
from edgetx.evaluation.detection import Curve
from edgetx.evaluation.spotting import Spotting

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222; }
table { border-collapse: collapse; margin: 1em 0; } td, th { padding: .2em .8em; border-bottom: 1px solid #ddd; }
td:not(:first-child), th:not(:first-child) { text-align: right; } th { text-align: left; }
img { max-width: 100%; } .note { color: #666; }
"""
_CAPTIONS = {
    "confusion": "Labels (rows) and answers (columns)",
    "speakers": "Accuracy by speaker; the dashed line is the mean over clips",
    "det": "Detection error trade-off on clips",
    "roc": "Receiver operating characteristic on clips",
    "stream": "Keyword spotting on continuous audio: misses, and how early a keyword is heard",
}
_RATES = (0.0, 0.5, 1.0, 5.0)


def write_page(
    title: str,
    facts: Mapping[str, str],
    result: Classification,
    curve: Curve | None,
    streams: Sequence[tuple[str, Spotting]],
    plots: Sequence[str],
) -> str:
    """The page as text.

    Args:
        title: Name of the model.
        facts: What was evaluated: runtime, data, split.
        result: Accuracy and what qualifies it.
        curve: Detection of keywords on clips, if there are keywords.
        streams: Detection on recordings, by name.
        plots: Files of the plots, beside the page.
    """
    parts = [f"<h1>{escape(title)}</h1>", _table(("", ""), [*facts.items(), *_summary(result, curve)])]
    classes = [
        (name, str(score.clips), _percent(score.recall), _percent(score.precision))
        for name, score in result.classes.items()
    ]
    parts += ["<h2>Classes</h2>", _table(("class", "clips", "recall", "precision"), classes)]
    for name, spotting in streams:
        parts += [f"<h2>Continuous audio: {escape(name)}</h2>", _stream(spotting)]
    parts += [f"<h3>{_CAPTIONS[_kind(plot)]}</h3><img src='{escape(plot)}' alt='{_kind(plot)}'>" for plot in plots]
    body = "\n".join(parts)
    head = f"<meta charset='utf-8'><title>{escape(title)}</title><style>{_STYLE}</style>"
    return f"<!doctype html>\n<html lang='en'><head>{head}</head>\n<body>\n{body}\n</body></html>\n"


def _summary(result: Classification, curve: Curve | None) -> list[tuple[str, str]]:
    low, high = result.interval_95
    rows = [("accuracy", f"{result.accuracy:.2%} of {result.clips} clips")]
    rows.append(("95 % interval, clips as independent", f"{low:.1%} to {high:.1%}"))
    if result.speaker_interval_95:
        low, high = result.speaker_interval_95
        rows.append((f"95 % interval, {len(result.speakers)} speakers drawn anew", f"{low:.1%} to {high:.1%}"))
        worst = min(result.speakers, key=result.speakers.__getitem__)
        spread = f"{min(result.speakers.values()):.1%} ({worst}) to {max(result.speakers.values()):.1%}"
        rows.append(("speakers", spread))
    if curve:
        rows.append(("equal error rate of keyword detection", f"{curve.equal_error_rate:.2%}"))
    return rows


def _stream(spotting: Spotting) -> str:
    points = [(f"{rate:g}, at most", spotting.at_rate(rate)) for rate in _RATES]
    points.append((f"{spotting.compiled.false_accepts_per_hour:.1f}, as compiled", spotting.compiled))
    rows = [
        (name, f"{p.threshold:.4f}", _percent(p.miss_rate), _seconds(p.median_delay_s), _seconds(p.late_delay_s))
        for name, p in points
    ]
    note = f"<p class='note'>{spotting.hours:.2f} h with {spotting.keywords} keywords.</p>"
    head = ("false accepts per hour", "threshold", "keywords missed", "delay after the clip, median", "95 %")
    return note + _table(head, rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{f'<tr>{top}</tr>' if any(head) else ''}{body}</table>"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:+.2f} s"


def _kind(plot: str) -> str:
    return plot.removesuffix(".png").split("_")[0]
