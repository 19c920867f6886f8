"""Gathers what a report is about: the summaries of sweeps, and of runs that were logged one by one."""

from __future__ import annotations

import os
import platform
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from archgym.errors import ArchGymError, LogError

if TYPE_CHECKING:
    from archgym.sweep.store import Store

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Material:
    """Everything a page is made from.

    Attributes:
        name: heading of the page.
        summaries: of all runs.
        tasks: task key -> ``archgym.manifest.describe_task``, as far as known.
        about: "protocol", "sources" and "machine", each name -> value.
        notes: further sentences for the summary.
    """

    name: str
    summaries: Sequence[Record]
    tasks: Mapping[str, Record] = field(default_factory=dict)
    about: Mapping[str, Record] = field(default_factory=dict)
    notes: Sequence[str] = ()


class NothingYetError(LogError):
    """A sweep without a finished run."""


def read_material(paths: Sequence[str | os.PathLike[str]]) -> Material:
    """Reads sweeps and runs.

    Args:
        paths: folders or URLs; each a sweep, or a folder with runs at or below it.

    Raises:
        NothingYetError: sweeps, but no run of theirs is finished.
        LogError: nothing there, or files that are damaged.
    """
    if not paths:
        raise LogError("a report needs at least one folder of a sweep or of runs, got none")
    summaries: dict[tuple[str, ...], Record] = {}
    tasks: dict[str, Record] = {}
    names: list[str] = []
    protocol: dict[str, Any] = {}
    sources: dict[str, Any] = {}
    machine: dict[str, Any] = {}
    notes: list[str] = []
    for path in paths:
        text = os.fspath(path)
        name, found, described, record, troubles = _read(text)
        notes += troubles
        names.append(name)
        for run in found:
            summaries[str(run["id"]), str(run["label"]), str(run["ticket"])] = run
        tasks.update(described)
        spec = record.get("spec", {})
        protocol.update(spec.get("protocol") or {})
        sources[text] = f"{len(found):,} runs" + (f" of {record['runs']:,} planned" if "runs" in record else "")
        if len(found) < int(record.get("runs", 0)):
            notes.append(f"{name} is not complete: {len(found):,} of {record['runs']:,} planned runs are there.")
        machine.update(record.get("packages", {}))
        if record.get("created"):
            sources[f"{name} begun"] = record["created"]
        for change in record.get("history", ()):
            sources[f"{name} extended"] = change.get("when", "")
    if not summaries:
        raise NothingYetError(f"{', '.join(names)}: no run is finished yet, so there is nothing to report")
    runs = list(summaries.values())
    hosts = sorted({str(run["host"]) for run in runs if run.get("host")})
    machine = {"reported on": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}", **machine}
    if hosts:
        machine["runs executed on"] = ", ".join(hosts[:10]) + (f" and {len(hosts) - 10} more" if len(hosts) > 10 else "")
    about = {"protocol": protocol, "sources": sources, "machine": machine}
    return Material(", ".join(dict.fromkeys(names)), runs, tasks, about, notes)


def fingerprint(paths: Sequence[str | os.PathLike[str]]) -> object:
    """Changes when the files below the paths do: names, sizes and times, without reading them."""
    import fsspec

    found = []
    for path in paths:
        storage, root = fsspec.core.url_to_fs(os.fspath(path))
        storage.invalidate_cache()
        for name, entry in sorted(storage.find(root, detail=True).items()):
            if "/lock" in name or ".tmp" in name:  # a sweep's heartbeat changes nothing that is shown
                continue
            found.append((name, entry.get("size"), str(entry.get("mtime") or entry.get("LastModified") or "")))
    return tuple(found)


def _read(path: str) -> tuple[str, list[Record], Mapping[str, Record], Record, list[str]]:
    """Name, summaries, tasks, record and troubles of one folder."""
    from archgym.dataset import SWEEP
    from archgym.sweep.store import Store

    if _exists(path, SWEEP):
        store = Store.open(path)
        with warnings.catch_warnings(record=True) as troubles:
            warnings.simplefilter("always")
            summaries = _labelled(store)
        name = str(store.record.get("spec", {}).get("name") or PurePosixPath(path).name)
        said = list(dict.fromkeys(f"Left out: {trouble.message}." for trouble in troubles))
        return name, summaries, store.tasks, store.record, said
    from archgym.report.plain_runs import read_runs

    runs, tasks = read_runs(path)
    packages = next(iter(tasks.values())).get("packages", {}) if tasks else {}
    return PurePosixPath(path).name or path, list(runs), tasks, {"packages": packages}, []


def _labelled(store: Store) -> list[Record]:
    """The runs under the labels of the plan: one that stands under two labels is seen under both."""
    from archgym.sweep.plan import make_plan

    try:
        plan = make_plan(store.spec)
    except ArchGymError:  # an agent or simulator that is not installed here; runs keep the label they were executed under
        plan = None
    return list(store.summaries(plan))


def _exists(path: str, name: str) -> bool:
    import fsspec

    storage, root = fsspec.core.url_to_fs(path)
    return bool(storage.exists(f"{root}/{name}"))
