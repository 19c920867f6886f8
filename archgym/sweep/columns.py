"""The columns of a sweep's part files: a run's trials as levels, so that twenty million of them fit in two gigabytes.

Decoded values follow from the levels and the task's space; ``decoded`` puts them back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from archgym.sealing import CODES, shared_columns
from archgym.sealing import schema as sealed_schema
from archgym.space import space_from_record
from archgym.trials import Chunk


def trial_schema(task: Mapping[str, Any]) -> pa.Schema:
    """Columns of one run's trials: trial, levels, metrics, status, reason, violation, score, batch, fidelity, cost.

    Args:
        task: ``archgym.manifest.describe_task``.
    """
    fields = [pa.field("trial", pa.int32())]
    for parameter in task["space"]["parameters"]:
        small = len(parameter["values"]) <= np.iinfo(np.int16).max
        fields.append(pa.field(f"{parameter['name']}_level", pa.int16() if small else pa.int32()))
    fields += [pa.field(metric["name"], pa.float64()) for metric in task["metrics"]]
    fields += [
        pa.field("status", CODES),
        pa.field("reason", pa.string()),
        pa.field("violation", pa.float64()),
        pa.field("score", pa.float64()),
        pa.field("batch", pa.int32()),
        pa.field("fidelity", CODES),
        pa.field("cost", pa.float64()),
    ]
    return pa.schema(fields)


def trial_table(chunks: Sequence[Chunk], task: Mapping[str, Any]) -> pa.Table:
    """A run's chunks, in order, as one table of ``trial_schema``; no chunk gives a table of no rows."""
    target = trial_schema(task)
    if not chunks:
        return target.empty_table()
    columns = shared_columns(chunks, [parameter["name"] for parameter in task["space"]["parameters"]])
    return pa.table([_as(columns[field.name], field.type) for field in target], schema=target)


def decoded(table: pa.Table, manifest: Mapping[str, Any], only: Sequence[str] | None = None) -> pa.Table:
    """Trials of ``trial_schema`` as ``archgym.sealing.schema`` has them, with values beside levels.

    The seconds of a trial are null: a sweep keeps those of whole runs only.

    Args:
        table: columns of ``trial_schema``.
        manifest: of the run.
        only: which columns, in this order; all by default.
    """
    target = sealed_schema(manifest)
    if only is not None:
        target = pa.schema([target.field(name) for name in only])
    space = space_from_record(manifest["space"])
    values: Mapping[str, Any] = {}
    if any(name in target.names for name in space.names):
        levels = [table[f"{name}_level"].to_numpy().astype(np.int32) for name in space.names]
        values = space.decode(np.stack(levels, axis=1)) if levels else {}
    columns: dict[str, Any] = {name: table[name] for name in table.column_names} | dict(values)
    unknown = pa.nulls(table.num_rows, pa.float64())
    arrays = [_as(columns.get(field.name, unknown), field.type) for field in target]
    return pa.table(arrays, schema=target.with_metadata({"archgym": json.dumps(dict(manifest))}))


def _as(values: Any, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values if values.type == kind else values.cast(kind)
    return pa.array(values, kind) if values.dtype.kind in "US" else pa.array(values).cast(kind)
