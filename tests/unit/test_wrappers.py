"""Simulators around simulators: remembered, spoilt, and otherwise the same."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from archgym import Cached, Faulty, Metrics, Simulator, Status, make_simulator
from archgym.errors import ContractError, DesignError, UnknownNameError
from archgym.testing import check_simulator
from archgym.testing.problems import Constrained, Mixture, Sphere
from archgym.testing.simulator_checks import same
from archgym.testing.watched import Counted
from archgym.wrappers import Wrapper
from unit.test_simulator import Merged


@pytest.mark.parametrize("wrap", [Wrapper, Cached, lambda inner: Faulty(inner, share=0), Counted])
def test_a_wrapper_is_a_simulator_and_looks_like_the_one_inside(wrap: type[Wrapper]) -> None:
    inner = make_simulator("synthetic", workload="constrained")
    wrapped = wrap(inner)
    assert (wrapped.name, wrapped.version, wrapped.workload) == (inner.name, inner.version, inner.workload)
    assert wrapped.space is inner.space and wrapped.metrics == inner.metrics
    assert wrapped.arguments == inner.arguments and wrapped.fidelities == inner.fidelities
    assert wrapped.workload_digest == inner.workload_digest
    check_simulator(wrapped)
    with pytest.raises(ContractError, match="does not explain"):
        wrapped.explain(inner.space.default)


def test_a_cache_simulates_each_design_once() -> None:
    counted = Counted(Sphere())
    cached = Cached(counted)
    first, second = Sphere.space.sample(20, 0), Sphere.space.sample(20, 1)
    cached.evaluate(np.concatenate([first, first[:5]]))
    assert (cached.misses, cached.hits) == (20, 5)
    result = cached.evaluate(np.concatenate([first, second])[::-1])
    assert (cached.misses, cached.hits) == (40, 25)
    assert np.array_equal(np.concatenate(counted.seen), np.concatenate([first, second[::-1]]))
    assert not same(result, Sphere().evaluate(np.concatenate([first, second])[::-1]))


def test_a_cache_remembers_statuses_violations_and_reasons() -> None:
    simulator = Faulty(Constrained(), share=0.4)
    cached = Cached(simulator)
    designs = Constrained.space.sample(200, 0)
    expected = simulator.evaluate(designs)
    assert set(expected.status.tolist()) == set(map(int, Status))
    for _ in range(2):
        assert not same(cached.evaluate(designs), expected)
    assert cached.misses == len(np.unique(designs, axis=0))


def test_what_a_cache_hands_out_can_be_written_to() -> None:
    cached = Cached(Sphere())
    first = cached.evaluate(Sphere.space.default)
    first.columns["distance"][:] = -1
    first.status[:] = Status.FAILED
    assert not same(cached.evaluate(Sphere.space.default), Sphere().evaluate(Sphere.space.default))


def test_equivalent_designs_share_one_place() -> None:
    merged = Merged()
    cached = Cached(merged)
    result = cached.evaluate([[5, 1], [5, 0], [5, 1]])
    assert merged.batches == [[5]] and (cached.misses, cached.hits) == (1, 2)
    assert result["square"].tolist() == [25, 25, 25]


def test_fidelities_are_remembered_apart() -> None:
    merged = Merged()
    cached = Cached(merged)
    assert cached.evaluate([[2, 0]])["square"].tolist() == [4]
    assert cached.evaluate([[2, 0]], "quick")["square"].tolist() == [104]
    assert cached.evaluate([[2, 0]])["square"].tolist() == [4]
    assert merged.batches == [[2], [2]]
    with pytest.raises(UnknownNameError, match="no fidelity named 'slow'"):
        cached.evaluate([[2, 0]], "slow")


def test_a_full_cache_starts_anew_and_stays_right() -> None:
    cached = Cached(Sphere(), limit=50)
    rng = np.random.default_rng(0)
    for n in (30, 20, 1, 120, 40, 40):
        designs = Sphere.space.sample(n, rng)
        assert not same(cached.evaluate(designs), Sphere().evaluate(designs))
    before = cached.misses
    assert before == 251
    cached.evaluate(designs)
    assert cached.misses == before  # hits do not fill it


def test_a_simulator_with_chance_in_it_is_never_cached() -> None:
    counted = Counted(Sphere())
    counted.deterministic = False
    cached = Cached(counted)
    for _ in range(3):
        cached.evaluate(Sphere.space.default)
    assert len(counted.seen) == 3 and cached.misses == 0
    assert len(Cached(Sphere()).evaluate(np.zeros((0, 8), int))) == 0


def test_wrong_designs_reach_nobody() -> None:
    counted = Counted(Sphere())
    for wrapped in (Cached(counted), Faulty(counted)):
        with pytest.raises(DesignError, match="sphere: designs must have shape"):
            wrapped.evaluate([[1, 2]])
    assert counted.seen == []


def spoilt(share: float, salt: int = 0, simulator: Simulator | None = None) -> Metrics:
    return Faulty(simulator or Mixture(), share, salt).evaluate(Mixture.space.sample(1000, 0))


def test_faulty_spoils_its_share_in_every_way() -> None:
    result = spoilt(0.4)
    counts = np.bincount(result.status, minlength=len(Status))
    assert 340 < counts[1:].sum() < 460 and counts.min() > 60
    assert spoilt(0).ok.all() and not spoilt(1).ok.any()
    assert (result.violation > 0).tolist() == (result.status == Status.INVALID).tolist()
    assert set(result.reasons) == set(np.flatnonzero(~result.ok).tolist())
    priced = np.isin(result.status, (Status.OK, Status.SUSPECT))
    assert np.isfinite(result["distance"]).tolist() == priced.tolist()


def test_faulty_spoils_the_same_designs_whatever_the_batch() -> None:
    designs, result = Mixture.space.sample(1000, 0), spoilt(0.4)
    faulty = Faulty(Mixture(), 0.4)
    assert not same(Metrics.concatenate([faulty.evaluate(part) for part in np.array_split(designs, 7)]), result)
    assert not same(faulty.evaluate(designs[::-1]), result.take(np.arange(1000)[::-1]))
    assert same(spoilt(0.4, salt=1), result)


def test_faulty_leaves_bad_designs_as_they_are() -> None:
    designs = Constrained.space.sample(100, 0)
    plain, result = Constrained().evaluate(designs), Faulty(Constrained(), 1.0).evaluate(designs)
    assert not same(result.take(~plain.ok), plain.take(~plain.ok))
    assert not result.ok.any()


def test_faulty_checks_its_share() -> None:
    with pytest.raises(ContractError, match=r"share must be from 0 to 1, got 1\.5"):
        Faulty(Mixture(), 1.5)


def test_wrappers_pickle_with_their_settings() -> None:
    faulty, cached = pickle.loads(pickle.dumps((Faulty(Mixture(), 0.3, 5), Cached(Mixture(), limit=7))))
    assert (faulty.share, faulty.salt, cached.limit, cached.misses) == (0.3, 5, 7, 0)
    assert not same(
        faulty.evaluate(Mixture.space.sample(50, 0)), Faulty(Mixture(), 0.3, 5).evaluate(Mixture.space.sample(50, 0))
    )
