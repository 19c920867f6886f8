"""What the tests of examples/ share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from sources import ROOT

sys.path.insert(0, str(ROOT / "experiments"))

import scalesim


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test is answered from what an earlier one evaluated."""
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def scalesim_python(request: pytest.FixtureRequest) -> Path:
    """The interpreter that ``ARCHGYM_SCALESIM`` names, else that of the environment which the live tests of systolic make."""
    if "ARCHGYM_SCALESIM" in os.environ:
        return Path(os.environ["ARCHGYM_SCALESIM"])
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    try:
        return scalesim.environment(Path(request.config.cache.mkdir("scalesim")) / worker)
    except scalesim.ScaleSimError as error:
        pytest.skip(str(error))
