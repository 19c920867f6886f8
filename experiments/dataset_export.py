"""How long exports of a large sweep take and how much memory: ``python experiments/dataset_export.py --trials 1 2 4``.

For each number of million trials a sweep of ``dram`` with drawn metrics is written, and each format is exported by a process
of its own, whose peak memory Linux tells.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from archgym import Dataset
from archgym.metrics import Metrics
from archgym.sweep.columns import trial_table
from archgym.sweep.plan import make_plan
from archgym.sweep.spec import spec_from_record
from archgym.sweep.store import Store
from archgym.trials import Chunk

RUNS_PER_PART = 50
SUFFIX = {"parquet": ".parquet", "csv": ".csv", "describe": "", "minari": ""}


def write_sweep(folder: Path, trials: int, budget: int) -> int:
    """Writes a sweep of runs of ``budget`` trials each, with drawn designs and metrics; how many trials it has."""
    agents = [{"name": "random_walk"}, {"name": "genetic"}]
    task = [{"simulator": "dram", "workloads": ["random"]}]
    runs = max(trials // budget // len(agents), 1)
    record = {"name": "made up", "budget": budget, "seeds": runs, "objectives": ["latency_ns"], "task": task, "agent": agents}
    spec = spec_from_record(record)
    plan = make_plan(spec)
    store = Store.create(folder, spec, plan)
    planned = list(plan.unique.values())
    rng = np.random.default_rng(0)
    for start in range(0, len(planned), RUNS_PER_PART):
        summaries, tables = [], []
        for run in planned[start : start + RUNS_PER_PART]:
            task_record = plan.tasks[run.task]
            sizes = [len(parameter["values"]) for parameter in task_record["space"]["parameters"]]
            designs = rng.integers(0, sizes, size=(budget, len(sizes))).astype(np.int32)
            metrics = Metrics.empty([metric["name"] for metric in task_record["metrics"]], budget)
            for column in metrics.columns.values():
                column[:] = rng.random(budget)
            tables.append(trial_table([Chunk(0, 0, "full", 1.0, designs, metrics, -rng.random(budget))], task_record))
            known = {
                key: getattr(run, key) for key in ("id", "task", "agent", "label", "ticket", "seed", "study", "objective")
            }
            rest = {"hyperparameters": dict(run.hyperparameters), "state": "finished", "reason": "", "trials": budget}
            summaries.append({**known, **rest})
        store.write_part(planned[start].task, summaries, tables)
    return len(planned) * budget


def export(folder: Path, form: str, target: Path) -> None:
    """Does one thing with a sweep and prints seconds and peak memory in MB."""
    start = perf_counter()
    dataset = Dataset.open(folder)
    opened = perf_counter() - start
    if form == "describe":
        dataset.describe()
    else:
        getattr(dataset, f"to_{form}")(target)
    print(f"{perf_counter() - start:.1f} {opened:.1f} {peak_megabytes():.0f}")


def peak_megabytes() -> float:
    """Most memory that this process has held; the resource module would count that of its parent too."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024 / 1e6


def main() -> None:
    """Measures every format at every size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=float, nargs="+", default=[1, 2, 4], help="million trials")
    parser.add_argument("--budget", type=int, default=1000, help="trials per run")
    parser.add_argument("--formats", nargs="+", default=["parquet", "csv", "describe"], choices=list(SUFFIX))
    parser.add_argument("--one", nargs=3, metavar=("SWEEP", "FORMAT", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        export(Path(options.one[0]), options.one[1], Path(options.one[2]))
        return
    print("| trials | format | seconds | of which opening | peak memory, MB | file, MB |\n|---|---|---|---|---|---|")
    for millions in options.trials:
        with tempfile.TemporaryDirectory() as scratch:
            count = write_sweep(Path(scratch) / "sweep", int(millions * 1e6), options.budget)
            for form in options.formats:
                target = Path(scratch) / f"out{SUFFIX[form]}"
                command = [sys.executable, __file__, "--one", f"{scratch}/sweep", form, str(target)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                seconds, opened, peak = done.stdout.split()
                size = f"{target.stat().st_size / 1e6:.0f}" if target.is_file() else "-"
                print(f"| {count:,} | {form} | {seconds} | {opened} | {peak} | {size} |", flush=True)
                if target.is_dir():
                    shutil.rmtree(target)
                target.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
