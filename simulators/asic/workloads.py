"""What is to run together on the chip, and within which specs: the workloads of NASAIC."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from archgym.errors import ArgumentError, UnknownNameError
from simulators.asic.network_space import NetworkSpace, load_network_space

FILE = Path(__file__).parent / "workloads.toml"
LIMITED = ("latency_cycles", "energy_nj", "area_um2")


@dataclass(frozen=True)
class Limit:
    """A spec, and the value at which its penalty is one.

    Attributes:
        spec: largest value that meets it.
        bound: larger than the spec.
    """

    spec: float
    bound: float


@dataclass(frozen=True)
class Workload:
    """Tasks, the networks to choose from for each, and the specs of the chip.

    Attributes:
        name: for example ``W1``.
        tasks: what each network does, for the accuracy evaluator.
        networks: a space of networks per task.
        limits: metric (one of ``LIMITED``) -> its limit.
    """

    name: str
    tasks: tuple[str, ...]
    networks: tuple[NetworkSpace, ...]
    limits: Mapping[str, Limit]


def names() -> tuple[str, ...]:
    """Names of all workloads."""
    return tuple(_content())


def find(name: str, specs: Mapping[str, float | None]) -> Workload:
    """A workload, with other specs where they are given; a bound moves by the same factor as its spec.

    Raises:
        UnknownNameError: no such workload.
        ArgumentError: a spec that is not positive.
    """
    if name not in _content():
        raise UnknownNameError("workload", name, names(), owner="asic")
    workload = _content()[name]
    limits = dict(workload.limits)
    for metric, spec in specs.items():
        if spec is None:
            continue
        if not spec > 0:
            raise ArgumentError(f"asic: the spec of {metric} must be a positive number, got {spec!r}")
        factor = spec / limits[metric].spec
        limits[metric] = Limit(float(spec), limits[metric].bound * factor)
    return replace(workload, limits=limits)


@cache
def _content() -> dict[str, Workload]:
    found = {}
    for name, entry in tomllib.loads(FILE.read_text()).items():
        limits = {metric: Limit(entry[metric]["spec"], entry[metric]["bound"]) for metric in LIMITED}
        networks = tuple(load_network_space(network) for network in entry["networks"])
        found[name] = Workload(name, tuple(entry["tasks"]), networks, limits)
    return found
