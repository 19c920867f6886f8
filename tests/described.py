"""A small described simulator, for tests that run over everything that is registered."""

from __future__ import annotations

from typing import Any

from sources import ROOT

SMALL = str(ROOT / "tests/command/small/small.toml")
NEEDED: dict[str, dict[str, Any]] = {"command": {"spec": SMALL}}
"""Arguments without which a simulator cannot be built."""
NEEDED_BY_ENVIRONMENT: dict[str, dict[str, Any]] = {"archgym/Command-v0": {"spec": SMALL, "cache": False}}
