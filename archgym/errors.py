"""What goes wrong because of a caller: who, what was expected, what was got, what to do.

A design that cannot be simulated is data (a ``Status``), never one of these.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ArchGymError(Exception):
    """Base of every error that archgym raises on purpose; the command line prints it and exits with code 2."""


class UnknownNameError(ArchGymError, KeyError):
    """A simulator, agent, workload, parameter, level, metric or objective that does not exist."""

    def __init__(self, kind: str, name: object, known: Iterable[object], owner: str = "") -> None:
        names = [str(item) for item in known]
        near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        prefix = f"{owner}: " if owner else ""
        listed = ", ".join(names) if names else "none is installed"
        self.message = f"{prefix}no {kind} named {str(name)!r}.{hint} Known: {listed}."
        super().__init__(self.message)

    def __str__(self) -> str:
        return self.message


class DesignError(ArchGymError, ValueError):
    """A design array of wrong shape, type or range."""


class HyperparameterError(ArchGymError, ValueError):
    """A hyper-parameter that the agent does not have, or a value out of its range."""


class ObjectiveError(ArchGymError, ValueError):
    """An objective that cannot be read or does not fit the simulator's metrics."""


class ArgumentError(ArchGymError, ValueError):
    """An argument of an environment that is out of its range or does not go with another one."""


class TraceError(ArchGymError, ValueError):
    """A trace file that cannot be read, or that a memory cannot serve."""


class WorkloadError(ArchGymError, ValueError):
    """A workload (a network, a layer, a task graph) that cannot be read or that makes no sense; says where."""


class ContractError(ArchGymError, TypeError):
    """A plug-in (simulator or agent) that breaks its contract."""


class LogError(ArchGymError, OSError):
    """A trial log that cannot be written or read."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class RunExistsError(LogError):
    """The output folder holds another run."""


class SpecError(ArchGymError, ValueError):
    """A spec of a sweep that cannot be read, makes no sense, or does not fit the folder it is to be run in."""


class SweepRunningError(LogError):
    """The folder of a sweep is in use by another process."""


class ReplayError(ArchGymError, RuntimeError):
    """A resumed run that proposes other designs than its log holds."""


class BudgetError(ArchGymError, ValueError):
    """A budget that is not a positive number."""


class ProxyError(ArchGymError, ValueError):
    """A proxy that cannot be trained on the given data, cannot be read, or belongs to another simulator or space."""


class DataError(ArchGymError, ValueError):
    """A dataset that holds too little for what is asked of it, or that cannot be right."""


class MixedDataError(DataError):
    """Trials that cannot be put into one table: of several simulators, versions, spaces, workloads or fidelities."""


class MissingExtraError(ArchGymError, ImportError):
    """An optional library that is not installed."""

    def __init__(self, who: str, library: str, extra: str) -> None:
        super().__init__(f"{who} needs {library}, which is not installed. Install it with: pip install 'archgym[{extra}]'")


class PluginError(ArchGymError, RuntimeError):
    """A plug-in that is registered twice or that cannot be loaded."""
