"""A proxy on disk: ONNX files and one JSON manifest that vouches for them.  Nothing is ever unpickled."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archgym.errors import ProxyError
from archgym.manifest import describe_simulator
from archgym.simulator import Simulator

MANIFEST = "proxy.json"
FORMAT = 1
_NEEDED = ("format", "simulator", "workload", "space", "predicts", "model", "coverage", "report", "files", "digest")


def write_proxy(folder: Path, record: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Writes files and manifest; the manifest comes last, so that a folder with one is whole.

    Raises:
        ProxyError: the folder holds another proxy, or cannot be written.
    """
    if (folder / MANIFEST).exists():
        raise ProxyError(f"{folder} already holds a proxy. Give this one a folder of its own.")
    content = {"format": FORMAT, **record, "files": {name: _digest(data) for name, data in files.items()}}
    content["digest"] = manifest_digest(content)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        temporary = folder / (MANIFEST + ".tmp")
        temporary.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")
        os.replace(temporary, folder / MANIFEST)
    except OSError as error:
        raise ProxyError(f"cannot write the proxy in {folder}: {error.strerror or error}") from error


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest, checked against its own digest.

    Raises:
        ProxyError: there is none, it is not that of a proxy, or it was changed after it had been written.
    """
    try:
        content = json.loads((folder / MANIFEST).read_text())
    except FileNotFoundError:
        raise ProxyError(f"{folder} holds no proxy: there is no {MANIFEST} in it") from None
    except (OSError, ValueError) as error:
        raise ProxyError(f"{folder / MANIFEST} cannot be read: {error}. Train the proxy anew.") from error
    lacking = [key for key in _NEEDED if key not in content] if isinstance(content, dict) else list(_NEEDED)
    if lacking:
        raise ProxyError(f"{folder / MANIFEST} is not the manifest of a proxy: it lacks {', '.join(lacking)}")
    if content["format"] != FORMAT:
        raise ProxyError(f"{folder}: this version of archgym reads proxies of format {FORMAT}, got {content['format']!r}")
    if content["digest"] != manifest_digest(content):
        raise ProxyError(
            f"{folder / MANIFEST} was changed after the proxy had been saved: its digest does not fit. "
            f"Restore the file or train the proxy anew."
        )
    return dict(content)


def read_file(folder: Path, manifest: Mapping[str, Any], name: str) -> bytes:
    """One of the files, checked against the manifest.

    Raises:
        ProxyError: it is missing, truncated or another file.
    """
    try:
        data = (folder / name).read_bytes()
    except OSError as error:
        raise ProxyError(f"{folder / name} cannot be read: {error.strerror or error}") from error
    if _digest(data) != manifest["files"].get(name):
        raise ProxyError(
            f"{folder / name} is not the file that was saved with this proxy: it was truncated, changed or exchanged "
            f"({len(data):,} bytes; its SHA-256 does not fit). Copy it again or train the proxy anew."
        )
    return data


def check_simulator(folder: Path, manifest: Mapping[str, Any], simulator: Simulator) -> None:
    """Holds a simulator against the one that the proxy was trained on.

    Raises:
        ProxyError: names every difference.
    """
    here = describe_simulator(simulator)
    pairs = {
        "simulator": (manifest["simulator"]["name"], here["simulator"]["name"]),
        "version": (manifest["simulator"]["version"], here["simulator"]["version"]),
        "space": (_space(manifest["space"]), _space(here["space"])),
        "workload": (_workload(manifest["workload"]), _workload(here["workload"])),
    }
    differences = [f"{part} {trained}, not {given}" for part, (trained, given) in pairs.items() if trained != given]
    arguments, given = manifest["simulator"]["arguments"], here["simulator"]["arguments"]
    if not differences and arguments != given:
        changed = sorted(key for key in {*arguments, *given} if arguments.get(key) != given.get(key))
        differences = [f"{key}={arguments.get(key)!r}, not {given.get(key)!r}" for key in changed]
    if differences:
        raise ProxyError(f"{folder}: this proxy was trained on {'; '.join(differences)}. Train one for what is asked for.")


def manifest_digest(content: Mapping[str, Any]) -> str:
    """SHA-256 over everything in a manifest but the digest itself."""
    rest = {key: value for key, value in content.items() if key != "digest"}
    return _digest(json.dumps(rest, sort_keys=True).encode())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _space(record: Mapping[str, Any]) -> str:
    return f"{record['name']} ({record['digest'][:12]})"


def _workload(record: Mapping[str, Any]) -> str:
    return f"{record['name']} ({record['digest'][:12]})"
