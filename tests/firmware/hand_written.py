"""A small model written by hand in C."""

from pathlib import Path

MODEL = Path(__file__).parent / "model"
SIZE = 16
"""Bytes of its input, and of its output."""
