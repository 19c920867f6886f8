"""Networks by name or from files: what ``workload=`` may say."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from archgym.errors import UnknownNameError
from simulators.systolic import read_csv, read_onnx
from simulators.systolic.layers import Network

FOLDER = Path(__file__).parent / "networks"
"""One csv file for each built-in network."""


@cache
def names() -> tuple[str, ...]:
    """Names of the built-in networks."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.csv")))


def find(workload: str) -> tuple[Network, ...]:
    """The networks that a workload consists of.

    Args:
        workload: a built-in name, or the path of a ``.csv`` or ``.onnx`` file; or several of these with ``+`` between them.
            A path may have a ``+`` in it if it is the only one.

    Raises:
        UnknownNameError: neither a built-in name nor a path with one of these endings.
        WorkloadError: a file that cannot be read.
        MissingExtraError: an ONNX file, but no ``onnx`` to read it.
    """
    parts = [workload] if Path(workload).is_file() else workload.split("+")
    return tuple(_one(part.strip()) for part in parts)


def _one(part: str) -> Network:
    if part in names():
        return read_csv.read(FOLDER / f"{part}.csv")
    if part.lower().endswith(".csv"):
        return read_csv.read(part)
    if part.lower().endswith(".onnx"):
        return read_onnx.read(part).network
    raise UnknownNameError("workload", part, [*names(), "a path that ends in .csv or .onnx"], owner="systolic")
