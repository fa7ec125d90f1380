"""`python -m edgetx`."""

from edgetx.cli import main

main(prog_name="edgetx")
