"""``archgym report``: what it writes, what it serves, and what it refuses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from shell import Answer

from archgym.cli import main
from archgym.report import page

pytest.importorskip("plotly", reason="the report is drawn with plotly")


def call(capsys: pytest.CaptureFixture[str], *words: object) -> Answer:
    code = main([str(word) for word in ("report", *words)])
    captured = capsys.readouterr()
    return Answer(code, captured.out, captured.err)


def test_it_writes_one_page(sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "folder" / "r.html"
    answer = call(capsys, sweep, "-o", out)
    assert answer.code == 0 and str(out) in answer.out and " MB" in answer.out
    text = out.read_text()
    assert text.startswith("<!doctype html>") and "&lt;b&gt;agents" in text and "<b>agents" not in text
    assert "<script>alert" not in text, "names are data"
    assert [path.name for path in out.parent.iterdir()] == ["r.html"]


def test_a_second_report_replaces_the_first(sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "r.html"
    out.write_text("old")
    assert call(capsys, sweep, "-o", out).code == 0
    assert out.stat().st_size > 1e6


def test_folders_without_runs_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, tmp_path / "missing", "-o", tmp_path / "r.html").refuses("missing", "does not exist")
    (tmp_path / "empty").mkdir()
    call(capsys, tmp_path / "empty", "-o", tmp_path / "r.html").refuses("empty", "no run")
    assert not (tmp_path / "r.html").exists()


def test_outputs_that_cannot_be_written_are_refused(sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, sweep, "-o", tmp_path).refuses("is a folder", "report.html")
    (tmp_path / "file").write_text("")
    call(capsys, sweep, "-o", tmp_path / "file" / "r.html").refuses("cannot write the report")
    assert (tmp_path / "file").read_text() == ""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_is_refused(sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    call(capsys, sweep, "-o", tmp_path / "locked" / "r.html").refuses("not writable")


def test_a_full_disk_leaves_the_old_report(
    sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "r.html"
    out.write_text("old")

    def full(path: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(page.os, "replace", full)
    call(capsys, sweep, "-o", out).refuses("No space left on device")
    assert out.read_text() == "old" and [path.name for path in tmp_path.iterdir()] == ["r.html"]


def test_without_plotly_it_says_how_to_install_it(
    sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    call(capsys, sweep, "-o", tmp_path / "r.html").refuses("plotly", "archgym[report]")


def test_watching_prints_where_and_ends_with_ctrl_c(sweep: Path) -> None:
    words = [sys.executable, "-m", "archgym.cli", "report", str(sweep), "--watch"]
    child = subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        assert child.stdout is not None
        line = child.stdout.readline()
        url = next(word for word in line.split() if word.startswith("http://127.0.0.1:"))
        with urllib.request.urlopen(url, timeout=30) as answer:
            assert answer.read().startswith(b"<!doctype html>")
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
    finally:
        child.kill()
        child.wait()
    assert child.returncode == 0 and "no longer served" in out and "Traceback" not in err
