"""Programs for 64-bit Arm Linux on simulated application cores: in order with two issue slots, or out of order."""
