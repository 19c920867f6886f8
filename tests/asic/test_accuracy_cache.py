"""Accuracies on disk: found again, damaged ones ignored, processes do not disturb each other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from archgym.errors import LogError
from simulators.asic.accuracy.cache import AccuracyCache

KEY = {"task": "cifar10", "network": {"filters": (4, 8), "image": 16}, "rate": 4e-3, "seed": 0}


def test_what_was_kept_is_found_and_only_that(tmp_path: Path) -> None:
    cache = AccuracyCache(tmp_path / "new")
    assert cache.get(KEY) is None
    cache.put(KEY, 0.875, cpu_seconds=1.5)
    assert cache.get(KEY) == 0.875
    assert cache.get({**KEY, "network": {"image": 16, "filters": [4, 8]}}) == 0.875  # as it stands in the file
    for name, other in {"seed": 1, "rate": 5e-3, "task": "stl10", "network": {"filters": (4, 9), "image": 16}}.items():
        assert cache.get({**KEY, name: other}) is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        '{"accuracy": 0.8',
        "[]",
        '{"accuracy": 0.8}',
        '{"accuracy": 0.8, "key": {}}',
        '{"accuracy": "0.8", "key": KEY}',
        '{"accuracy": NaN, "key": KEY}',
        '{"accuracy": 1.5, "key": KEY}',
    ],
)
def test_a_damaged_file_is_ignored_and_replaced(tmp_path: Path, content: str) -> None:
    cache = AccuracyCache(tmp_path)
    cache.put(KEY, 0.5)
    kept = cache.path(KEY).read_text()
    key = kept[kept.index('"key": ') + len('"key": ') : kept.rindex("}")]
    cache.path(KEY).write_text(content.replace("KEY", key))
    assert cache.get(KEY) is None
    cache.put(KEY, 0.5)
    assert cache.get(KEY) == 0.5


def test_bytes_that_are_no_text_are_ignored(tmp_path: Path) -> None:
    cache = AccuracyCache(tmp_path)
    cache.path(KEY).write_bytes(b"\xff\xfe\x00\x80")
    assert cache.get(KEY) is None


def test_nothing_but_whole_files_is_left(tmp_path: Path) -> None:
    cache = AccuracyCache(tmp_path)
    cache.put(KEY, 0.5)
    cache.put(KEY, 0.5)
    assert list(tmp_path.iterdir()) == [cache.path(KEY)]


def test_processes_that_write_at_the_same_time_leave_sound_files(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from simulators.asic.accuracy.cache import AccuracyCache\n"
        "cache = AccuracyCache(Path(sys.argv[1]))\n"
        "for _ in range(40):\n"
        "    for seed in range(5):\n"
        "        cache.put({'seed': seed}, seed / 8)\n"
        "        assert cache.get({'seed': seed}) == seed / 8\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(2)]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert [AccuracyCache(tmp_path).get({"seed": seed}) for seed in range(5)] == [0, 0.125, 0.25, 0.375, 0.5]
    assert len(list(tmp_path.iterdir())) == 5


def test_the_folder_is_in_the_cache_of_archgym(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path))
    AccuracyCache().put(KEY, 0.5)
    assert len(list((tmp_path / "asic-accuracy").iterdir())) == 1


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LogError, match=r"cannot write the accuracy .*file"):
        AccuracyCache(tmp_path / "file").put(KEY, 0.5)
