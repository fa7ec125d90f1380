"""Graph rewrites: one pass per file, run in the order that `pipeline` gives with its reasons."""

from edgetx.passes.base import Pass, Rule, run_passes, why_not

__all__ = ["Pass", "Rule", "run_passes", "why_not"]
