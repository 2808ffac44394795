"""Datasets: TFDS's builders, folders and split syntax on one side, plain arrays on the other.

An image's way: an original archive (`sources`, `idx`), encoded and prepared by TFDS (`png`,
`builders`, `preparing`), read back (`prepared`, `decoding`), kept as an array (`cache`) and
selected (`splits`). `loading` walks it from the end, and goes back no further than it must.
Datasets of a user's own are arrays from the start: registered (`registered`), or files that a path
names (`own_files`: `folder`, `archive`).
"""

from cnn_ablation.data.dataset import Dataset, LabeledImages
from cnn_ablation.data.loading import describe_data, describe_dataset, load_data, load_dataset
from cnn_ablation.data.location import DataLocation
from cnn_ablation.data.registered import given_arrays, register_dataset, use_dataset

__all__ = [
    "DataLocation",
    "Dataset",
    "LabeledImages",
    "describe_data",
    "describe_dataset",
    "given_arrays",
    "load_data",
    "load_dataset",
    "register_dataset",
    "use_dataset",
]
