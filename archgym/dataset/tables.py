"""Runs of several kinds as one table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from archgym.dataset.runs import Run
from archgym.errors import ArgumentError, LogError
from archgym.sealing import schema as run_schema

if TYPE_CHECKING:
    from archgym.dataset.collection import Dataset
    from archgym.dataset.view import View

LABELS = ("run", "simulator", "workload", "objective", "agent", "seed")


def unified(runs: Sequence[Run]) -> pa.Schema:
    """Columns that the trials of all runs fit into.

    Raises:
        LogError: runs use one column name for numbers and for text.
    """
    labels = pa.schema([pa.field(name, pa.int64() if name == "seed" else pa.string()) for name in LABELS])
    kinds: dict[str, pa.Schema] = {}
    for run in runs:
        key = json.dumps([run.manifest["space"]["digest"], [metric["name"] for metric in run.manifest["metrics"]]])
        if key not in kinds:
            kinds[key] = run_schema(run.manifest).remove_metadata()
    try:
        return pa.unify_schemas([labels, *kinds.values()], promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
        raise LogError(f"these runs do not fit into one table: {error}. Open the runs of each simulator apart.") from error


def batches(dataset: View, rows: int, counts: dict[int, int] | None = None) -> Iterator[pa.RecordBatch]:
    """``Dataset.batches``; ``counts`` is told how many trials of each run, by index, have been read."""
    if isinstance(rows, bool) or not isinstance(rows, int) or rows < 1:
        raise ArgumentError(f"rows must be a whole number from 1, got {rows!r}")
    target = dataset.schema
    pending: list[pa.Table] = []
    count = 0
    for index, _, batch in dataset.scan(rows=rows):
        pending.append(_labelled(batch, dataset.runs[index].manifest, dataset.runs[index].name, target))
        count += batch.num_rows
        if counts is not None:
            counts[index] = counts.get(index, 0) + batch.num_rows
        while count >= rows:
            whole = pa.concat_tables(pending)
            yield _one_batch(whole.slice(0, rows))
            pending, count = [whole.slice(rows)], count - rows
    if count:
        yield _one_batch(pa.concat_tables(pending))


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    (batch,) = table.combine_chunks().unify_dictionaries().to_batches()
    return batch


def _labelled(batch: pa.RecordBatch, manifest: Mapping[str, Any], run: str, target: pa.Schema) -> pa.Table:
    labels = {
        "run": run,
        "simulator": manifest["simulator"]["name"],
        "workload": manifest["workload"]["name"],
        "objective": manifest["objective"],
        "agent": manifest["agent"],
        "seed": manifest["seed"],
    }
    columns = []
    for field in target:
        if field.name in labels:
            columns.append(pa.repeat(pa.scalar(labels[field.name], field.type), batch.num_rows))
        elif field.name in batch.schema.names:
            column = batch.column(field.name)
            columns.append(column if column.type == field.type else column.cast(field.type))
        else:
            columns.append(pa.nulls(batch.num_rows, field.type))
    return pa.table(columns, schema=target)


def join(dataset: Dataset, others: Sequence[Dataset]) -> Dataset:
    """``Dataset.join``."""
    everything = [dataset, *others]
    for other in others:
        if other._where != dataset._where:
            raise ArgumentError("datasets that were selected by different statuses or fidelities cannot be joined; join first")
    runs = [run for each in everything for run in each.runs]
    kept = [positions for each in everything for positions in each._kept]
    return type(dataset)(runs, kept, dataset._where)
