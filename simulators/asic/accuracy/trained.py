"""Accuracy by real training on generated pictures (``digits.py``): the default.

A search asks for hundreds of networks, so what is trained is a *stand-in*: the network at a reduced resolution and, for
classification, a reduced width.  The cost model prices the network itself, at full size.  The settings below were fixed
before any search used them.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from time import process_time
from typing import Any

from simulators.asic.accuracy import digits
from simulators.asic.accuracy.cache import AccuracyCache
from simulators.asic.accuracy.digits import Scene, pictures
from simulators.asic.accuracy.interface import check_task
from simulators.asic.accuracy.libraries import require
from simulators.asic.accuracy.training import Examples, Recipe, train_and_score
from simulators.asic.description import Description, ResNet9


@dataclass(frozen=True)
class Setting:
    """How a task is played with digits.

    Attributes:
        scene: what the pictures look like.
        train: number of pictures to learn from.
        test: number of held-out pictures.
        recipe: how a stand-in is trained.
        narrowing: a stand-in has this fraction of the filters; 1 for all of them.
    """

    scene: Scene
    train: int
    test: int
    recipe: Recipe
    narrowing: int = 1


_CLASSIFY = Recipe("adamw", 4e-3, epochs=6, batch=64)
SETTINGS = {
    "cifar10": Setting(Scene(16, (9, 16)), 2800, 800, _CLASSIFY, narrowing=2),
    "stl10": Setting(Scene(32, (18, 32)), 2800, 800, _CLASSIFY, narrowing=4),  # five halvings need 32 pixels
    "nuclei": Setting(Scene(32, (9, 16), most=3), 300, 150, Recipe("sgd", 0.1, epochs=8, batch=16)),
}

DATA_SEED = 0  # all networks learn from the same pictures and are scored on the same ones


class Trained:
    """Trains stand-ins from scratch, on one thread; remembers results on disk.

    Args:
        cache: folder of the results; by default one in archgym's cache folder.

    Raises:
        MissingExtraError: torch, scikit-learn or Pillow is not installed.
    """

    name = "trained"
    label = "trained at reduced size on digits pasted on photographs"

    def __init__(self, cache: Path | None = None) -> None:
        require("torch", "sklearn", "PIL")
        self.cache = AccuracyCache(cache)

    @property
    def identity(self) -> str:
        """Changes with the pictures and the recipes."""
        settings = repr((digits.VERSION, DATA_SEED, sorted(SETTINGS.items())))
        return f"{self.name}-{hashlib.sha256(settings.encode()).hexdigest()[:16]}"

    def evaluate(self, task: str, description: Description, seed: int) -> float:
        """As ``interface.Accuracy``: accuracy of the network's stand-in on generated pictures.

        Raises:
            UnknownNameError: no such task.
            WorkloadError: a network that is not of the task's kind, or has more blocks or levels than its pictures allow.
            LogError: the cache cannot be written.
        """
        return self.train(task, stand_in(task, description), seed)

    def train(self, task: str, network: Description, seed: int) -> float:
        """Accuracy of a network as it is, at the size of the task's generated pictures; errors as of ``evaluate``."""
        check_task(task, network)
        key = _key(task, network, seed)
        known = self.cache.get(key)
        if known is not None:
            return known
        start = process_time()
        train, test = examples(task, "train"), examples(task, "test")
        accuracy = train_and_score(network, train, test, SETTINGS[task].recipe, seed)
        self.cache.put(key, accuracy, cpu_seconds=round(process_time() - start, 2))
        return accuracy


def stand_in(task: str, description: Description) -> Description:
    """The network that is trained in place of another one.

    Raises:
        UnknownNameError: no such task.
        WorkloadError: a network that is not of the task's kind, or has more blocks or levels than its pictures allow.
    """
    check_task(task, description)
    setting = SETTINGS[task]
    if not isinstance(description, ResNet9):
        return replace(description, image=setting.scene.side)
    stem, *filters = (max(1, width // setting.narrowing) for width in (description.stem, *description.filters))
    return replace(description, stem=stem, filters=tuple(filters), image=setting.scene.side)


@cache
def examples(task: str, part: str) -> Examples:
    """The generated pictures of a task.

    Args:
        task: ``cifar10``, ``stl10`` or ``nuclei``.
        part: ``train`` or ``test``.

    Raises:
        MissingExtraError: scikit-learn or Pillow is not installed.
    """
    setting = SETTINGS[task]
    made = pictures(setting.scene, setting.train if part == "train" else setting.test, part, DATA_SEED)
    return Examples(made.images, made.masks if task == "nuclei" else made.labels)


def _key(task: str, network: Description, seed: int) -> dict[str, Any]:
    pictures_key = {"version": digits.VERSION, "seed": DATA_SEED}
    architecture = {"kind": type(network).__name__, **asdict(network)}
    setting = asdict(replace(SETTINGS[task], narrowing=1))  # it has been applied already
    return {"task": task, "network": architecture, "setting": setting, "pictures": pictures_key, "seed": seed}
