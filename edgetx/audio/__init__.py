"""Audio in: clips, data sets of clips, and the front end that turns them into model inputs."""

from edgetx.audio.clip import read_clip, read_folder
from edgetx.audio.dataset import SPLITS, Dataset, count_folds, load_dataset, load_npz, load_recordings
from edgetx.audio.frontend import extract

__all__ = [
    "SPLITS",
    "Dataset",
    "count_folds",
    "extract",
    "load_dataset",
    "load_npz",
    "load_recordings",
    "read_clip",
    "read_folder",
]
