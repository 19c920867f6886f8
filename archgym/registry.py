"""Finds simulators and agents through entry points, at lookup: nothing is imported before it is asked for.

Groups: ``archgym.simulators`` (name -> Simulator subclass), ``archgym.agents`` (name -> Agent subclass) and
``archgym.envs`` (environment id without namespace -> name of a simulator).  The built-in ones use the same groups.

A name that ends in ``.toml`` is a file that describes a simulator: the simulator ``command`` with ``spec=`` that file.
"""

from __future__ import annotations

import inspect
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, TypeVar

from archgym.errors import ArchGymError, ContractError, PluginError, UnknownNameError

Base = TypeVar("Base")
DESCRIBED = "command"
"""The simulator that runs what a TOML file describes."""

if TYPE_CHECKING:
    from archgym.agent import Agent
    from archgym.simulator import Simulator


def list_simulators() -> list[str]:
    """Names of all installed simulators."""
    return sorted(_found("archgym.simulators"))


def list_agents() -> list[str]:
    """Names of all installed agents."""
    return sorted(_found("archgym.agents"))


def is_described(name: str) -> bool:
    """Whether a simulator's name is that of a TOML file that describes it."""
    return name.endswith(".toml")


def list_workloads(simulator: str) -> list[str]:
    """Names of the workloads that come with a simulator."""
    if is_described(simulator):
        return list(make_simulator(simulator).workloads())
    return list(simulator_class(simulator).workloads())


def environment_ids() -> dict[str, str]:
    """Environment id without namespace (``DRAM-v0``) -> simulator name; reads package metadata, loads nothing."""
    return {name: point.value for name, point in _found("archgym.envs").items()}


def simulator_class(name: str) -> type[Simulator]:
    """The class behind a simulator's name, ``MODULE:CLASS`` or a TOML file.

    Raises:
        UnknownNameError: no such simulator; names the nearest one.
        PluginError: it is registered twice or cannot be imported.
        MissingExtraError: it needs a library that is not installed.
    """
    from archgym.simulator import Simulator

    name = DESCRIBED if is_described(name) else name
    return _load("archgym.simulators", "simulator", name, Simulator)  # type: ignore[type-abstract]


def agent_class(name: str) -> type[Agent]:
    """The class behind an agent's name; errors as for ``simulator_class``."""
    from archgym.agent import Agent

    return _load("archgym.agents", "agent", name, Agent)  # type: ignore[type-abstract]


def make_simulator(name: str, /, **arguments: Any) -> Simulator:
    """Builds a simulator.

    Args:
        name: a name that ``list_simulators`` gives, ``MODULE:CLASS``, a class that can be imported, or a TOML file that
            describes a simulator.
        arguments: what that simulator takes; ``workload=`` everywhere.  ``proxy=`` is the folder of a saved proxy that
            answers in its place (``archgym.proxy``); arguments that are not given are then what the proxy was trained with.

    Raises:
        UnknownNameError: no such simulator, argument or workload.
        ContractError: an argument that it needs is missing.
    """
    if is_described(name):
        name, arguments = DESCRIBED, {**arguments, "spec": name}
    folder = arguments.pop("proxy", None)
    found = simulator_class(name)
    known = list(inspect.signature(found).parameters)
    for argument in arguments:
        if argument not in known:
            raise UnknownNameError("argument", argument, known, owner=name)
    if folder is not None:
        from archgym.proxy import load_proxy_simulator

        return load_proxy_simulator(folder, name, arguments)
    try:
        inspect.signature(found).bind(**arguments)
    except TypeError as error:
        raise ContractError(f"{name}: {error}; it takes {', '.join(known)}") from None
    return found(**arguments)


def _found(group: str) -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=group):
        known = found.setdefault(point.name, point)
        if known.value != point.value:
            raise PluginError(
                f"{point.name!r} is registered twice in {group}: as {known.value} and as {point.value}. "
                f"Uninstall one of the two packages."
            )
    return found


def _load(group: str, kind: str, name: str, base: type[Base]) -> type[Base]:
    # MODULE:CLASS names a class that is not installed as a plug-in; it is imported, as an entry point is, nothing else.
    found = {name: EntryPoint(name, name, group)} if ":" in name else _found(group)
    if name not in found:
        if not found:
            raise PluginError(
                f"no {kind} is installed: archgym's own package metadata is missing. Install it: pip install -e ."
            )
        raise UnknownNameError(kind, name, sorted(found))
    try:
        loaded = found[name].load()
    except ArchGymError:
        raise
    except Exception as error:
        raise PluginError(
            f"{kind} {name!r} ({found[name].value}) cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    if not (isinstance(loaded, type) and issubclass(loaded, base)):
        raise ContractError(
            f"{kind} {name!r} ({found[name].value}) must be a subclass of archgym.{base.__name__}, got {loaded!r}"
        )
    return loaded
