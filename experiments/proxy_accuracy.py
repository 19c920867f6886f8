"""How good a proxy of the DRAM simulator is, how fast, from what data, and whether one can search on it.

    python experiments/proxy_accuracy.py --quick                        # a few cells, seconds
    python experiments/proxy_accuracy.py --write --dramsys PROGRAM      # everything; goes on where it was interrupted

Five studies: (a) error against the number of trials, (b) diversity of their source, (c) another workload, (d) speed, (e)
search.  Every cell is appended to ``results/proxy.jsonl`` when it is done.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import proxy_cells as cells
from measuring import machine, write_block
from proxy_cells import Row
from proxy_tables import tables

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
CLASSIC = ("stream", "random", "cloud-1", "cloud-2")
MODELS = ("kernel", "forest", "boosting", "mlp")
MAIN, SIZES, LARGEST = 20_000, (1000, 100, 5000, 300), 100_000
WAYS = ("genetic", "random_walk", "proxy", "guided")
COMPARED = (("forest", "trials"), ("forest", "classes"), ("kernel", "trials"))
SOURCES = (*cells.SOURCES, "mixed")
SEEDS = 5

CELL_KEYS = ("workload", "model", "source", "equal", "way", "budget", "seed")

Cell = tuple[str, Callable[..., list[Row]], dict[str, Any]]


def plan(quick: bool, dramsys: str | None) -> list[Cell]:
    """All cells, the ones that the summary needs first."""
    if quick:
        search = {"workload": "stream", "objective": "latency_ns", "way": "guided", "budget": 80, "seed": 0}
        size = {"workload": "stream", "model": "forest", "trials": 100}
        return [("size", cells.size_cell, size), ("search", cells.search_cell, search)]
    found = [_size(workload, model, MAIN) for model in MODELS[:2] for workload in CLASSIC]
    leaking = product(MODELS[:2], CLASSIC)
    found += [("leak", cells.leak_cell, {"workload": workload, "model": model}) for model, workload in leaking]
    if dramsys:
        found.append(("dramsys", cells.dramsys_cell, {"workload": "random", "binary": dramsys}))
    found += [("speed", cells.speed_cell, {"workload": "random", "model": model}) for model in MODELS[:2]]
    for workload, way, seed in product(CLASSIC, WAYS, range(SEEDS)):
        where = {"workload": workload, "objective": "latency_ns", "way": way, "budget": 200, "seed": seed}
        found.append(("search", cells.search_cell, where))
    found += [_size(workload, model, size) for size in SIZES for model in MODELS[:2] for workload in CLASSIC]
    found += [("transfer", cells.transfer_cell, {"workload": workload, "model": "kernel"}) for workload in CLASSIC]
    found += [_size(workload, model, MAIN) for model in MODELS[2:] for workload in CLASSIC]
    found += [("speed", cells.speed_cell, {"workload": "random", "model": model}) for model in MODELS[2:]]
    for seed, workload, (model, equal), source in product(range(SEEDS), ("random", "cloud-1"), COMPARED, SOURCES):
        what = {"workload": workload, "model": model, "source": source, "equal": equal, "seed": seed}
        found.append(("diversity", cells.diversity_cell, what))
    found += [_size(workload, model, size) for size in SIZES for model in MODELS[2:] for workload in CLASSIC]
    return found + [_size(workload, model, LARGEST) for model in MODELS for workload in CLASSIC]


def _size(workload: str, model: str, trials: int) -> Cell:
    return "size", cells.size_cell, {"workload": workload, "model": model, "trials": trials}


def run(planned: Sequence[Cell], results: Path, limit_s: float) -> list[Row]:
    """Measures what is missing, and returns all rows of the planned cells."""
    done = {json.dumps(entry["cell"], sort_keys=True): entry["rows"] for entry in _read(results)}
    started = time.perf_counter()
    found: list[Row] = []
    for study, function, arguments in planned:
        cell = {"study": study, **{key: value for key, value in arguments.items() if key != "binary"}}
        key = json.dumps(cell, sort_keys=True)
        if key not in done:
            if time.perf_counter() - started > limit_s:
                continue
            done[key] = function(**arguments)
            results.parent.mkdir(parents=True, exist_ok=True)
            with results.open("a") as file:
                file.write(json.dumps({"cell": cell, "rows": done[key]}) + "\n")
            print(f"{time.perf_counter() - started:7.1f} s  {key}", flush=True)
        found += [{**cell, **row} for row in done[key]]
    return found


def missing(planned: Sequence[Cell], rows: Sequence[Row]) -> str:
    """A sentence about cells that have not been measured, empty if there are none."""
    done = {(row["study"], *(str(row[key]) for key in CELL_KEYS if key in row), _trials(row)) for row in rows}
    wanted = {
        (study, *(str(arguments[key]) for key in CELL_KEYS if key in arguments), _trials({"study": study, **arguments}))
        for study, _, arguments in planned
    }
    left = len(wanted - done)
    return f"  {left} of {len(wanted)} cells are still to be measured: the same command goes on." if left else ""


def _trials(row: Row) -> int | None:
    # The rows of the diversity study tell how many trials there were in the end; only sizes are planned by them.
    return int(row["trials"]) if row["study"] == "size" else None


def _read(results: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []


def main(words: Sequence[str] | None = None) -> int:
    """Runs the studies; with ``--write`` puts tables and figures into docs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few small cells")
    parser.add_argument("--write", action="store_true", help="write docs/proxies.md and its figures")
    parser.add_argument("--dramsys", metavar="PROGRAM", help="the DRAMSys program of the public ArchGym repository")
    parser.add_argument("--results", type=Path, default=HERE / "results" / "proxy.jsonl", help="where finished cells are kept")
    parser.add_argument("--limit", type=float, default=float("inf"), metavar="SECONDS", help="start no cell after this time")
    options = parser.parse_args(words)
    planned = plan(options.quick, options.dramsys)
    rows = run(planned, options.results, options.limit)
    text = f"Machine: {machine()}.{missing(planned, rows)}\n\n" + tables(rows)
    print(text)
    if options.write:
        from proxy_figures import draw

        draw(rows, DOCS / "figures")
        write_block(DOCS / "proxies.md", "studies", text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
