"""What the tests of the report share: a real small sweep, and a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, chromium
from small_sweep import SPEC, write_runs

from archgym.sweep.plan import Plan, make_plan
from archgym.sweep.spec import spec_from_record
from archgym.sweep.store import Store


@pytest.fixture(scope="module")
def begin(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Path, Store, Plan]]:
    """Makes the store of an empty sweep."""

    def make(**changes: Any) -> tuple[Path, Store, Plan]:
        folder = tmp_path_factory.mktemp("sweep") / "out"
        spec = spec_from_record({**SPEC, **changes}, "test")
        plan = make_plan(spec)
        return folder, Store.create(folder, spec, plan), plan

    return make


@pytest.fixture(scope="module")
def sweep(begin: Callable[..., tuple[Path, Store, Plan]]) -> Path:
    """The folder of a complete small sweep."""
    folder, store, plan = begin()
    assert write_runs(store, plan) == 10
    return folder


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """A headless Chromium; tests skip where there is none."""
    program = chromium()
    if program is None:
        pytest.skip("there is no Chromium on this machine")
    with Browser(program, tmp_path / "profile") as opened:
        yield opened
