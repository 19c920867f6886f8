"""The project's source files, as text and as syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("archgym", "simulators", "agents", "experiments", "tests")


@dataclass(frozen=True)
class Import:
    """One import statement: what it names, where it stands, and whether it runs when the file is imported."""

    module: str
    line: int
    at_import: bool

    @property
    def package(self) -> str:
        """The first part of the name."""
        return self.module.partition(".")[0]


@cache
def files(*rooms: str) -> tuple[Path, ...]:
    """Python files of the given rooms, relative to the project."""
    return tuple(sorted(path.relative_to(ROOT) for room in rooms for path in (ROOT / room).rglob("*.py")))


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse((ROOT / path).read_text(), filename=str(path))


def module_name(path: Path) -> str:
    """``archgym/cli/show.py`` -> ``archgym.cli.show``."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> list[Import]:
    """Every import of a file but those that only the type checker follows; ``from a import b`` counts as ``a.b``."""
    return list(_imports(tree(path), at_import=True))


def _imports(node: ast.AST, at_import: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(name.name, child.lineno, at_import) for name in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0 and child.module, f"line {child.lineno}: imports are absolute"
            yield from (Import(f"{child.module}.{name.name}", child.lineno, at_import) for name in child.names)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(child, at_import and not inside)


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    """Every function and method of a file."""
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef))
