"""The guard against stale compiled kernels."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from archgym import kernels
from archgym.kernels import fresh_cache


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    (folder / "sub" / "__pycache__").mkdir(parents=True)
    (folder / "kernel.py").write_text("A = 1\n")
    (folder / "sub" / "rules.py").write_text("B = 2\n")
    return folder


def compiled(folder: Path) -> list[Path]:
    paths = [folder / "sub" / "__pycache__" / f"rules.f-1.py311.{ending}" for ending in ("nbi", "1.nbc")]
    for path in paths:
        path.write_bytes(b"machine code")
    return paths


def test_removes_kernels_of_unknown_origin_and_keeps_fresh_ones(package: Path) -> None:
    unknown = compiled(package)
    assert fresh_cache(package)
    assert not any(path.exists() for path in unknown)
    fresh = compiled(package)
    assert not fresh_cache(package)
    assert all(path.exists() for path in fresh)


def test_a_change_in_any_source_below_removes_all_kernels(package: Path) -> None:
    fresh_cache(package)
    for change in ("B = 3\n", "B = 2\n"):  # forth and back: it is the content that counts, not a time stamp
        stale = compiled(package)
        (package / "sub" / "rules.py").write_text(change)
        assert fresh_cache(str(package))
        assert not any(path.exists() for path in stale)


@pytest.mark.parametrize("action", ["added", "removed", "renamed"])
def test_a_source_that_comes_or_goes_counts_as_a_change(package: Path, action: str) -> None:
    fresh_cache(package)
    if action == "added":
        (package / "new.py").write_text("")
    elif action == "removed":
        (package / "kernel.py").unlink()
    else:
        (package / "kernel.py").rename(package / "other.py")
    assert fresh_cache(package)
    assert not fresh_cache(package)


def test_leaves_sources_and_other_files_alone(package: Path) -> None:
    (package / "table.csv").write_text("1,2\n")
    fresh_cache(package)
    left = sorted(path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file())
    assert left == ["__pycache__/kernels.sha256", "kernel.py", "sub/rules.py", "table.csv"]


def test_a_folder_that_cannot_be_written_is_no_error(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = compiled(package)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr(Path, "unlink", refuse)
    monkeypatch.setattr(kernels, "_write", refuse)
    assert fresh_cache(package)
    assert all(path.exists() for path in stale)


def test_two_processes_at_once(package: Path) -> None:
    script = (
        "import sys, pathlib; from archgym.kernels import fresh_cache\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "for i in range(200):\n"
        "    (folder / '__pycache__' / 'kernels.sha256').unlink(missing_ok=True)\n"
        "    fresh_cache(folder)\n"
    )
    command = [sys.executable, "-c", script, str(package)]
    (package / "__pycache__").mkdir()
    running = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]
    errors = [process.communicate(timeout=60)[1] for process in running]
    assert errors == [b"", b""]
    assert fresh_cache(package) in (True, False)
    assert not fresh_cache(package)


def test_imports_nothing_but_the_standard_library() -> None:
    source = Path(kernels.__file__).read_text()
    imports = {line.split()[1].split(".")[0] for line in source.splitlines() if line.startswith(("import", "from"))}
    assert imports <= set(sys.stdlib_module_names) | {"__future__"}
