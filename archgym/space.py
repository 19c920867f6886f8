"""Design spaces: what a design is, how many there are, and how to move between levels and values.

One encoding everywhere: a design is a row of level indices, a batch an ``int32`` array of shape (N, D).  Names and
physical values appear only in ``decode`` and ``encode``.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.errors import ContractError, DesignError, UnknownNameError

Designs = NDArray[np.int32]
Columns = dict[str, NDArray[Any]]
Seed = int | np.random.SeedSequence | np.random.Generator | None

_KINDS: tuple[set[type], ...] = ({bool}, {int}, {float}, {int, float}, {str})


@dataclass(frozen=True)
class Parameter:
    """One choice a designer makes.

    Attributes:
        name: an identifier; the same word in code, logs, command line and plots.
        values: the levels, all of one kind (numbers, strings or booleans), distinct.
        ordered: whether neighbouring levels are alike (a size) or merely different (a policy).
        unit: physical unit of the values, empty for names.
        group: the subsystem the parameter belongs to (one agent each in multi-agent search).
        doc: one line on what it does.
        default: the value of the default design; the first level if not given.
    """

    name: str
    values: tuple[Any, ...]
    ordered: bool = True
    unit: str = ""
    group: str = ""
    doc: str = ""
    default: Any = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))
        if not self.name.isidentifier():
            raise ContractError(f"parameter {self.name!r}: the name must be a Python identifier")
        if not self.values:
            raise ContractError(f"parameter {self.name}: needs at least one value, got none")
        if {type(value) for value in self.values} not in _KINDS:
            raise ContractError(
                f"parameter {self.name}: values must be all numbers, all strings or all booleans of plain Python, "
                f"got {self.values}"
            )
        if len(set(self.values)) != len(self.values):
            raise ContractError(f"parameter {self.name}: values must be distinct, got {self.values}")
        if self.default is None:
            object.__setattr__(self, "default", self.values[0])
        elif self.default not in self.values:
            raise ContractError(f"parameter {self.name}: default {self.default!r} is not one of {self.values}")

    def level(self, value: Any) -> int:
        """Index of ``value``.

        Raises:
            UnknownNameError: no level has that value.
        """
        try:
            return self._levels[isinstance(value, bool | np.bool_), value]
        except (KeyError, TypeError):
            raise UnknownNameError("level", value, self.values, owner=f"parameter {self.name}") from None

    @cached_property
    def _levels(self) -> dict[tuple[bool, Any], int]:
        # True equals 1 in Python, but the boolean is no level of a numeric parameter.
        return {(isinstance(value, bool), value): index for index, value in enumerate(self.values)}

    @property
    def default_level(self) -> int:
        """Index of the default value."""
        return self.values.index(self.default)

    def record(self) -> dict[str, Any]:
        """What the manifest stores and the digest covers."""
        return {
            "name": self.name,
            "values": list(self.values),
            "ordered": self.ordered,
            "unit": self.unit,
            "group": self.group,
            "default": self.default,
        }


@dataclass(frozen=True)
class Constraint:
    """A stated rule over decoded values.

    Attributes:
        name: names the rule in the reason of an INVALID design.
        amount: maps columns (parameter name -> (N,) values) to (N,) float64, by how much each design breaks the rule; zero
            or less where it holds.  A module-level function, so that spaces pickle.
        doc: the rule in words.
    """

    name: str
    amount: Callable[[Columns], NDArray[np.float64]]
    doc: str = ""


@dataclass(frozen=True)
class DesignSpace:
    """A finite product of parameters, some of whose points may break constraints."""

    parameters: tuple[Parameter, ...]
    constraints: tuple[Constraint, ...] = ()
    name: str = field(default="space", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", tuple(self.parameters))
        object.__setattr__(self, "constraints", tuple(self.constraints))
        names = self.names
        if len(set(names)) != len(names):
            raise ContractError(f"space {self.name}: parameter names must be distinct, got {names}")

    # -- shape ---------------------------------------------------------------------------------------------------------

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Parameter names in column order."""
        return tuple(parameter.name for parameter in self.parameters)

    @cached_property
    def nvec(self) -> NDArray[np.int64]:
        """Number of levels per parameter, shape (D,) int64."""
        return np.array([len(parameter.values) for parameter in self.parameters], np.int64)

    @property
    def dimensions(self) -> int:
        """Number of parameters, D."""
        return len(self.parameters)

    @cached_property
    def size(self) -> int:
        """Number of points, constraints not subtracted; an exact Python integer however large."""
        return math.prod(len(parameter.values) for parameter in self.parameters)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over names, values, order and constraints: equal spaces have equal digests, in every process."""
        content = [parameter.record() for parameter in self.parameters]
        rules = [[rule.name, rule.doc] for rule in self.constraints]
        return hashlib.sha256(json.dumps([content, rules], sort_keys=True).encode()).hexdigest()

    @cached_property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Subsystem -> its parameters, in column order; a parameter without a group stands alone under its own name."""
        groups: dict[str, list[str]] = {}
        for parameter in self.parameters:
            groups.setdefault(parameter.group or parameter.name, []).append(parameter.name)
        return {group: tuple(members) for group, members in groups.items()}

    def index(self, name: str) -> int:
        """Column of a parameter.

        Raises:
            UnknownNameError: the space has no such parameter.
        """
        if name not in self.names:
            raise UnknownNameError("parameter", name, self.names, owner=self.name)
        return self.names.index(name)

    def __getitem__(self, name: str) -> Parameter:
        return self.parameters[self.index(name)]

    @property
    def default(self) -> Designs:
        """The default design, shape (1, D)."""
        return np.array([[parameter.default_level for parameter in self.parameters]], np.int32)

    # -- checking ------------------------------------------------------------------------------------------------------

    def check(self, designs: ArrayLike, who: str = "") -> Designs:
        """Returns ``designs`` as an (N, D) int32 array.

        Raises:
            DesignError: wrong shape, not integers, or a level out of range; says which.
        """
        who = who or self.name
        array = np.asarray(designs)
        if array.ndim != 2 or array.shape[1] != self.dimensions:
            raise DesignError(
                f"{who}: designs must have shape (N, {self.dimensions}), got {array.shape}. "
                f"A single design is one row: pass design[None, :]."
            )
        if array.size == 0:
            return np.zeros(array.shape, np.int32)
        if array.dtype.kind not in "iu":
            raise DesignError(
                f"{who}: designs must be integers (level indices), got dtype {array.dtype}. "
                f"Use space.encode(...) to turn values into level indices."
            )
        if (array < 0).any() or (array >= self.nvec).any():
            row, column = (int(i) for i in np.argwhere((array < 0) | (array >= self.nvec))[0])
            parameter = self.parameters[column]
            raise DesignError(
                f"{who}: row {row}, parameter {parameter.name}: level must be 0..{len(parameter.values) - 1}, "
                f"got {array[row, column]}"
            )
        return array.astype(np.int32, copy=False)

    def contains(self, designs: ArrayLike) -> NDArray[np.bool_]:
        """Whether each row of an (N, D) integer array is a point of the space that breaks no constraint, (N,) bool."""
        array = np.asarray(designs)
        if array.ndim != 2 or array.shape[1] != self.dimensions or array.dtype.kind not in "iu":
            return np.zeros(len(array) if array.ndim else 0, bool)
        inside = np.asarray(((array >= 0) & (array < self.nvec)).all(axis=1))
        inside[inside] = self.violation(array[inside].astype(np.int32)) == 0
        return inside

    def violation(self, designs: ArrayLike) -> NDArray[np.float64]:
        """By how much each design breaks the constraints, summed; (N,) float64, zero where all hold."""
        array = self.check(designs)
        if not self.constraints or not len(array):
            return np.zeros(len(array))
        return self.excess(self.decode(array), len(array))

    def excess(self, columns: Columns, n: int) -> NDArray[np.float64]:
        """``violation`` of n designs that are decoded already."""
        total = np.zeros(n)
        for rule in self.constraints:
            total += np.maximum(self._amount(rule, columns, n), 0.0)
        return total

    def _amount(self, rule: Constraint, columns: Columns, n: int) -> NDArray[np.float64]:
        amount = np.asarray(rule.amount(columns), np.float64)
        if amount.shape != (n,) or np.isnan(amount).any():
            raise ContractError(
                f"{self.name}: constraint {rule.name} must give {n} numbers, one per design, got {amount.shape} {amount}"
            )
        return amount

    def broken_rules(self, designs: ArrayLike) -> list[str]:
        """Per design the names of the constraints it breaks, joined by "; " (empty where none)."""
        array = self.check(designs)
        broken: list[list[str]] = [[] for _ in range(len(array))]
        columns = self.decode(array)
        for rule in self.constraints:
            for row in np.flatnonzero(self._amount(rule, columns, len(array)) > 0):
                broken[row].append(f"{rule.name}: {rule.doc}" if rule.doc else rule.name)
        return ["; ".join(names) for names in broken]

    # -- drawing and counting ------------------------------------------------------------------------------------------

    def sample(self, n: int, seed: Seed = None) -> Designs:
        """Draws ``n`` designs uniformly from the product, (n, D) int32; points that break constraints included."""
        rng = np.random.default_rng(seed)
        return rng.integers(0, self.nvec, size=(n, self.dimensions)).astype(np.int32)

    def enumerate(self, batch: int = 65_536) -> Iterator[Designs]:
        """Every point once, in rank order, as (<= batch, D) arrays."""
        for start in range(0, self.size, batch):
            stop = min(start + batch, self.size)
            yield self.unrank(np.arange(start, stop) if stop < 2**63 else range(start, stop))

    def rank(self, designs: ArrayLike) -> NDArray[Any]:
        """Position of each design in ``enumerate`` (last parameter fastest); int64, Python integers beyond 2^63."""
        array = self.check(designs)
        ranks: NDArray[Any] = np.zeros(len(array), np.int64 if self.size < 2**63 else object)
        for column, levels in enumerate(self.nvec):
            ranks = ranks * int(levels) + array[:, column]
        return ranks

    def unrank(self, ranks: ArrayLike | range) -> Designs:
        """Inverse of ``rank``.

        Raises:
            DesignError: a rank outside 0 .. size - 1.
        """
        # A list goes through Python integers: numpy would make floats of it if some numbers are beyond int64.
        rest: NDArray[Any] = np.array(ranks, None if isinstance(ranks, np.ndarray) else object).reshape(-1)
        whole = rest.dtype.kind in "iu" or all(isinstance(rank, int | np.integer) for rank in rest)
        if len(rest) and (not whole or rest.min() < 0 or rest.max() >= self.size):
            raise DesignError(f"{self.name}: ranks must be integers 0..{self.size - 1}, got {rest.min()}..{rest.max()}")
        rest = rest.astype(np.int64 if self.size < 2**63 else object)
        designs = np.empty((len(rest), self.dimensions), np.int32)
        for column in range(self.dimensions - 1, -1, -1):
            levels = int(self.nvec[column])
            designs[:, column] = rest % levels
            rest = rest // levels
        return designs

    # -- values --------------------------------------------------------------------------------------------------------

    @cached_property
    def _tables(self) -> tuple[NDArray[Any], ...]:
        return tuple(_value_table(parameter.values) for parameter in self.parameters)

    def decode(self, designs: ArrayLike) -> Columns:
        """Level indices to values: parameter name -> (N,) array of that parameter's values."""
        array = self.check(designs)
        return {name: self._tables[i][array[:, i]] for i, name in enumerate(self.names)}

    def describe(self, design: ArrayLike) -> dict[str, Any]:
        """One design, (D,) or (1, D), as name -> value in plain Python types."""
        (row,) = self.check(np.asarray(design).reshape(1, -1))
        return {p.name: p.values[level] for p, level in zip(self.parameters, row, strict=True)}

    def encode(self, columns: Mapping[str, ArrayLike] | Sequence[Mapping[str, Any]]) -> Designs:
        """Values to level indices, (N, D) int32.

        Args:
            columns: parameter name -> scalar or (N,) values (parameters left out take their default), or a list of designs as
                mappings.

        Raises:
            UnknownNameError: an unknown parameter or value.
            DesignError: columns of different lengths.
        """
        if not isinstance(columns, Mapping):
            rows = [self.encode(row) for row in columns]
            return np.concatenate(rows) if rows else np.zeros((0, self.dimensions), np.int32)
        for name in columns:
            self.index(name)
        given = {name: np.atleast_1d(np.asarray(values, dtype=object)) for name, values in columns.items()}
        lengths = {len(values) for values in given.values()} - {1}
        if len(lengths) > 1:
            raise DesignError(f"{self.name}: columns must have one length, got {sorted(lengths)}")
        n = lengths.pop() if lengths else 1
        designs = np.repeat(self.default, n, axis=0)
        for name, values in given.items():
            parameter = self[name]
            designs[:, self.index(name)] = [parameter.level(value) for value in values]
        return designs

    def to_unit(self, designs: ArrayLike) -> NDArray[np.float64]:
        """Levels to the middle of equal cells of [0, 1]: (N, D) float64."""
        return np.asarray((self.check(designs) + 0.5) / self.nvec, np.float64)

    def from_unit(self, points: ArrayLike) -> Designs:
        """Points of [0, 1]^D to levels, every level equally wide; values outside are clipped; NaN is an error.

        Raises:
            DesignError: wrong shape or NaN.
        """
        array = np.asarray(points, np.float64)
        if array.ndim != 2 or array.shape[1] != self.dimensions:
            raise DesignError(f"{self.name}: points must have shape (N, {self.dimensions}), got {array.shape}")
        if np.isnan(array).any():
            raise DesignError(f"{self.name}: points must be numbers in [0, 1], got NaN")
        levels = np.floor(np.clip(array, 0.0, 1.0) * self.nvec)
        return np.minimum(levels, self.nvec - 1).astype(np.int32)

    def one_hot(self, designs: ArrayLike) -> NDArray[np.float32]:
        """Concatenated one-hot levels: (N, sum of nvec) float32."""
        array = self.check(designs)
        hot = np.zeros((len(array), int(self.nvec.sum())), np.float32)
        offsets = np.concatenate([[0], np.cumsum(self.nvec)[:-1]])
        hot[np.arange(len(array))[:, None], array + offsets] = 1.0
        return hot

    def record(self) -> dict[str, Any]:
        """What a manifest stores: enough to decode logged levels without the simulator."""
        return {"name": self.name, "digest": self.digest, "parameters": [p.record() for p in self.parameters]}


def space_from_record(record: Mapping[str, Any]) -> DesignSpace:
    """Rebuilds a space (without its constraints) from ``DesignSpace.record``."""
    parameters = tuple(Parameter(**{**entry, "values": tuple(entry["values"])}) for entry in record["parameters"])
    return DesignSpace(parameters, name=record["name"])


def _value_table(values: tuple[Any, ...]) -> NDArray[Any]:
    kinds = {type(value) for value in values}
    for kind, dtype in ((bool, np.bool_), (int, np.int64), (str, np.str_)):
        if kinds == {kind}:
            return np.array(values, dtype)
    return np.array(values, np.float64)
