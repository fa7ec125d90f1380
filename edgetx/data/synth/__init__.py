"""Synthetic keywords: the user's own words, spoken by a speech synthesizer."""

from edgetx.data.synth.keywords import Synthesis, synthesize

__all__ = ["Synthesis", "synthesize"]
