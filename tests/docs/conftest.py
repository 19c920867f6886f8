"""What tests of documents share with those of the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from shell import Answer

from archgym.cli import main


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Runs ``archgym WORDS`` in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> Answer:
        code = main(list(words))
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


@pytest.fixture(autouse=True, scope="session")
def _cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tables and evaluations that the pages make are not left in the user's cache, nor answered from it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARCHGYM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
