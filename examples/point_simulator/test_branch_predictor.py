"""The contract, and what is known about the model."""
# ruff: noqa: D103 - a test's name says what it holds

from branch_predictor import BranchPredictor

from archgym import Simulator
from archgym.testing import check_simulator


def wrong(simulator: Simulator, **design: int) -> float:
    """Mispredicted branches of one design, per thousand."""
    return float(simulator.evaluate(simulator.space.encode(design))["wrong_per_1000"][0])


def test_it_keeps_the_contract() -> None:
    check_simulator(BranchPredictor(), designs=8)


def test_history_is_worth_its_bits_until_the_table_is_too_small_for_it() -> None:
    simulator = BranchPredictor()
    assert wrong(simulator, table_bits=12, history_bits=12) < 0.6 * wrong(simulator, table_bits=12, history_bits=0)
    assert wrong(simulator, table_bits=4, history_bits=4) == wrong(simulator, table_bits=4, history_bits=12)
