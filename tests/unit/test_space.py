"""Design spaces: encoding, counting, drawing, values, constraints."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archgym import Constraint, DesignSpace, Parameter
from archgym.errors import ContractError, DesignError, UnknownNameError
from archgym.space import space_from_record
from archgym.testing import in_another_process

MIXED = DesignSpace(
    (
        Parameter("size", (1, 2, 4, 8), unit="kB", group="memory", default=4),
        Parameter("policy", ("open", "closed"), ordered=False, group="memory"),
        Parameter("ratio", (0.5, 1, 2.0)),
        Parameter("enabled", (False, True), ordered=False),
    ),
    name="mixed",
)


def _over(columns: dict[str, np.ndarray]) -> np.ndarray:
    return columns["size"] * columns["ratio"] - 4


LIMITED = DesignSpace(MIXED.parameters, (Constraint("area", _over, "size x ratio is at most 4"),), name="limited")
HUGE = DesignSpace(tuple(Parameter(f"x{i}", tuple(range(1000))) for i in range(7)), name="huge")  # 10^21 > 2^63


@st.composite
def spaces(draw: st.DrawFn) -> DesignSpace:
    levels = draw(st.lists(st.integers(1, 3000), min_size=1, max_size=9))
    return DesignSpace(tuple(Parameter(f"p{i}", tuple(range(n))) for i, n in enumerate(levels)))


def test_shape() -> None:
    assert MIXED.names == ("size", "policy", "ratio", "enabled")
    assert MIXED.nvec.tolist() == [4, 2, 3, 2] and MIXED.nvec.dtype == np.int64
    assert MIXED.dimensions == 4 and MIXED.size == 48
    assert HUGE.size == 10**21
    assert MIXED.groups == {"memory": ("size", "policy"), "ratio": ("ratio",), "enabled": ("enabled",)}
    assert MIXED.default.tolist() == [[2, 0, 0, 0]] and MIXED.default.dtype == np.int32
    assert MIXED["ratio"].values == (0.5, 1, 2.0) and MIXED.index("enabled") == 3


@settings(deadline=None)
@given(spaces(), st.integers(0, 2**32))
def test_rank_and_unrank_are_inverse_also_beyond_int64(space: DesignSpace, seed: int) -> None:
    designs = space.sample(20, seed)
    ranks = space.rank(designs)
    assert [0 <= int(rank) < space.size for rank in ranks] == [True] * 20
    assert np.array_equal(space.unrank(ranks), designs)
    last = space.unrank([0, space.size - 1])
    assert last[0].tolist() == [0] * space.dimensions and (last[1] == space.nvec - 1).all()
    expected = [sum(int(v) * math.prod(map(int, space.nvec[i + 1 :])) for i, v in enumerate(row)) for row in designs]
    assert [int(rank) for rank in ranks] == expected


@settings(deadline=None)
@given(spaces(), st.integers(0, 2**32))
def test_unit_cube_round_trip(space: DesignSpace, seed: int) -> None:
    designs = space.sample(20, seed)
    points = space.to_unit(designs)
    assert ((points > 0) & (points < 1)).all()
    assert np.array_equal(space.from_unit(points), designs)


@given(st.lists(st.floats(allow_nan=False, width=32), min_size=4, max_size=4))
def test_any_point_maps_into_the_space(point: list[float]) -> None:
    (row,) = MIXED.from_unit([point])
    assert MIXED.contains(row[None, :]).all()
    expected = [min(int(min(max(x, 0.0), 1.0) * n), n - 1) for x, n in zip(point, MIXED.nvec, strict=True)]
    assert row.tolist() == expected


def test_from_unit_refuses_nan_and_wrong_shape() -> None:
    with pytest.raises(DesignError, match="NaN"):
        MIXED.from_unit([[0.1, np.nan, 0.1, 0.1]])
    with pytest.raises(DesignError, match=r"\(N, 4\), got \(4,\)"):
        MIXED.from_unit([0.1, 0.2, 0.3, 0.4])


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 50))
def test_decode_and_encode_are_inverse(seed: int, n: int) -> None:
    designs = MIXED.sample(n, seed)
    columns = MIXED.decode(designs)
    assert {name: values.dtype.kind for name, values in columns.items()} == {
        **{"size": "i", "policy": "U", "ratio": "f", "enabled": "b"},
    }
    if n:
        assert np.array_equal(MIXED.encode(columns), designs)
        assert np.array_equal(MIXED.encode([MIXED.describe(row) for row in designs]), designs)


def test_encode_fills_in_defaults_and_repeats_scalars() -> None:
    designs = MIXED.encode({"policy": ["open", "closed"], "size": 8})
    assert designs.tolist() == [[3, 0, 0, 0], [3, 1, 0, 0]]
    assert MIXED.encode({}).tolist() == MIXED.default.tolist()
    assert MIXED.encode([]).shape == (0, 4)


def test_encode_says_what_is_wrong() -> None:
    with pytest.raises(UnknownNameError, match=r"no parameter named 'sise'\. Did you mean 'size'"):
        MIXED.encode({"sise": 1})
    with pytest.raises(UnknownNameError, match=r"parameter policy: no level named 'opne'\. Did you mean 'open'"):
        MIXED.encode({"policy": "opne"})
    with pytest.raises(DesignError, match=r"one length, got \[2, 3\]"):
        MIXED.encode({"size": [1, 2], "ratio": [1, 1, 2.0]})


def test_true_is_no_number_and_one_is_no_boolean() -> None:
    with pytest.raises(UnknownNameError):
        MIXED["size"].level(True)
    with pytest.raises(UnknownNameError):
        MIXED["enabled"].level(1)
    with pytest.raises(UnknownNameError):
        MIXED["size"].level([1])
    assert MIXED["enabled"].level(np.True_) == 1 and MIXED["size"].level(np.int64(4)) == 2
    assert MIXED["ratio"].level(1.0) == 1


def test_describe_gives_plain_python_values() -> None:
    described = MIXED.describe(np.array([3, 1, 1, 1]))
    assert described == {"size": 8, "policy": "closed", "ratio": 1, "enabled": True}
    assert [type(value) for value in described.values()] == [int, str, int, bool]


def test_one_hot() -> None:
    hot = MIXED.one_hot([[3, 0, 1, 1], [0, 1, 2, 0]])
    assert hot.dtype == np.float32
    assert hot.tolist() == [[0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 1], [1, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0]]


@pytest.mark.parametrize("batch", [1, 7, 48, 1000])
def test_enumerate_gives_every_point_once_in_rank_order(batch: int) -> None:
    points = np.concatenate(list(MIXED.enumerate(batch)))
    assert MIXED.rank(points).tolist() == list(range(48))
    assert max(len(part) for part in MIXED.enumerate(batch)) == min(batch, 48)


def test_unrank_refuses_what_is_no_rank() -> None:
    for ranks in ([48], [-1], [0.5], [2**70]):
        with pytest.raises(DesignError, match=r"integers 0\.\.47"):
            MIXED.unrank(ranks)
    assert MIXED.unrank([]).shape == (0, 4)


def test_sampling_is_uniform_and_does_not_depend_on_batches() -> None:
    whole = MIXED.sample(3000, np.random.default_rng(1))
    rng = np.random.default_rng(1)
    parts = np.concatenate([MIXED.sample(n, rng) for n in (1, 7, 992, 2000)])
    assert np.array_equal(whole, parts) and whole.dtype == np.int32
    counts = np.bincount(MIXED.rank(whole), minlength=48)
    assert counts.min() > 0 and ((counts - 62.5) ** 2 / 62.5).sum() < 90  # chi-square, 47 degrees: 90 is beyond 0.9998
    assert not np.array_equal(MIXED.sample(20, 1), MIXED.sample(20, 2))


@pytest.mark.parametrize(
    ("designs", "message"),
    [
        (np.zeros((4, 3), int), r"limited: designs must have shape \(N, 4\), got \(4, 3\)"),
        (np.zeros(4, int), r"one row: pass design\[None, :\]"),
        (np.zeros((2, 4)), "integers .* got dtype float64. Use space.encode"),
        (np.zeros((2, 4), bool), "got dtype bool"),
        ([[0, 0, 3, 0]], r"row 0, parameter ratio: level must be 0\.\.2, got 3"),
        ([[0, 0, 0, 0], [-1, 0, 0, 0]], r"row 1, parameter size: level must be 0\.\.3, got -1"),
        (np.full((1, 4), 2**40), "got 1099511627776"),
    ],
)
def test_check_says_who_what_and_where(designs: object, message: str) -> None:
    with pytest.raises(DesignError, match=message):
        LIMITED.check(designs)
    assert not LIMITED.contains(designs).all()


def test_check_accepts_any_integers_and_empty_batches() -> None:
    for dtype in (np.int8, np.uint64, np.int32):
        assert LIMITED.check(np.ones((2, 4), dtype)).dtype == np.int32
    assert LIMITED.check(np.zeros((0, 4))).shape == (0, 4)


def test_constraints_give_the_amount_and_the_rule() -> None:
    designs = LIMITED.encode({"size": [1, 4, 8, 8], "ratio": [0.5, 1, 1, 2.0]})
    assert LIMITED.violation(designs).tolist() == [0, 0, 4, 12]
    assert LIMITED.contains(designs).tolist() == [True, True, False, False]
    assert LIMITED.broken_rules(designs) == ["", "", "area: size x ratio is at most 4", "area: size x ratio is at most 4"]
    assert MIXED.violation(designs).tolist() == [0, 0, 0, 0]
    assert LIMITED.violation(designs[:0]).shape == (0,)


@pytest.mark.parametrize("amount", [lambda c: np.full(len(c["size"]), np.nan), lambda c: 1.0, lambda c: np.zeros((2, 2))])
def test_a_constraint_that_gives_nonsense_is_named(amount: object) -> None:
    space = DesignSpace(MIXED.parameters, (Constraint("odd", amount),), name="odd")  # type: ignore[arg-type]
    with pytest.raises(ContractError, match="odd: constraint odd must give 3 numbers"):
        space.violation(space.sample(3, 0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("two words", (1,)), "identifier"),
        (("x", ()), "at least one value"),
        (("x", (1, 1.0)), "distinct"),
        (("x", (1, "a")), "all numbers, all strings or all booleans"),
        (("x", (True, 2)), "all numbers"),
        (("x", (np.int64(1), np.int64(2))), "plain Python"),
        (("x", (None,)), "all numbers"),
    ],
)
def test_a_parameter_that_is_none_is_refused_at_once(arguments: tuple, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        Parameter(*arguments)


def test_defaults_and_double_names_are_checked() -> None:
    with pytest.raises(ContractError, match="default 3 is not one of"):
        Parameter("x", (1, 2), default=3)
    with pytest.raises(ContractError, match="distinct"):
        DesignSpace((Parameter("x", (1,)), Parameter("x", (2,))))
    with pytest.raises(UnknownNameError, match=r"mixed: no parameter named 'rati'\. Did you mean 'ratio'"):
        MIXED["rati"]
    assert Parameter("x", range(3)).values == (0, 1, 2)  # type: ignore[arg-type]


def _digest(space: DesignSpace) -> str:
    return space.digest


def test_digests_follow_content_in_every_process() -> None:
    assert pickle.loads(pickle.dumps(LIMITED)) == LIMITED
    assert MIXED.digest == DesignSpace(MIXED.parameters, name="another name").digest
    assert len({MIXED.digest, LIMITED.digest, HUGE.digest, DesignSpace(MIXED.parameters[::-1]).digest}) == 4
    assert in_another_process(_digest, MIXED) == MIXED.digest


def test_a_record_rebuilds_the_space() -> None:
    rebuilt = space_from_record(MIXED.record())
    assert rebuilt.parameters == tuple(
        Parameter(p.name, p.values, p.ordered, p.unit, p.group, default=p.default) for p in MIXED.parameters
    )
    assert rebuilt.digest == MIXED.digest == MIXED.record()["digest"]


def test_a_space_without_parameters_has_one_point() -> None:
    nothing = DesignSpace(())
    assert nothing.size == 1 and nothing.sample(3, 0).shape == (3, 0)
    assert nothing.rank(nothing.sample(2, 0)).tolist() == [0, 0] and nothing.unrank([0, 0]).shape == (2, 0)
