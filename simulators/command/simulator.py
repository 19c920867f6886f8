"""Any program as a simulator: what a spec describes, behind the contract of every other simulator."""

from __future__ import annotations

import hashlib
import json
import weakref
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from os import PathLike
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.errors import ContractError, UnknownNameError
from archgym.explanation import Explanation
from archgym.metrics import Metrics, Status
from archgym.simulator import Simulator
from archgym.space import Columns
from simulators.command.cache import EvaluationCache
from simulators.command.evaluation import Evaluation, prepare, run_prepared
from simulators.command.explain import explained
from simulators.command.lanes import Lanes
from simulators.command.spec import Spec, read_spec
from simulators.command.versions import program_version

KEEP = ("never", "failures")


class Command(Simulator):
    """A program that a TOML file describes.

    Description:
        The spec (``simulators/command/README.md``) says what can be designed, which files a program is given, how it is run
        and where its metrics are.  Every design runs in a private scratch folder, in processes of its own of which none
        stays, within limits of time, memory and file size.

    Workloads:
        The tables ``[workloads.NAME]`` of the spec; the first by default.  The workload of a spec without any is its name.

    Design space, Constraints, Metrics:
        As the spec says.

    Validity:
        INVALID: a constraint of the spec is broken, or the program says so by an exit code or a text that the spec names.
        FAILED: the program cannot be started, ends badly, is killed, uses too much memory, leaves a process behind, or a
        metric cannot be read or is not finite.  TIMEOUT: it takes too long.  Every reason ends with the program's last words.

    Speed:
        ``README.md`` has the overhead beyond the program's own time.

    Version History:
        The version is the spec's own, then a digest of all that decides results and of what ``version_command`` prints.

    Args:
        spec: the TOML file.
        workload: a name in its table ``workloads``.
        jobs: evaluations at once; by default as the spec says, or as many as a Ray cluster has room for.
        cache: whether designs that were evaluated before, in any run, are answered from the cache on disk.
        ray: "local" or the address of a Ray cluster, to evaluate there.
        keep: "never" or "failures", in the spec's place.

    Raises:
        SpecError: a spec that makes no sense, or a ``version_command`` that cannot be run.
        UnknownNameError: no such workload.
        ArgumentError: no node of the Ray cluster has what one evaluation needs.
    """

    name = "command"

    def __init__(
        self,
        spec: str | PathLike[str],
        workload: str | None = None,
        *,
        jobs: int | None = None,
        cache: bool = True,
        ray: str | None = None,
        keep: str | None = None,
    ) -> None:
        described = read_spec(spec)
        if jobs is not None and (isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1):
            raise ContractError(f"command: jobs must be a whole number from 1, got {jobs!r}")
        if keep is not None:
            if keep not in KEEP:
                raise UnknownNameError("value of keep", keep, KEEP, owner="command")
            described = replace(described, run=replace(described.run, keep=keep))
        picked = pick_workload(described, workload)
        program = program_version(described)
        digest = hashlib.sha256(json.dumps([described.digest, program]).encode()).hexdigest()
        self.spec, self._constants = described, described.constants(picked)
        self.version = f"{described.version or '0'}+{digest[:12]}"
        # The class has none to name: they are the spec's.
        self.workloads = partial(tuple, described.workload_names or (described.name,))  # type: ignore[method-assign]
        self.space, self.metrics = described.space_of(picked), described.metrics
        self.workload = f"{described.name}-{picked}" if picked else described.name
        # How designs are evaluated, and how many at once, is left out: a run is the same run whatever it is.
        self.arguments = MappingProxyType({"spec": described.path, **({"workload": picked} if picked else {})})
        self.lanes, self.in_order = jobs or described.run.jobs, described.run.order == "proposed"
        self._cache = EvaluationCache(described, f"{described.version} {program}") if cache else None
        self._address, self._jobs = ray, jobs
        self._open()
        if self._remote is not None:
            self.lanes = self._remote.count

    def _open(self) -> None:
        self._lanes = Lanes()
        self._remote: Any = None
        if self._address is not None:
            from simulators.command.remote import RayLanes

            self._remote = RayLanes(self.spec, self._address, self._jobs)
        weakref.finalize(self, self._lanes.close)

    def __getstate__(self) -> dict[str, Any]:
        mine = {**self.__dict__, "arguments": dict(self.arguments)}
        return {name: value for name, value in mine.items() if name not in ("_lanes", "_remote")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.arguments = MappingProxyType(state["arguments"])
        self._open()

    def close(self) -> None:
        """Kills the programs that run and ends the processes that run them; evaluations under way raise ``Stopped``."""
        self._lanes.close()
        if self._remote is not None:
            self._remote.close()

    @property
    def workload_digest(self) -> str:
        """Hash of the workload's name and constants."""
        content = [self.name, self.workload, self._constants]
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()

    def evaluate_values(self, values: Mapping[str, Any]) -> Evaluation:
        """Evaluates one design, or recalls it from the cache.

        Args:
            values: of all parameters.

        Raises:
            Stopped: the simulator was closed meanwhile.
        """
        named = {**self._constants, **values}
        prepared = prepare(self.spec, named)
        if isinstance(prepared, Evaluation):
            return prepared
        key = self._cache.key(named, prepared) if self._cache else ""
        known = self._cache.get(key) if self._cache else None
        if known is not None:
            return known
        if self._remote is not None:
            evaluation: Evaluation = self._remote.evaluate(named)
        else:
            with self._lanes.lane() as lane:
                evaluation, _ = run_prepared(self.spec, named, prepared, lane)
        if self._cache:
            self._cache.put(key, evaluation)
        return evaluation

    def explain(self, design: ArrayLike) -> Explanation:
        """The files and commands of one design, what its programs printed and how long each took; runs them here."""
        values = self.space.describe(design)
        with self._lanes.lane() as lane:
            return explained(self.spec, values, self._constants, lane)

    def _evaluate(self, columns: Columns, fidelity: str) -> Mapping[str, NDArray[Any]] | Metrics:
        n = len(next(iter(columns.values())))
        designs = [{name: values[i].item() for name, values in columns.items()} for i in range(n)]
        if min(n, self.lanes) == 1:
            return self._metrics([self.evaluate_values(values) for values in designs])
        with ThreadPoolExecutor(min(n, self.lanes)) as pool:
            try:
                return self._metrics(list(pool.map(self.evaluate_values, designs)))
            except BaseException:  # Ctrl-C: the programs in other threads end too, before the pool waits for its threads
                pool.shutdown(wait=False, cancel_futures=True)
                self.close()
                raise

    def _metrics(self, evaluations: Sequence[Evaluation]) -> Metrics:
        result = Metrics.empty(self.metric_names, len(evaluations))
        for row, evaluation in enumerate(evaluations):
            result.status[row], result.violation[row] = evaluation.status, evaluation.violation
            for name, values in result.columns.items():
                values[row] = evaluation.metrics.get(name, np.nan)
            if evaluation.status != Status.OK:
                result.reasons[row] = evaluation.reason
        return result


def pick_workload(spec: Spec, wanted: str | None) -> str | None:
    """The name of a workload in the spec's table; None for a spec that has none.

    Args:
        spec: the spec.
        wanted: as in the spec, or as in ``Simulator.workload``; None for the first.

    Raises:
        UnknownNameError: no such workload.
    """
    names = spec.workload_names
    if wanted is None or (not names and wanted == spec.name):
        return names[0] if names else None
    short = wanted.removeprefix(f"{spec.name}-")
    if wanted not in names and short not in names:
        raise UnknownNameError("workload", wanted, names or (spec.name,), owner=f"command {spec.name}")
    return wanted if wanted in names else short
