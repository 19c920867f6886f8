"""What the tests of examples/ share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test is answered from what an earlier one evaluated."""
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path / "cache"))
