"""Trials as a torch dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.dataset.arrays import take_arrays
from archgym.errors import DataError, MissingExtraError, UnknownNameError
from archgym.space import Designs, DesignSpace

if TYPE_CHECKING:
    from archgym.dataset.collection import Dataset

ENCODINGS = ("one_hot", "unit", "levels")


def to_torch(dataset: Dataset, metrics: Sequence[str] | None, encoding: str, negatives: bool) -> Any:
    """``Dataset.to_torch``; errors as there."""
    if encoding not in ENCODINGS:
        raise UnknownNameError("encoding", encoding, ENCODINGS)
    try:
        import torch
        from torch.utils.data import TensorDataset
    except ImportError:
        raise MissingExtraError("Dataset.to_torch", "torch", "rl") from None
    found = take_arrays(dataset, metrics)
    targets = np.stack(list(found.metrics.values()), axis=1).astype(np.float32)
    priced = np.asarray(np.isfinite(targets).all(axis=1) & (found.status == 0))
    if not negatives and not priced.any():
        raise DataError(f"none of these {len(priced):,} trials is OK, so there is no target to learn")
    rows = np.ones(len(priced), bool) if negatives else priced
    inputs = encode(dataset.runs[0].space, found.designs[rows], encoding)
    tensors = [torch.from_numpy(inputs), torch.from_numpy(targets[rows])]
    if negatives:
        tensors.append(torch.from_numpy(priced))
    return TensorDataset(*tensors)


def encode(space: DesignSpace, designs: Designs, encoding: str) -> NDArray[np.float32]:
    """(N, K) float32: levels one-hot, as middles of equal cells of [0, 1], or as they are."""
    if encoding == "one_hot":
        return space.one_hot(designs)
    return np.asarray(space.to_unit(designs) if encoding == "unit" else designs, np.float32)
