"""Who may know whom: the rooms of docs/architecture.md, held by walking the syntax trees."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sources import Import, files, imports, module_name

STANDARD = sys.stdlib_module_names | {"__future__"}
LEAVES = ("errors", "space", "metrics", "pareto")  # in this order: each may import those before it
GUESTS = {  # what a file of archgym may import when it is imported, beyond the standard library, numpy and archgym
    "gymnasium": ("env", "vector_env", "marl", "hosting", "stepping", "features", "dataset"),
    "pettingzoo": ("marl",),
    "pyarrow": ("trials", "sealing", "dataset", "optimum", "tabulated", "warm_start", "sweep"),
    "fsspec": ("dataset", "sweep"),
    "typer": ("cli",),
    "rich": ("cli", "sweep"),
}
TORCH = ("archgym/dataset/tensors.py",)  # hands over what torch reads; may import it inside a function
READERS = {  # what a file of a simulator may import inside a function: libraries it reads files or objects of, or solves with
    "simulators/asic/accuracy/libraries.py": ("torch", "sklearn", "PIL"),
    "simulators/asic/hap_exact.py": ("ortools",),
    "simulators/command/edits.py": ("yaml",),
    "simulators/command/readings.py": ("jmespath",),
    "simulators/command/remote.py": ("ray",),
    "simulators/command/templates.py": ("jinja2",),
    "simulators/command/texts.py": ("yaml",),
    "simulators/command/units.py": ("pint",),
    "simulators/systolic/read_onnx.py": ("onnx",),
    "simulators/systolic/read_torch.py": ("torch",),
}
NEVER_IN_ARCHGYM = ("simulators", "agents", "experiments", "torch", "matplotlib")


def outside(path: Path) -> list[Import]:
    """Imports from beyond the standard library."""
    return [found for found in imports(path) if found.package not in STANDARD]


def complain(path: Path, found: Import) -> str:
    return f"{path}:{found.line} must not import {found.module}"


@pytest.mark.parametrize("leaf", LEAVES)
def test_a_leaf_imports_numpy_and_leaves_below_it(leaf: str) -> None:
    path = Path("archgym") / f"{leaf}.py"
    below = tuple(f"archgym.{name}." for name in LEAVES[: LEAVES.index(leaf)])
    for found in outside(path):
        assert found.package == "numpy" or found.module.startswith(below), complain(path, found)


@pytest.mark.parametrize("path", files("archgym"), ids=module_name)
def test_the_core_knows_no_simulator_and_no_agent_and_stays_light(path: Path) -> None:
    part = path.parts[1].removesuffix(".py")
    for found in outside(path):
        handed_over = found.package == "torch" and path.as_posix() in TORCH and not found.at_import
        assert handed_over or found.package not in NEVER_IN_ARCHGYM, complain(path, found)
        if found.at_import and found.package not in ("numpy", "archgym"):
            assert part in GUESTS.get(found.package, ()), complain(path, found)


@pytest.mark.parametrize("path", files("simulators"), ids=module_name)
def test_a_simulator_knows_itself_only(path: Path) -> None:
    own = f"simulators.{path.parts[1]}"
    for found in outside(path):
        allowed = found.package in ("archgym", "numpy", "numba") or f"{found.module}.".startswith(f"{own}.")
        read = found.package in READERS.get(path.as_posix(), ()) and not found.at_import
        assert allowed or read, complain(path, found)


@pytest.mark.parametrize("path", files("agents"), ids=module_name)
def test_an_agent_knows_no_simulator_and_no_other_agent(path: Path) -> None:
    for found in outside(path):
        assert found.package not in ("simulators", "experiments"), complain(path, found)
        shared = found.module.startswith("agents._")  # a file that is no agent itself
        assert found.package != "agents" or shared, complain(path, found)


@pytest.mark.parametrize("path", files("archgym", "simulators", "agents"), ids=module_name)
def test_nothing_imports_from_experiments_or_tests(path: Path) -> None:
    for found in imports(path):
        assert found.package not in ("experiments", "tests"), complain(path, found)


def test_importing_archgym_loads_nothing_heavy() -> None:
    code = "import sys, archgym; print(*sorted(name for name in sys.modules if '.' not in name))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"archgym", "gymnasium", "numpy"} <= set(loaded)
    heavy = {"torch", "ray", "sklearn", "numba", "pyarrow", "matplotlib", "pandas", "polars", "scipy", "rich", "typer"}
    assert not heavy & set(loaded)
    assert not {"simulators", "agents", "experiments"} & set(loaded)


@pytest.mark.parametrize("path", ["archgym/bad.py", "simulators/one/model.py", "agents/one.py"])
def test_the_walk_itself_finds_what_it_must(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr("sources.ROOT", tmp_path)
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(
        "import json\nfrom simulators.two import X\n\ndef f():\n    import torch\n    from agents import genetic\n"
    )
    found = [(each.module, each.at_import) for each in outside(Path(path))]
    assert found == [("simulators.two.X", True), ("torch", False), ("agents.genetic", False)]
