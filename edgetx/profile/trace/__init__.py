"""The trace engine: counts the edges between the blocks that the emulator executes."""
