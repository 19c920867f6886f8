"""Sweeps over Ray: the same results as without, also when workers and whole nodes die."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sweeping import children, outcomes, plain, start, trials, troubled, wait_until, write_spec

from archgym.errors import ArchGymError
from archgym.sweep import Spec, make_plan
from archgym.sweep.execute import execute
from archgym.sweep.progress import Tally
from archgym.sweep.run import run_sweep

pytest.importorskip("ray", reason="Ray is not installed")
pytestmark = pytest.mark.slow


def undisturbed(spec: Spec) -> dict[str, dict[str, list[object]]]:
    """Run id -> trials, each run executed by itself in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trouble.time.sleep", lambda seconds: None)
        return {run.id: plain(execute(run).trials) for run in make_plan(spec).runs}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without cores and two nodes with one each; nodes that a test takes away are replaced."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")
        from ray.cluster_utils import Cluster

        made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        for _ in range(2):
            made.add_node(num_cpus=1)
        yield made
        made.shutdown()


def once(at: int, act: Callable[[], None]) -> Callable[[Tally], None]:
    """A progress callback that acts when so many runs are done, then never again."""
    waiting = [act]

    def look(tally: Tally) -> None:
        if tally.done >= at and waiting:
            waiting.pop()()

    return look


def descendants(process: int) -> list[int]:
    found = children(process)
    return [*found, *(below for child in found for below in descendants(child))]


def title(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def test_ray_gives_the_results_of_local_workers(cluster: Any, tmp_path: Path) -> None:
    spec = troubled("none")
    result = run_sweep(spec, tmp_path / "out", ray=cluster.address)
    assert (result.executed, result.failed) == (6, 0)
    assert trials(tmp_path / "out") == undisturbed(spec)


def test_a_run_that_hangs_is_ended_in_its_task(cluster: Any, tmp_path: Path) -> None:
    spec = troubled("hang", budget=15, time_limit=10.0, retries=0)  # of which nine are for a busy machine
    result = run_sweep(spec, tmp_path / "out", ray=cluster.address)
    reasons = [run["reason"] for run in outcomes(tmp_path / "out").values() if run["state"] == "failed"]
    assert 0 < len(reasons) == result.failed < 6 and all("time limit" in reason for reason in reasons)


def test_a_killed_ray_worker_costs_nothing(cluster: Any, tmp_path: Path) -> None:
    spec = troubled("none", pause=0.005, seeds=16, budget=60)

    def kill() -> None:
        working = [process for process in descendants(os.getpid()) if title(process).startswith("ray::work")]
        assert working
        os.kill(working[0], signal.SIGKILL)

    result = run_sweep(spec, tmp_path / "out", ray=cluster.address, progress=once(2, kill))
    assert result.failed == 0 and trials(tmp_path / "out") == undisturbed(spec)


def test_a_node_that_dies_costs_nothing(cluster: Any, tmp_path: Path) -> None:
    spec = troubled("none", pause=0.02, seeds=16, budget=60)  # over a second a run: the node dies within one, nearly always
    node = cluster.list_all_nodes()[-1]
    result = run_sweep(
        spec,
        tmp_path / "out",
        ray=cluster.address,
        progress=once(3, lambda: cluster.remove_node(node, allow_graceful=False)),
    )
    assert node not in cluster.list_all_nodes()
    assert result.failed == 0 and result.executed == 16
    assert trials(tmp_path / "out") == undisturbed(spec)
    cluster.add_node(num_cpus=1)


def test_a_callers_mistake_stops_the_sweep_with_its_message(cluster: Any, tmp_path: Path) -> None:
    spec = troubled("none")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("archgym.sweep.run.Store.local", property(lambda store: Path("/nowhere/at/all")))
        with pytest.raises(ArchGymError, match="end before they begin to work"):
            run_sweep(spec, tmp_path / "out", ray=cluster.address)


def test_a_sweep_on_a_local_cluster_that_is_killed_goes_on_without_ray(tmp_path: Path) -> None:
    spec = troubled("none", pause=0.005, seeds=12, budget=60)
    file, out = write_spec(tmp_path / "spec.toml", spec.record()), tmp_path / "out"
    process = start(file, out, "--ray", "local", "--workers", "2")
    assert wait_until(lambda: (out / "parts").exists() and len(list((out / "parts").glob("*.parquet"))) > 1, process)
    below = descendants(process.pid)
    process.kill()
    process.communicate()
    assert wait_until(lambda: not any("archgym.sweep.child" in title(one) for one in below))
    done = len(outcomes(out))
    result = run_sweep(spec, out, workers=1)
    assert result.executed == 12 - done and trials(out) == undisturbed(spec)


def test_no_cluster_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArchGymError, match="no Ray cluster answers"):
        run_sweep(troubled("none"), tmp_path / "out", ray="127.0.0.1:1")
