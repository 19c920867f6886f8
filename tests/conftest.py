"""What tests of several folders share; makes helper modules beside the tests importable."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))


@pytest.fixture(scope="session")
def scalesim_python(request: pytest.FixtureRequest) -> Path:
    """An interpreter that has SCALE-Sim: the one that ``ARCHGYM_SCALESIM`` names, else that of an environment made here."""
    sys.path.insert(0, str(HERE.parent / "experiments"))
    import scalesim

    if "ARCHGYM_SCALESIM" in os.environ:
        return Path(os.environ["ARCHGYM_SCALESIM"])
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    try:
        return scalesim.environment(Path(request.config.cache.mkdir("scalesim")) / worker)
    except scalesim.ScaleSimError as error:
        pytest.skip(str(error))
