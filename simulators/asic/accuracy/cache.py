"""Accuracies on disk, one small file each, so that a network is trained once.

A file is named by a digest of what decides the result and repeats it in full.  It is written under another name and then
renamed: processes that share the folder see whole files only, and of two that train the same network at the same time the
later one replaces an equal result.  A file that is damaged or answers another question is ignored and written anew.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archgym.errors import LogError
from archgym.optimum import cache_folder


class AccuracyCache:
    """Accuracies by key: a mapping of names to numbers, texts, and lists or mappings of these."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    @property
    def folder(self) -> Path:
        """Where the files are: as given, or ``asic-accuracy`` in archgym's cache folder."""
        return self._folder or cache_folder() / "asic-accuracy"

    def path(self, key: Mapping[str, Any]) -> Path:
        """The file of a key."""
        return self.folder / f"{hashlib.sha256(_text(key).encode()).hexdigest()}.json"

    def get(self, key: Mapping[str, Any]) -> float | None:
        """The accuracy of a key, or None where there is none or its file is damaged."""
        try:
            entry = json.loads(self.path(key).read_text())
            accuracy, found = entry["accuracy"], entry["key"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        sound = isinstance(accuracy, float) and math.isfinite(accuracy) and 0 <= accuracy <= 1
        return accuracy if sound and found == json.loads(_text(key)) else None

    def put(self, key: Mapping[str, Any], accuracy: float, **remarks: Any) -> None:
        """Keeps an accuracy.

        Args:
            key: what decides it.
            accuracy: from 0 to 1.
            remarks: what else to write into the file, for readers.

        Raises:
            LogError: the folder cannot be written.
        """
        path = self.path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp", delete=False) as file:
                json.dump({"accuracy": accuracy, "key": dict(key), **remarks}, file, indent=1)
            os.replace(file.name, path)
        except OSError as error:
            raise LogError(f"asic: cannot write the accuracy {path}: {error.strerror or error}") from error


def _text(key: Mapping[str, Any]) -> str:
    return json.dumps(key, sort_keys=True)
