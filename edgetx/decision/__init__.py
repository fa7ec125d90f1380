"""From the outputs of a streaming model to events, in integers: the reference of `edgetx/decision/c`."""

from edgetx.decision.decider import Decider, Decision, Event, events, smoothed

__all__ = ["Decider", "Decision", "Event", "events", "smoothed"]
