"""The datasets of a study's designs, each loaded once."""

from cnn_ablation.data import DataLocation, Dataset, load_data
from cnn_ablation.data.holding_out import held_out
from cnn_ablation.design import DataSpec


class Datasets:
    """Loads what specs name, and keeps it."""

    def __init__(self, location: DataLocation, *, progress: bool = False) -> None:
        """Names the folders; nothing is loaded yet.

        Args:
            location: where datasets lie.
            progress: whether to show what takes seconds.
        """
        self._location, self._progress = location, progress
        self._loaded: dict[DataSpec, Dataset] = {}

    def add(self, data: DataSpec, dataset: Dataset) -> None:
        """Takes a dataset that is loaded already for what a spec names."""
        self._loaded[data.loaded] = dataset

    def get(self, data: DataSpec) -> Dataset:
        """The images that a spec names.

        Raises:
            InputError: they cannot be had.
        """
        key = data.loaded
        if key not in self._loaded:
            self._loaded[key] = self._load(key)
        return self._loaded[key]

    def _load(self, data: DataSpec) -> Dataset:
        if data.validation:
            return held_out(self.get(data.replace(validation=0.0)), data.validation)
        return load_data(data, self._location, progress=self._progress)
