"""The store of a sweep: a folder, or a URL of any filesystem that fsspec knows.

``sweep.json`` says what the sweep is; ``parts/`` holds the trials of complete runs, many runs of one task per Parquet file,
with the runs' summaries in the file's footer.  A part is written in one step and never changed, so whatever is readable is
complete.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec
import fsspec.implementations.local
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from archgym.dataset import SWEEP
from archgym.dataset.groups import GroupedFile
from archgym.errors import LogError
from archgym.manifest import installed_packages
from archgym.sealing import ROWS_PER_GROUP
from archgym.sweep.columns import trial_schema
from archgym.sweep.locking import HEARTBEAT_SECONDS, SweepLock
from archgym.sweep.plan import Plan
from archgym.sweep.spec import Spec, spec_from_record

PARTS = "parts"
RUNNING = "running"
RUNS_KEY = b"archgym_runs"
TASK_KEY = b"archgym_task"
FORMAT = 1
RECORD_KEYS = ("spec", "plan_digest", "tasks", "created", "history", "packages")
SUMMARY_KEYS = ("id", "task", "label", "ticket", "seed", "state")
"""Of a summary, what the store itself needs."""
READERS = 8


class Store:
    """Where a sweep's results are.

    Use ``Store.create`` to run a sweep, ``Store.open`` to read one.

    Attributes:
        location: as it was given.
        storage: the filesystem; root: the path on it.
        record: the content of sweep.json.
    """

    def __init__(self, location: str, storage: fsspec.AbstractFileSystem, root: str, record: dict[str, Any]) -> None:
        self.location, self.storage, self.root, self.record = location, storage, root, record
        self._footers: dict[str, str] = {}  # as JSON: a tenth of the memory
        self._damaged: dict[str, str] = {}
        self._last: tuple[str, pa.Table] | None = None
        self._grouped: tuple[GroupedFile, np.ndarray[Any, Any]] | None = None

    @classmethod
    def create(cls, location: str | os.PathLike[str], spec: Spec, plan: Plan, *, extend: bool = False) -> Store:
        """Starts a store, or goes on with the one that is there.

        Args:
            location: folder or URL.
            spec: what is to be run.
            plan: its runs.
            extend: whether a store of a smaller spec may become one of this spec.

        Raises:
            SpecError: the store holds another sweep; the message shows the difference.
            LogError: the place cannot be written or read.
        """
        from archgym.sweep.comparing import check_fits

        storage, root = _filesystem(location)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        content = {"format": FORMAT, "spec": spec.record(), "spec_digest": spec.digest, "runs": len(plan.unique)}
        content |= {"plan_digest": plan.digest, "tasks": plan.tasks, "packages": installed_packages()}
        if not storage.exists(f"{root}/{SWEEP}"):
            store = cls(os.fspath(location), storage, root, {**content, "created": now, "history": []})
            store._write_record()
            return store
        store = cls.open(location)
        changes = check_fits(store.record, spec, plan, extend=extend, location=store.location)
        if changes:
            history = [*store.record["history"], {"when": now, "changes": changes}]
            store.record = {**content, "created": store.record["created"], "history": history}
            store._write_record()
        return store

    @classmethod
    def open(cls, location: str | os.PathLike[str]) -> Store:
        """Opens a store to read it, also while a sweep is writing to it.

        Raises:
            LogError: no sweep there, or sweep.json cannot be read.
        """
        return cls.at(*_filesystem(location), os.fspath(location))

    @classmethod
    def at(cls, storage: fsspec.AbstractFileSystem, root: str, location: str) -> Store:
        """As ``open``, on a filesystem that is open already."""
        storage.invalidate_cache()
        path = f"{root}/{SWEEP}"
        try:
            record = json.loads(storage.cat_file(path))
        except FileNotFoundError:
            raise LogError(f"{location} holds no sweep: there is no {SWEEP} in it") from None
        except (OSError, ValueError) as error:
            raise LogError(f"{path} cannot be read: {error}") from error
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            raise LogError(f"{path} is not the record of a sweep of format {FORMAT}; another version of archgym wrote it")
        if lacking := [key for key in RECORD_KEYS if key not in record]:
            raise LogError(f"{path} is not the record of a sweep: it lacks {', '.join(lacking)}")
        return cls(location, storage, root, record)

    @staticmethod
    def lock(location: str | os.PathLike[str], heartbeat: float = HEARTBEAT_SECONDS) -> SweepLock:
        """The lock of a store that may not be there yet; to be held (``with``) from before ``create`` until the last part."""
        storage, root = _filesystem(location)
        return SweepLock(storage, root, Path(root) if _is_local(storage) else None, heartbeat)

    @property
    def local(self) -> Path | None:
        """The folder, if the store is one of this machine."""
        return Path(self.root) if _is_local(self.storage) else None

    @property
    def tasks(self) -> dict[str, dict[str, Any]]:
        """Task key -> ``archgym.manifest.describe_task``."""
        found: dict[str, dict[str, Any]] = self.record["tasks"]
        return found

    @property
    def spec(self) -> Spec:
        """The spec; errors as ``spec_from_record``."""
        return spec_from_record(self.record["spec"], self.location)

    def running(self, run: str) -> Path | None:
        """Folder for the trial log of a run that goes on; None where the store is remote."""
        return self.local / RUNNING / run if self.local else None

    # -- writing -------------------------------------------------------------------------------------------------------

    def write_part(self, task: str, summaries: Sequence[Mapping[str, Any]], trials: Sequence[pa.Table]) -> str:
        """Keeps complete runs of one task; writing the same runs again changes nothing.

        Args:
            task: the task's key.
            summaries: one per run.
            trials: one table of ``trial_schema`` per run, in the same order.

        Returns:
            The part's name.

        Raises:
            LogError: the disk is full or the place cannot be written; every part written before stays readable.
        """
        order = sorted(range(len(summaries)), key=lambda index: str(summaries[index]["id"]))
        runs = [dict(summaries[index]) for index in order]
        name = part_name(task, [run["id"] for run in runs])
        content = _encode(task, runs, [trials[index] for index in order], trial_schema(self.tasks[task]))
        self._write(f"{PARTS}/{name}.parquet", content)
        self._footers[f"{name}.parquet"] = json.dumps(runs)
        self._damaged.pop(f"{name}.parquet", None)
        return name

    def mend(self, *, thorough: bool = False) -> list[str]:
        """Moves damaged parts aside (as ``.damaged``, on this machine; elsewhere they stay) and removes unfinished files.

        Only for who holds the lock.

        Args:
            thorough: whether the trials of every part are read and checked too, which takes a second per GB or more.

        Returns:
            What was damaged, one line each.
        """
        for name, _ in self._parts():
            if thorough:
                self._read(name)
        found = [f"{name}: {reason}" for name, reason in self._damaged.items()]
        if self.local is not None:
            folder = self.local / PARTS
            for name in self._damaged:
                if (folder / name).exists():
                    os.replace(folder / name, folder / f"{name}.damaged")
            for leftover in [*folder.glob(".*.tmp"), *self.local.glob(".*.tmp")]:
                leftover.unlink(missing_ok=True)
        return found

    def _write_record(self) -> None:
        self._write(SWEEP, (json.dumps(self.record, indent=2) + "\n").encode())

    def _write(self, relative: str, content: bytes) -> None:
        target = f"{self.root}/{relative}"
        try:
            if self.local is None:
                self.storage.pipe_file(target, content)  # one object, there or not
            else:
                _replace(Path(target), content)
        except OSError as error:
            raise LogError(
                f"cannot write {target}: {error.strerror or error}. All runs kept before are readable. Free some space or "
                f"mend the folder and start the same sweep again: it goes on where it was."
            ) from error

    # -- reading -------------------------------------------------------------------------------------------------------

    def completed(self) -> set[str]:
        """Ids of all runs that are kept, failed ones included."""
        return {run["id"] for _, runs in self._parts() for run in runs}

    def summaries(self, plan: Plan | None = None) -> list[dict[str, Any]]:
        """Summaries of the runs that are kept, from the footers of the parts.

        Args:
            plan: gives one summary per planned run that is kept, in the plan's order, with its label and ticket; without
                it, one per run, sorted by task, label, ticket and seed.
        """
        found: dict[str, dict[str, Any]] = {}
        for _, runs in self._parts():
            for run in runs:
                known = found.get(run["id"])
                if known is None or (known["state"] != "finished" and run["state"] == "finished"):
                    found[run["id"]] = run
        if plan is None:
            return sorted(found.values(), key=lambda run: (run["task"], run["label"], run["ticket"], run["seed"], run["id"]))
        return [{**found[run.id], "label": run.label, "ticket": run.ticket} for run in plan.runs if run.id in found]

    def trials(self, ids: Collection[str] | None = None) -> Iterator[pa.Table]:
        """One table per kept run (of those in ``ids``), columns of ``archgym.sweep.columns.trial_schema``.

        The run's summary, as JSON, is in the schema's metadata under ``archgym_run``.
        """
        chosen = {run["id"] for run in self.summaries()} if ids is None else set(ids)
        places = self.places()
        wanted = sorted((places[run], run) for run in chosen if run in places)
        for (part, row), _ in wanted:
            table = self.run_table(part, row)
            if table is not None:
                yield table

    def places(self) -> dict[str, tuple[str, int]]:
        """Run id -> the part that its trials are in, and its row in the footer; that of a finished run where there are two."""
        found: dict[str, tuple[str, int]] = {}
        failed: set[str] = set()
        for name, runs in self._parts():
            for row, run in enumerate(runs):
                if run["id"] not in found or (run["id"] in failed and run["state"] == "finished"):
                    found[run["id"]] = (name, row)
                    (failed.discard if run["state"] == "finished" else failed.add)(run["id"])
        return found

    def run_table(self, part: str, row: int) -> pa.Table | None:
        """Trials of one run, as ``trials`` gives them; None, with a warning, where the part is damaged."""
        rows = self._run_rows(part, row)
        if rows is None:
            return None
        run = json.loads(self._footers[part])[row]
        return rows.replace_schema_metadata({b"archgym_run": json.dumps(run)})

    def run_pieces(self, part: str, row: int) -> Iterator[pa.Table]:
        """Trials of one run; of a part of many millions, a piece per row group, so that it is never in memory as a whole.

        Raises:
            LogError: the part is damaged.
        """
        path = f"{self.root}/{PARTS}/{part}"
        if self._grouped is None or self._grouped[0].path != path:
            file = GroupedFile(self.storage, path)
            numbers = [table["run"].to_numpy() for table in file.rows_of(0, file.rows, ["run"])] if file.groups > 1 else []
            self._grouped = file, np.concatenate(numbers) if numbers else np.zeros(0, np.int32)
        file, runs = self._grouped
        if file.groups > 1:
            first, last = (int(bound) for bound in np.searchsorted(runs, [row, row + 1]))
            names = [field.name for field in trial_schema(self.tasks[file.metadata[TASK_KEY].decode()])]
            yield from file.rows_of(first, last - first, names)
            return
        rows = self._run_rows(part, row)
        if rows is None:
            raise LogError(f"the trials in {path} cannot be read")
        yield rows

    def _run_rows(self, part: str, row: int) -> pa.Table | None:
        if self._last is None or self._last[0] != part:
            table = self._read(part)
            if table is None:
                return None
            self._last = (part, table)
        table = self._last[1]
        first, last = np.searchsorted(table["run"].to_numpy(), [row, row + 1])
        return table.slice(first, last - first).drop_columns(["run"])

    def _parts(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """File name and summaries of each readable part, by name."""
        folder = f"{self.root}/{PARTS}"
        self.storage.invalidate_cache(folder)
        names = []
        if self.storage.exists(folder):
            names = sorted(PurePosixPath(path).name for path in self.storage.ls(folder, detail=False))
        names = [name for name in names if name.endswith(".parquet") and not name.startswith(".")]
        new = [name for name in names if name not in self._footers and name not in self._damaged]
        with ThreadPoolExecutor(READERS) as pool:  # each footer is a request to a remote store
            for name, footer in zip(new, pool.map(self._footer, new), strict=True):
                if footer is not None:
                    self._footers[name] = footer
        for name in names:
            if name in self._footers:
                yield name, json.loads(self._footers[name])

    def _footer(self, name: str) -> str | None:
        path = f"{self.root}/{PARTS}/{name}"
        try:
            with self.storage.open(path, "rb") as file:
                metadata = parquet.read_metadata(file).metadata or {}
            if RUNS_KEY not in metadata:
                raise ValueError("it has no summaries of runs")
            text: str = metadata[RUNS_KEY].decode()
            if lacking := [key for run in json.loads(text) for key in SUMMARY_KEYS if key not in run]:
                raise ValueError(f"a summary lacks {lacking[0]}")
            return text
        except FileNotFoundError:
            return None  # moved aside in the meantime
        except (pa.ArrowException, OSError, TypeError, ValueError) as error:
            self._complain(name, error)
            return None

    def _read(self, name: str) -> pa.Table | None:
        path = f"{self.root}/{PARTS}/{name}"
        try:
            with self.storage.open(path, "rb") as file:
                return parquet.read_table(file, page_checksum_verification=True)
        except (pa.ArrowException, OSError) as error:
            self._complain(name, error)
            self._footers.pop(name, None)
            return None

    def _complain(self, name: str, error: Exception) -> None:
        self._damaged[name] = str(error)
        warnings.warn(
            f"{self.root}/{PARTS}/{name} is damaged and left out: {error}. Started again, the sweep does its runs again.",
            stacklevel=3,
        )


def part_name(task: str, ids: Sequence[str]) -> str:
    """Names a part by its runs, 32 hexadecimal digits."""
    return hashlib.sha256(json.dumps([task, sorted(ids)]).encode()).hexdigest()[:32]


def _encode(task: str, runs: list[dict[str, Any]], trials: Sequence[pa.Table], schema: pa.Schema) -> bytes:
    schema = pa.schema([pa.field("run", pa.int32()), *schema])
    tables = []
    for row, table in enumerate(trials):
        numbers = pa.repeat(pa.scalar(row, pa.int32()), table.num_rows)
        tables.append(pa.table([numbers, *(table[field.name].cast(field.type) for field in list(schema)[1:])], schema=schema))
    buffer = io.BytesIO()
    with parquet.ParquetWriter(buffer, schema, compression="zstd", compression_level=6, write_page_checksum=True) as writer:
        writer.write_table(pa.concat_tables(tables) if tables else schema.empty_table(), row_group_size=ROWS_PER_GROUP)
        writer.add_key_value_metadata({RUNS_KEY: json.dumps(runs), TASK_KEY: task})
    return buffer.getvalue()


def _replace(target: Path, content: bytes) -> None:
    """Writes a file in one step: nobody ever sees half of it, also after a power cut."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _is_local(storage: fsspec.AbstractFileSystem) -> bool:
    return isinstance(storage, fsspec.implementations.local.LocalFileSystem)


def _filesystem(location: str | os.PathLike[str]) -> tuple[fsspec.AbstractFileSystem, str]:
    try:
        storage, root = fsspec.core.url_to_fs(os.fspath(location))
    except (ImportError, ValueError) as error:
        raise LogError(f"{location} cannot be opened: {error}") from error
    return storage, root.rstrip("/")
