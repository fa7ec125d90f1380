"""Data sets made, fetched and checked: folders of audio with a split.csv, ready for training."""
