"""How good a classifier is, and how sure one may be of it."""

from edgetx.evaluation.classification import Classification, classify
from edgetx.evaluation.detection import Curve, detection_curve, keywords_of
from edgetx.evaluation.intervals import bootstrap_interval, wilson_interval
from edgetx.evaluation.spotting import Event, Spotting, spot

__all__ = [
    "Classification",
    "Curve",
    "Event",
    "Spotting",
    "bootstrap_interval",
    "classify",
    "detection_curve",
    "keywords_of",
    "spot",
    "wilson_interval",
]
