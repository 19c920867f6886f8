"""What a described simulator costs beyond its program's own time, and what thousands of evaluations leave behind.

An evaluation by ``simulators/command`` and the program alone, started by ``posix_spawn`` and waited for, take turns, so that
both see the same machine.  The overhead is the difference of their times at the same quantile.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from measuring import Report
from numpy.typing import NDArray

from archgym.registry import make_simulator
from archgym.simulator import Simulator
from simulators.command.scratch import room

DESIGNS = 1024
QUANTILES = (0.05, 0.5, 0.99)
"""The first is nearest to what a machine without other work gives, the last is what a search may meet."""
SILENT = """
name = "silent"
[[parameters]]
name = "size"
range = {from = 1, to = 1024, step = 1}
[run]
command = ["/bin/true", "{{ size }}"]
[[metrics]]
name = "latency"
value = "size * 2"
"""
ORDINARY = """
name = "ordinary"
[[parameters]]
name = "size"
range = {from = 1, to = 1024, step = 1}
[[inputs]]
file = "design.json"
text = '{"memory": {"rows": {{ size }}, "power": 1.5}}'
[run]
command = ["/bin/cat", "design.json"]
[[metrics]]
name = "power_mw"
source = "design.json"
path = "memory.power"
[[metrics]]
name = "rows"
source = "stdout"
pattern = '"rows": (\\d+)'
"""


def simulator_of(folder: Path, spec: str, cache: bool) -> Simulator:
    """The simulator of a spec that is written into a folder."""
    path = folder / "spec.toml"
    path.write_text(spec)
    return make_simulator(str(path), cache=cache)


def alone(command: Sequence[str], folder: Path) -> None:
    """Runs a program as cheaply as it can be run from Python, with its output in a file."""
    output = (os.POSIX_SPAWN_OPEN, 1, str(folder / "output"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.waitpid(os.posix_spawn(command[0], command, {}, file_actions=[output]), 0)


def taking_turns(calls: Sequence[Callable[[int], object]], turns: int) -> NDArray[np.float64]:
    """Milliseconds of each call in each turn, (calls, turns)."""
    times = np.zeros((len(calls), turns))
    for turn in range(turns):
        for row, call in enumerate(calls):
            start = perf_counter()
            call(turn)
            times[row, turn] = 1e3 * (perf_counter() - start)
    return times


def overhead(name: str, spec: str, command: Sequence[str], turns: int) -> tuple[str, ...]:
    """One line of the table: the evaluation, and what the program alone does not take, at each quantile."""
    with tempfile.TemporaryDirectory() as folder:
        simulator = simulator_of(Path(folder), spec, cache=False)
        words = [word.replace("design.json", f"{folder}/design.json") for word in command]
        (Path(folder) / "design.json").write_text('{"memory": {"rows": 1, "power": 1.5}}')
        simulator.evaluate([[0]])  # starts the lane
        times = taking_turns([lambda turn: alone(words, Path(folder)), lambda turn: price(simulator, turn)], turns)
        simulator.close()
    bare, whole = (np.quantile(row, QUANTILES) for row in times)
    return (name, *(cell for low, high in zip(bare, whole, strict=True) for cell in (f"{high:.2f}", f"{high - low:.2f}")))


def price(simulator: Simulator, turn: int) -> None:
    """Evaluates one design, which must be OK."""
    result = simulator.evaluate([[turn % DESIGNS]])
    if not result.ok.all():
        raise RuntimeError(f"{simulator.name}: {result.reasons}")


def recalled(turns: int) -> tuple[str, ...]:
    """One line of the table: a design that the cache on disk knows."""
    with tempfile.TemporaryDirectory() as folder:
        before = os.environ.get("ARCHGYM_CACHE")
        os.environ["ARCHGYM_CACHE"] = folder
        try:
            simulator = simulator_of(Path(folder), ORDINARY, cache=True)
            price(simulator, 0)
            (times,) = taking_turns([lambda turn: price(simulator, 0)], turns)
            simulator.close()
        finally:
            os.environ.pop("ARCHGYM_CACHE") if before is None else os.environ.update(ARCHGYM_CACHE=before)
    return ("known to the cache", *(cell for time in np.quantile(times, QUANTILES) for cell in (f"{time:.2f}", "")))


def left_behind(evaluations: int) -> list[str]:
    """What many evaluations leave behind, and the processor time they take from this process and from the lane."""
    with tempfile.TemporaryDirectory() as folder:
        simulator = simulator_of(Path(folder), SILENT, cache=False)
        price(simulator, 0)
        before, begin, lane_begin = remains(), process_time(), lane_seconds()
        for turn in range(evaluations):
            price(simulator, turn)
        after, mine, lanes = remains(), process_time() - begin, lane_seconds() - lane_begin
        simulator.close()
    found = [late - early for early, late in zip(before, after, strict=True)]
    each = [f"{1e3 * seconds / evaluations:.2f} ms" for seconds in (mine, lanes)]
    return [
        f"After {evaluations:,} evaluations of /bin/true, one after the other, there are {found[0]} processes, {found[1]} "
        f"descriptors and {found[2]} files and folders of scratch more than before.",
        f"Processor time of each of these, which other work on the machine hardly moves: {each[0]} in archgym, {each[1]} in "
        "the lane; the program's own is not counted.",
    ]


def family() -> set[int]:
    """This process and all below it."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()[1:]]
    mine = {os.getpid()}
    while found := {pid for pid, parent in pairs if parent in mine} - mine:
        mine |= found
    return {pid for pid in mine if Path(f"/proc/{pid}/fd").exists()}


def remains() -> tuple[int, int, int]:
    """Processes below this one, descriptors of them and of this one, and files and folders of scratch."""
    alive = family()
    return len(alive), sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in alive), len(list(room().rglob("*")))


def lane_seconds() -> float:
    """Processor time of all processes below this one."""
    return sum(1e-9 * int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in family() - {os.getpid()})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of this section."""
    parser.add_argument("--turns", type=int, default=2000, help="evaluations per line")
    parser.add_argument("--evaluations", type=int, default=10_000, help="that should leave nothing behind")


def measure(options: argparse.Namespace) -> Report:
    """All figures."""
    load = os.getloadavg()[0]
    rows = [
        overhead("no input, no output", SILENT, ["/bin/true", "1"], options.turns),
        overhead("a template, a JSON file and a pattern", ORDINARY, ["/bin/cat", "design.json"], options.turns),
        recalled(options.turns),
    ]
    notes = [
        "Milliseconds of wall time of one design, one lane, at the 5th, 50th and 99th of 100. *Overhead*: the evaluation "
        "minus the program alone, started by `posix_spawn` and waited for.",
        f"Other work on the machine: a load average of {load:.1f} on {os.cpu_count()} cores before it began.",
        *left_behind(options.evaluations),
    ]
    marks = [f"p{100 * quantile:.0f}" for quantile in QUANTILES]
    columns = ("design", *(f"{what}, {mark}" for mark in marks for what in ("evaluation", "overhead")))
    readme = Path(__file__).parents[1] / "simulators/command/README.md"
    return Report("What a described simulator costs", readme, columns, rows, notes)
