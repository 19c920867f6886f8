"""Datasets of logged trials: open, select, split and mix them, take them as arrays, describe and export them."""

from __future__ import annotations

from archgym.dataset.arrays import Arrays, Rows
from archgym.dataset.collection import Dataset
from archgym.dataset.finding import SWEEP
from archgym.dataset.runs import MemoryRun, Run

__all__ = ["SWEEP", "Arrays", "Dataset", "MemoryRun", "Rows", "Run"]
