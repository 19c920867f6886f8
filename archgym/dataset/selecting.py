"""Which runs and trials a selection keeps, which trials are of the same design, and how sources are mixed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from archgym.dataset.runs import Run
from archgym.errors import ArgumentError, DataError, UnknownNameError
from archgym.metrics import Status
from archgym.space import Designs, DesignSpace

Positions = NDArray[np.int64]
"""Row numbers within a run, ascending."""

OF_A_RUN: Mapping[str, Callable[[Run], str]] = {
    "simulator": lambda run: str(run.manifest["simulator"]["name"]),
    "workload": lambda run: str(run.manifest["workload"]["name"]),
    "objective": lambda run: str(run.manifest["objective"]),
    "agent": lambda run: str(run.manifest["agent"]),
    "run": lambda run: run.name,
}
"""What a run is selected by."""

WORD_BITS = 62


def choose_runs(runs: Sequence[Run], wanted: Mapping[str, Iterable[str] | str | None]) -> list[int]:
    """Indices of the runs that have one of the wanted values in each respect (a key of ``OF_A_RUN``).

    Raises:
        UnknownNameError: no run has that value; names the nearest one.
    """
    chosen = list(range(len(runs)))
    for respect, values in wanted.items():
        if values is None:
            continue
        found = {index: OF_A_RUN[respect](run) for index, run in enumerate(runs)}
        names = as_names(values)
        for name in sorted(names):
            if name not in found.values():
                raise UnknownNameError(respect, name, sorted(set(found.values())), owner="this dataset")
        chosen = [index for index in chosen if found[index] in names]
    return chosen


def as_names(values: Iterable[Any] | Any) -> frozenset[str]:
    """One name or several, as a set; members of ``Status`` count by their names."""
    several = [values] if isinstance(values, str | Status) else list(values)
    return frozenset(value.name if isinstance(value, Status) else str(value) for value in several)


def check_statuses(names: frozenset[str]) -> None:
    """Raises ``UnknownNameError`` unless every name is one of ``Status``."""
    known = [status.name for status in Status]
    for name in sorted(names):
        if name not in known:
            raise UnknownNameError("status", name, known)


def passing(batch: pa.RecordBatch, where: Mapping[str, frozenset[str]]) -> NDArray[np.bool_]:
    """(n,) bool, which rows have one of the wanted values in each column."""
    keep = np.ones(batch.num_rows, bool)
    for column, names in where.items():
        values = batch.column(column)
        known = values.dictionary.to_pylist() if isinstance(values, pa.DictionaryArray) else None
        if known is None:
            keep &= np.isin(np.array(values.to_pylist()), sorted(names))
        else:
            keep &= np.array([name in names for name in known], bool)[values.indices.to_numpy(zero_copy_only=False)]
    return keep


def levels(batch: pa.RecordBatch, space: DesignSpace) -> Designs:
    """Designs of a batch, (n, D) int32.

    Raises:
        DataError: levels that the space does not have.
    """
    columns = [batch.column(f"{name}_level").to_numpy(zero_copy_only=False) for name in space.names]
    designs = np.stack(columns, axis=1).astype(np.int32) if columns else np.zeros((batch.num_rows, 0), np.int32)
    if designs.size and ((designs < 0).any() or (designs >= space.nvec).any()):
        raise DataError(f"{space.name}: the log holds levels that its own manifest does not know; the file is damaged")
    return designs


def words(space: DesignSpace, designs: Designs) -> NDArray[np.int64]:
    """Designs as (n, W) numbers, equal where the designs are; W is 1 where a design's levels fit into 62 bits."""
    places = _places(space)
    packed = np.zeros((len(designs), places[-1][0] + 1 if places else 1), np.int64)
    for column, (word, shift, _) in enumerate(places):
        packed[:, word] |= designs[:, column].astype(np.int64) << shift
    return packed


def unpack(space: DesignSpace, packed: NDArray[np.int64]) -> Designs:
    """Inverse of ``words``."""
    designs = np.zeros((len(packed), space.dimensions), np.int32)
    for column, (word, shift, bits) in enumerate(_places(space)):
        designs[:, column] = (packed[:, word] >> shift) & ((1 << bits) - 1)
    return designs


def _places(space: DesignSpace) -> list[tuple[int, int, int]]:
    """Per parameter its word, the bit at which its level begins there, and how many bits it takes."""
    places: list[tuple[int, int, int]] = []
    word = shift = 0
    for count in space.nvec:
        bits = int(count - 1).bit_length()
        if shift + bits > WORD_BITS:
            word, shift = word + 1, 0
        places.append((word, shift, bits))
        shift += bits
    return places


def number(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers equal rows alike: the first row of each kind, in the kinds' own order, and the number of each row."""
    flat = keys[:, 0] if keys.shape[1] == 1 else np.ascontiguousarray(keys).view([("", np.int64)] * keys.shape[1])[:, 0]
    _, first, inverse = np.unique(flat, return_index=True, return_inverse=True)
    return first.astype(np.int64), inverse.reshape(-1).astype(np.int64)


def problem(manifest: Mapping[str, Any]) -> str:
    """What decides the metrics of a design: simulator, version, arguments, workload and space; equal text, equal problem."""
    simulator = manifest["simulator"]
    arguments = {name: value for name, value in simulator["arguments"].items() if name != "workload"}
    content = [simulator["name"], simulator["version"], arguments, manifest["workload"]["digest"], manifest["space"]["digest"]]
    return json.dumps(content, sort_keys=True)


def shares_of_rows(shares: Mapping[str, float], available: Mapping[str, int], rows: int | None) -> dict[str, int]:
    """How many trials each source gives.

    Args:
        shares: source -> share of the rows; they sum to 1.
        available: source -> trials there are.
        rows: how many in all; as many as there are enough trials for by default.

    Raises:
        ArgumentError: shares that are not positive or do not sum to 1; rows that are no number from 1.
        UnknownNameError: no trial is of that source.
        DataError: a source has too few trials.
    """
    shares = dict(sorted(shares.items()))  # so that the order in which they are named does not matter
    if not shares or any(not share > 0 for share in shares.values()) or abs(sum(shares.values()) - 1) > 1e-6:
        raise ArgumentError(f"shares must be positive numbers that sum to 1, got {dict(shares)}")
    for source in shares:
        if source not in available:
            raise UnknownNameError("agent", source, sorted(available), owner="this dataset")
    if rows is None:
        rows = min(int(available[source] / share) for source, share in shares.items())
    if isinstance(rows, bool) or not isinstance(rows, int | np.integer) or rows < 1:
        raise ArgumentError(f"rows must be a whole number from 1, got {rows!r}")
    exact = np.array([share * rows for share in shares.values()])
    counts = np.floor(exact + 1e-9).astype(int)
    counts[np.argsort(counts - exact, kind="stable")[: rows - counts.sum()]] += 1  # largest remainders
    wanted = dict(zip(shares, counts.tolist(), strict=True))
    for source, count in wanted.items():
        if count > available[source]:
            raise DataError(
                f"a mix of {rows:,} trials with a share of {shares[source]:g} from {source} needs {count:,} trials of it, "
                f"there are {available[source]:,}; take fewer rows or another share"
            )
    return wanted
