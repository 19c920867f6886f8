"""From logged chunks to one typed Parquet file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from archgym.metrics import Metrics, Status
from archgym.space import space_from_record
from archgym.trials import Chunk

ROWS_PER_GROUP = 131_072
CODES = pa.dictionary(pa.int8(), pa.string())


def schema(manifest: Mapping[str, Any]) -> pa.Schema:
    """Columns of a run: trial, decoded parameters, their levels, metrics, status, score, batch, fidelity, cost, seconds.

    Units of parameters and the manifest itself are in the schema's metadata.
    """
    space = space_from_record(manifest["space"])
    fields = [pa.field("trial", pa.int64())]
    for parameter in space.parameters:
        values = space.decode(np.zeros((1, space.dimensions), np.int32))[parameter.name]
        kind = pa.string() if values.dtype.kind == "U" else pa.from_numpy_dtype(values.dtype)
        fields.append(pa.field(parameter.name, kind, metadata={"unit": parameter.unit}))
    fields += [pa.field(f"{parameter.name}_level", pa.int32()) for parameter in space.parameters]
    fields += [pa.field(m["name"], pa.float64(), metadata={"goal": m["goal"]}) for m in manifest["metrics"]]
    fields += [
        pa.field("status", CODES),
        pa.field("reason", pa.string()),
        pa.field("violation", pa.float64()),
        pa.field("score", pa.float64()),
        pa.field("batch", pa.int64()),
        pa.field("fidelity", CODES),
        pa.field("cost", pa.float64()),
        pa.field("agent_seconds", pa.float64()),
        pa.field("simulator_seconds", pa.float64()),
    ]
    return pa.schema(fields, metadata={"archgym": json.dumps(dict(manifest))})


def to_table(chunks: Sequence[Chunk], manifest: Mapping[str, Any]) -> pa.Table:
    """Chunks as one Arrow table; no chunk gives a table of no rows."""
    target = schema(manifest)
    if not chunks:
        return target.empty_table()
    space = space_from_record(manifest["space"])
    # Seconds of a chunk are shared out evenly, so that a column's sum is the time that was spent.
    columns = shared_columns(chunks, space.names) | {
        **space.decode(np.concatenate([chunk.designs for chunk in chunks])),
        "agent_seconds": spread(chunks, [chunk.agent_seconds / max(len(chunk), 1) for chunk in chunks]),
        "simulator_seconds": spread(chunks, [chunk.simulator_seconds / max(len(chunk), 1) for chunk in chunks]),
    }
    return pa.table([pa.array(columns[field.name], field.type) for field in target], schema=target)


def spread(chunks: Sequence[Chunk], values: Sequence[Any]) -> NDArray[Any]:
    """One value per chunk as one per trial."""
    return np.repeat(np.array(values), [len(chunk) for chunk in chunks])


def shared_columns(chunks: Sequence[Chunk], parameters: Sequence[str]) -> dict[str, Any]:
    """The columns that the log of a run and the part of a sweep both have: trial, levels, metrics, status to cost.

    Args:
        chunks: at least one, in order.
        parameters: names of the space.
    """
    designs = np.concatenate([chunk.designs for chunk in chunks])
    metrics = Metrics.concatenate([chunk.metrics for chunk in chunks])
    reasons = pa.nulls(len(metrics), pa.string())
    if metrics.reasons:
        reasons = pa.array([metrics.reasons.get(row) for row in range(len(metrics))], pa.string())
    return {
        "trial": np.arange(chunks[0].first, chunks[0].first + len(designs)),
        **{f"{name}_level": np.ascontiguousarray(designs[:, i]) for i, name in enumerate(parameters)},
        **metrics.columns,
        "status": pa.DictionaryArray.from_arrays(pa.array(metrics.status.astype(np.int8)), [s.name for s in Status]),
        "reason": reasons,
        "violation": metrics.violation,
        "score": np.concatenate([chunk.scores for chunk in chunks]),
        "batch": spread(chunks, [chunk.batch for chunk in chunks]),
        "fidelity": pa.array(spread(chunks, [chunk.fidelity for chunk in chunks])).cast(CODES),
        "cost": spread(chunks, [chunk.cost for chunk in chunks]),
    }


def seal(chunks: Iterable[Chunk], manifest: Mapping[str, Any], path: Path) -> None:
    """Writes all chunks as Parquet under a temporary name, syncs, renames; memory does not grow with the run's length."""
    temporary = path.with_name(path.name + ".tmp")
    pending: list[Chunk] = []
    rows = 0
    with parquet.ParquetWriter(temporary, schema(manifest), compression="zstd") as writer:
        for chunk in chunks:
            pending.append(chunk)
            rows += len(chunk)
            if rows >= ROWS_PER_GROUP:
                writer.write_table(to_table(pending, manifest))
                pending, rows = [], 0
        if pending:
            writer.write_table(to_table(pending, manifest))
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(temporary, path)
