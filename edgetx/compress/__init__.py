"""Compression: teachers, pruning, quantization-aware training, search, and the ledger of what they cost and won."""
