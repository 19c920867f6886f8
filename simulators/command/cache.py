"""Evaluations on disk, one small file each, named by what decides them, so that no program runs twice for one result.

A file is written under another name and then renamed: processes that share the folder see whole files only.  One that is
damaged is ignored and written anew.  What was OK or INVALID is kept; what FAILED or took too long may do better next time.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from archgym.metrics import Status
from archgym.optimum import cache_folder
from simulators.command.evaluation import Evaluation, Prepared
from simulators.command.spec import Spec

FORMAT = 1
KEPT = (Status.OK, Status.INVALID)


class EvaluationCache:
    """Evaluations of one spec, by design.

    Args:
        spec: what is run; its name is a folder of the cache.
        version: of the spec and of the program, as text.
        folder: of the files; ``command`` in archgym's cache folder by default.
    """

    def __init__(self, spec: Spec, version: str, folder: Path | None = None) -> None:
        self.folder = (folder or cache_folder() / "command") / spec.name
        self._metrics = spec.metrics
        self._copies = {entry.file: _digest(entry.content) for entry in spec.inputs if entry.kind == "copy"}
        self._decided = json.dumps([FORMAT, version, *_rules(spec)], sort_keys=True)
        self._writable = True

    def key(self, values: Mapping[str, Any], prepared: Prepared) -> str:
        """SHA-256 over parameters, rendered files and commands, and all of the spec that decides a result."""
        files = {file: self._copies.get(file) or _digest(content) for file, content in prepared.inputs.items()}
        content = [self._decided, dict(values), files, prepared.commands]
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()

    def get(self, key: str) -> Evaluation | None:
        """The evaluation of a key, or None where there is none or its file is damaged."""
        try:
            entry = json.loads(self._path(key).read_bytes())
            status = Status[entry["status"]]
            metrics = {metric.name: entry["metrics"][metric.name] for metric in self._metrics} if status == Status.OK else {}
            reason, seconds = entry["reason"], entry["seconds"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        numbers = all(isinstance(value, float) and math.isfinite(value) for value in (*metrics.values(), seconds))
        if not numbers or status not in KEPT or not isinstance(reason, str) or entry.get("key") != key:
            return None
        return Evaluation(status, metrics, 1.0 if status == Status.INVALID else 0.0, reason, seconds)

    def put(self, key: str, evaluation: Evaluation) -> None:
        """Keeps an evaluation, if it is of a kind that is kept and the folder can be written."""
        if evaluation.status not in KEPT or not self._writable:
            return
        entry = {
            "key": key,
            "status": evaluation.status.name,
            "metrics": evaluation.metrics,
            "reason": evaluation.reason,
            "seconds": float(evaluation.seconds),
        }
        path = self._path(key)
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(entry))
            os.replace(temporary, path)
        except OSError:  # a full or read-only disk takes the cache away, not the results
            self._writable = False
            with suppress(OSError):
                temporary.unlink()

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _rules(spec: Spec) -> list[Any]:
    """What a spec says that decides results, but for what depends on the design; limits are left out."""
    run = spec.run
    readings = [
        [each.metric.name, each.source, each.kind, each.where, each.match, each.row, each.form, each.factor]
        for each in spec.readings
    ]
    executables = [entry.file for entry in spec.inputs if entry.executable]
    ends = [run.exit_codes, run.invalid_exit_codes, run.invalid_texts, run.failed_texts, run.leftovers]
    return [readings, executables, ends, run.set_environment]
