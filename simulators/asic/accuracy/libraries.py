"""The optional libraries of the evaluators, imported when they are first needed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from archgym.errors import MissingExtraError

EXTRA = "asic"
PACKAGES = {"torch": "torch", "sklearn": "scikit-learn", "PIL": "pillow"}


def require(*modules: str) -> None:
    """Looks whether libraries are installed, without importing them.

    Args:
        modules: keys of ``PACKAGES``.

    Raises:
        MissingExtraError: one is not installed.
    """
    for module in modules:
        if find_spec(module) is None:
            raise MissingExtraError("asic: training networks (accuracy='surrogate' does without)", PACKAGES[module], EXTRA)


def import_torch() -> Any:
    """PyTorch.

    Raises:
        MissingExtraError: it is not installed.
    """
    require("torch")
    import torch

    return torch


def import_pillow() -> Any:
    """Pillow's module ``Image``.

    Raises:
        MissingExtraError: it is not installed.
    """
    require("PIL")
    from PIL import Image

    return Image


def import_sklearn_datasets() -> Any:
    """The images that scikit-learn ships; it reads the photographs with Pillow.

    Raises:
        MissingExtraError: scikit-learn or Pillow is not installed.
    """
    require("sklearn", "PIL")
    from sklearn import datasets

    return datasets
