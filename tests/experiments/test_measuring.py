"""Reports of the measuring experiments and the blocks that they write."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))

from measuring import Report, machine, write_block

TEXT = "# Title\n<!-- speed:begin -->\nold\n<!-- speed:end -->\nrest\n"


def test_block_is_replaced(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(TEXT)
    for _ in range(2):
        write_block(readme, "speed", "new")
        assert readme.read_text() == TEXT.replace("old", "new")


def test_missing_block_is_said(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(TEXT)
    with pytest.raises(ValueError, match="expected the lines <!-- fidelity:begin -->"):
        write_block(readme, "fidelity", "new")
    assert readme.read_text() == TEXT


def test_markdown():
    report = Report("title", Path("README.md"), ("trace", "ms"), [("random", "0.4")], ("A note.",))
    assert report.markdown() == "| trace | ms |\n| --- | ---: |\n| random | 0.4 |\n\n* A note."


def test_machine_names_no_computer():
    assert "Python" in machine() and "numba" in machine() and "/" not in machine()
