"""Accuracy by training the networks themselves on CIFAR-10, STL-10 and Nuclei, from a folder that the user gives."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

from archgym.errors import WorkloadError
from simulators.asic.accuracy.cache import AccuracyCache
from simulators.asic.accuracy.data_sets import CIFAR10_SIDE, CLASSES, READERS, STL10_SIDE, Parts, check_folder
from simulators.asic.accuracy.interface import check_task
from simulators.asic.accuracy.libraries import require
from simulators.asic.accuracy.training import Recipe, train_and_score
from simulators.asic.description import Description, ResNet9

RECIPES = MappingProxyType(
    {
        "cifar10": Recipe("adamw", 4e-3, epochs=20, batch=128, flips=True),
        "stl10": Recipe("adamw", 4e-3, epochs=40, batch=64, flips=True),
        "nuclei": Recipe("sgd", 0.1, epochs=40, batch=16, flips=True),
    }
)
"""Customary ones; none has been tuned on these data sets."""

_SIDES = {"cifar10": CIFAR10_SIDE, "stl10": STL10_SIDE}


class Directory:
    """Trains full-size networks on published data sets; remembers results on disk.

    Args:
        folder: holds what the published archives unpack to (``data_sets.py``); only what a task needs has to be there.
        recipes: of each task.
        device: ``cpu`` (one thread: hours for a network of CIFAR-10) or ``cuda``.
        cache: folder of the results; by default one in archgym's cache folder.

    Raises:
        ImageDataError: the folder is missing, or holds none of the data sets.
        MissingExtraError: torch or Pillow is not installed.
    """

    name = "directory"

    def __init__(
        self,
        folder: Path | str,
        recipes: Mapping[str, Recipe] = RECIPES,
        device: str = "cpu",
        cache: Path | None = None,
    ) -> None:
        require("torch", "PIL")
        check_folder(Path(folder))
        self.folder, self.recipes, self.device = Path(folder), dict(recipes), device
        self.cache = AccuracyCache(cache)
        self._read: dict[tuple[str, int], tuple[Parts, str]] = {}

    @property
    def label(self) -> str:
        """Says where the images come from."""
        return f"trained on the data sets in {self.folder.name}"

    @property
    def identity(self) -> str:
        """Changes with the recipes and the device; which images were used is known only once they are read."""
        settings = repr((sorted(self.recipes.items()), self.device))
        return f"{self.name}-{hashlib.sha256(settings.encode()).hexdigest()[:16]}"

    def evaluate(self, task: str, description: Description, seed: int) -> float:
        """As ``interface.Accuracy``: accuracy on held-out images of the task's data set.

        Raises:
            UnknownNameError: no such task.
            WorkloadError: a network that is not of the task's kind, or whose images are not of the data set's size.
            ImageDataError: the task's folder or a file of it is missing, damaged or of another format.
            ArgumentError: a GPU is asked for and there is none.
            LogError: the cache cannot be written.
        """
        check_task(task, description)
        _check_size(task, description)
        (train, test), digest = self._images(task, description.image)
        key = {
            "task": task,
            "network": {"kind": type(description).__name__, **asdict(description)},
            "recipe": asdict(self.recipes[task]),
            "images": digest,
            "device": self.device,
            "seed": seed,
        }
        known = self.cache.get(key)
        if known is not None:
            return known
        accuracy = train_and_score(description, train, test, self.recipes[task], seed, self.device)
        self.cache.put(key, accuracy)
        return accuracy

    def _images(self, task: str, side: int) -> tuple[Parts, str]:
        """Images of a task and a digest of them, read once."""
        if (task, side) not in self._read:
            parts = READERS[task](self.folder, side)
            digest = hashlib.sha256()
            for array in (array for part in parts for array in (part.images, part.targets)):
                digest.update(array)
            self._read[task, side] = parts, digest.hexdigest()
        return self._read[task, side]


def _check_size(task: str, description: Description) -> None:
    side = _SIDES.get(task, description.image)
    classes = description.classes if isinstance(description, ResNet9) else CLASSES
    if (description.image, description.channels, classes) != (side, 3, CLASSES):
        raise WorkloadError(
            f"asic accuracy: the images of {task!r} have 3 channels of {side} pixels and {CLASSES} classes; "
            f"{description} expects {description.channels} channels of {description.image} pixels and {classes} classes"
        )
