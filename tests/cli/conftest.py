"""What the tests of the command line share: calling it in this process, and running it as a process of its own."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from shell import Answer

from archgym.cli import main


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Runs ``archgym WORDS`` in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> Answer:
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts ``archgym WORDS`` as a process; whatever still runs at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: object, file_limit: int | None = None, **environment: str) -> subprocess.Popen[str]:
        def prepare() -> None:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a background job of a shell ignores it, and children inherit that
            if file_limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))

        arguments: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": tmp_path}
        child = subprocess.Popen(
            [sys.executable, "-m", "archgym.cli", *map(str, words)],
            preexec_fn=prepare,
            env={**os.environ, **environment},
            **arguments,
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()
