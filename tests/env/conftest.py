"""Every registered environment in every formulation."""

from __future__ import annotations

import itertools

import pytest

import archgym
from archgym.hosting import FORMULATIONS

CASES = [
    pytest.param(f"archgym/{name}", formulation, id=f"{name}-{formulation}")
    for name, formulation in itertools.product(sorted(archgym.environment_ids()), FORMULATIONS)
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that take ``env_id`` and ``formulation`` run over all of them."""
    if {"env_id", "formulation"} <= set(metafunc.fixturenames):
        metafunc.parametrize(("env_id", "formulation"), CASES)
