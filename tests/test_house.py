"""House rules that a linter does not know."""

from __future__ import annotations

import ast
import re
import statistics
from pathlib import Path

import pytest
from sources import ROOMS, ROOT, files, functions, module_name, tree

MOST_LINES = 400
MEDIAN_LINES = 150
TEXTS = ("README.md", "CHANGELOG.md", "Makefile", "pyproject.toml", "constraints.txt", ".ci/run")
MACHINE_PATH = re.compile(r"/(?:work|root|home|Users)/\w")
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
LEGACY_RANDOM = re.compile(r"^(?:np|numpy)\.random\.(?!default_rng|Generator|SeedSequence|PCG64|BitGenerator|mtrand)\w+$")
EVERYTHING = files(*ROOMS)
PACKAGE = files("archgym", "simulators", "agents")


def lines(path: Path) -> int:
    return len((ROOT / path).read_text().splitlines())


@pytest.mark.parametrize("path", EVERYTHING, ids=module_name)
def test_no_file_is_long(path: Path) -> None:
    assert lines(path) <= MOST_LINES


def test_most_files_are_short() -> None:
    assert statistics.median(lines(path) for path in PACKAGE) <= MEDIAN_LINES


def texts() -> list[Path]:
    pages = [path.relative_to(ROOT) for room in (*ROOMS[:-1], "docs") for path in (ROOT / room).rglob("*.md")]
    return [*EVERYTHING, *map(Path, TEXTS), *pages]


@pytest.mark.parametrize("path", texts(), ids=str)
def test_no_file_names_a_machine_or_is_unfinished(path: Path) -> None:
    for number, line in enumerate((ROOT / path).read_text().splitlines(), start=1):
        assert not MACHINE_PATH.search(line), f"{path}:{number}: {line}"
        assert not UNFINISHED.search(line), f"{path}:{number}: {line}"


@pytest.mark.parametrize("path", PACKAGE, ids=module_name)
def test_every_function_says_what_it_returns(path: Path) -> None:
    untyped = [
        f"{path}:{found.lineno} {found.name}" for found in functions(path) if found.returns is None and not compiled(found)
    ]
    assert not untyped


def compiled(function: ast.FunctionDef) -> bool:
    """Whether Numba compiles it; it finds the types itself."""
    return any("njit" in ast.unparse(decorator) for decorator in function.decorator_list)


@pytest.mark.parametrize("path", [path for path in PACKAGE if path.name != "isolation.py"], ids=module_name)
def test_no_global_random_numbers(path: Path) -> None:
    attributes = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)]
    legacy = [f"{path}:{node.lineno} {ast.unparse(node)}" for node in attributes if LEGACY_RANDOM.match(ast.unparse(node))]
    assert not legacy


@pytest.mark.parametrize("path", [path for path in files("tests") if path.name.startswith("test_")], ids=module_name)
def test_every_test_asserts(path: Path) -> None:
    helpers = frozenset(found.name for found in functions(path) if not found.name.startswith("test_") and asserts(found))
    idle = [found.name for found in functions(path) if found.name.startswith("test_") and not asserts(found, helpers)]
    assert not idle


def asserts(function: ast.FunctionDef, helpers: frozenset[str] = frozenset()) -> bool:
    """Whether it asserts, or calls something that does: ``pytest.raises``, ``check...``, ``assert...``, or a helper."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            known = name in ("raises", "warns", "run", "refuses") or name in helpers
            if known or name.startswith(("check", "assert", "expect")):
                return True
    return False


def test_the_rules_see_what_they_must() -> None:
    assert MACHINE_PATH.search("see /ro" + "ot/x") and not MACHINE_PATH.search("https://host/homepage")
    assert LEGACY_RANDOM.match("np.random.seed") and not LEGACY_RANDOM.match("np.random.default_rng")
    (idle,) = [node for node in ast.parse("def test_x():\n    print(1)").body if isinstance(node, ast.FunctionDef)]
    assert not asserts(idle)
