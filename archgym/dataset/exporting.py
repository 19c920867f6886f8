"""Datasets as one Parquet or CSV file, written piece by piece."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import csv, parquet

from archgym.dataset.runs import Run
from archgym.dataset.tables import batches
from archgym.errors import DataError, LogError
from archgym.sealing import ROWS_PER_GROUP

if TYPE_CHECKING:
    from archgym.dataset.collection import Dataset

FORMAT = 1
COLUMNS_KEY = b"archgym"
RUNS_KEY = b"archgym_dataset"
TASK_KEYS = ("simulator", "workload", "space", "metrics", "fidelities", "objective", "budget")
RUN_KEYS = ("agent", "hyperparameters", "seed", "study", "label", "ticket", "state", "created")

MEANINGS = {
    "run": "name of the run a trial is of",
    "simulator": "name of the simulator",
    "workload": "name of the workload",
    "objective": "what the run searched for",
    "agent": "what proposed the design",
    "seed": "replicate number of the run",
    "trial": "number of the trial within its run, from 0",
    "status": "OK, INVALID (breaks a rule), FAILED, TIMEOUT or SUSPECT (outside physical bounds)",
    "reason": "why the status is not OK",
    "violation": "by how much an INVALID design breaks the rules",
    "score": "under the run's objective; larger is better; finite for every status",
    "batch": "trials of one number were proposed together",
    "fidelity": "at which the design was simulated",
    "cost": "budget units that the trial cost",
    "agent_seconds": "time the agent took for it",
    "simulator_seconds": "time the simulator took for it",
}
UNITS = {
    **{"ns": "ns", "ps": "ps", "us": "us", "ms": "ms", "s": "s", "seconds": "s", "cycles": "cycles"},
    **{"pj": "pJ", "nj": "nJ", "uj": "uJ", "mj": "mJ", "j": "J", "mw": "mW", "w": "W"},
    **{"gbps": "Gb/s", "mm2": "mm2", "um2": "um2", "bytes": "bytes", "kb": "kB", "mhz": "MHz"},
}
"""Last word of a metric's name -> its unit."""


def write_parquet(dataset: Dataset, path: str | os.PathLike[str]) -> int:
    """``Dataset.to_parquet``; errors as there."""
    target = Path(path)
    schema = plain_schema(dataset)
    counts: dict[int, int] = {}
    with _new_file(target) as temporary, parquet.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for batch in _plain(batches(dataset, ROWS_PER_GROUP, counts), schema):
            writer.write_batch(batch, row_group_size=ROWS_PER_GROUP)
        _check_any(counts)
        writer.add_key_value_metadata({RUNS_KEY: json.dumps(runs_record(dataset.runs, counts))})
    return sum(counts.values())


def write_csv(dataset: Dataset, path: str | os.PathLike[str]) -> int:
    """``Dataset.to_csv``; errors as there."""
    target = Path(path)
    schema = plain_schema(dataset)
    beside = target.with_suffix(".json")
    if beside == target or beside.exists():
        raise LogError(f"{beside} exists already, and would be written beside {target}; give another name")
    counts: dict[int, int] = {}
    with _new_file(target) as temporary, csv.CSVWriter(temporary, schema) as writer:
        for batch in _plain(batches(dataset, ROWS_PER_GROUP, counts), schema):
            writer.write_batch(batch)
        _check_any(counts)
    about = {**columns_record(dataset), **runs_record(dataset.runs, counts)}
    beside.write_text(json.dumps(about, indent=1) + "\n")
    return sum(counts.values())


def plain_schema(dataset: Dataset) -> pa.Schema:
    """The columns of an export: those of the dataset, text as plain text, each with unit and meaning in its metadata."""
    about = columns_record(dataset)
    fields = []
    for field in dataset.schema:
        kind = pa.string() if pa.types.is_dictionary(field.type) else field.type
        notes = {key: value for key, value in about["columns"][field.name].items() if key != "type" and value}
        fields.append(pa.field(field.name, kind, metadata=notes or None))
    return pa.schema(fields, metadata={COLUMNS_KEY: json.dumps(about)})


def columns_record(dataset: Dataset) -> dict[str, Any]:
    """What each column is: type, unit, meaning; for metrics whether less or more is better."""
    found: dict[str, dict[str, str]] = {}
    for run in _one_of_each(dataset.runs):
        for parameter in run.manifest["space"]["parameters"]:
            name = parameter["name"]
            found.setdefault(name, {"unit": parameter["unit"], "meaning": "design parameter"})
            found.setdefault(f"{name}_level", {"unit": "", "meaning": f"which of the levels of {name}, from 0"})
        for metric in run.manifest["metrics"]:
            notes = {"unit": metric_unit(metric["name"]), "goal": metric["goal"], "meaning": metric.get("doc", "")}
            found.setdefault(metric["name"], notes)
    columns = {}
    for field in dataset.schema:
        kind = "string" if pa.types.is_dictionary(field.type) else str(field.type)
        usual = {"unit": "s" if field.name.endswith("_seconds") else "", "meaning": MEANINGS.get(field.name, "")}
        columns[field.name] = {"type": kind, **found.get(field.name, usual)}
    return {"format": FORMAT, "columns": columns}


def metric_unit(name: str) -> str:
    """The unit that a metric's name ends with; empty where it has none."""
    return UNITS.get(name.rpartition("_")[2].lower(), "")


def runs_record(runs: Sequence[Run], counts: Mapping[int, int]) -> dict[str, Any]:
    """Tasks and runs of an export: with their trials' row numbers, enough to open it as a dataset again."""
    tasks: dict[str, int] = {}
    listed = []
    first = 0
    for index, run in enumerate(runs):
        if not counts.get(index):
            continue
        task = json.dumps({key: run.manifest.get(key) for key in TASK_KEYS})
        notes = {key: run.manifest[key] for key in RUN_KEYS if run.manifest.get(key) is not None}
        listed.append({"name": run.name, "task": tasks.setdefault(task, len(tasks)), "first": first, **notes})
        listed[-1]["rows"] = counts[index]
        first += counts[index]
    return {"format": FORMAT, "tasks": [json.loads(task) for task in tasks], "runs": listed}


def _one_of_each(runs: Sequence[Run]) -> list[Run]:
    found: dict[tuple[str, str], Run] = {}
    for run in runs:
        found.setdefault((run.manifest["simulator"]["name"], run.manifest["space"]["digest"]), run)
    return list(found.values())


def _plain(pieces: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for piece in pieces:
        columns = [column.cast(field.type) for column, field in zip(piece.columns, schema, strict=True)]
        yield pa.record_batch(columns, schema=schema)


def _check_any(counts: Mapping[int, int]) -> None:
    if not counts:
        raise DataError("this dataset has no trial, so there is nothing to export; widen the selection")


@contextmanager
def _new_file(target: Path) -> Iterator[Path]:
    """A name to write to, which becomes ``target`` when all went well; else nothing is left behind."""
    if target.exists():
        raise LogError(f"{target} exists already; remove it or give another name")
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, target)
    except (OSError, pa.ArrowException) as error:
        if isinstance(error, LogError):
            raise
        raise LogError(
            f"cannot write {target}: {error}. Nothing was left behind; free some space or mend the folder"
        ) from error
    finally:
        with suppress(OSError):  # it is gone if all went well, and never was if the folder could not be made
            temporary.unlink()
