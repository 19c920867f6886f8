"""What an accuracy evaluator is, and which tasks there are."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from archgym.errors import ArchGymError, UnknownNameError, WorkloadError
from simulators.asic.description import Description, ResNet9, UNet

TASKS: dict[str, type[ResNet9] | type[UNet]] = {"cifar10": ResNet9, "stl10": ResNet9, "nuclei": UNet}
"""Backbone of each task: two classifications, scored by the share of right answers, and a segmentation, scored by mean IoU."""


class ImageDataError(ArchGymError, ValueError):
    """A folder of images that is missing, is laid out otherwise than its format says, or holds a damaged file."""


@runtime_checkable
class Accuracy(Protocol):
    """Says how accurate a network is on a task.

    An evaluator is made once and asked many times; results may be remembered.
    """

    @property
    def name(self) -> str:
        """One word: ``trained``, ``directory`` or ``surrogate``."""
        ...

    @property
    def label(self) -> str:
        """What kind of accuracy this is; stands beside every result in logs and plots."""
        ...

    @property
    def identity(self) -> str:
        """Changes whenever results may change; for the digest of a workload."""
        ...

    def evaluate(self, task: str, description: Description, seed: int) -> float:
        """Accuracy of a network, from 0 to 1.

        Args:
            task: ``cifar10``, ``stl10`` or ``nuclei``.
            description: the network, at the size the cost model sees.
            seed: of the first weights and the order of images (of the noise, for a surrogate); the same seed gives the same
                accuracy.

        Raises:
            UnknownNameError: no such task.
            WorkloadError: a network that is not of the task's kind.
        """
        ...


def check_task(task: str, description: Description) -> None:
    """Refuses a task that does not exist or a network of the wrong kind.

    Raises:
        UnknownNameError: no such task.
        WorkloadError: a network that is not of the task's kind.
    """
    if task not in TASKS:
        raise UnknownNameError("task", task, TASKS, "asic accuracy")
    if not isinstance(description, TASKS[task]):
        raise WorkloadError(f"asic accuracy: task {task!r} expects a {TASKS[task].__name__}, got {description}")
