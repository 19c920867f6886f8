"""The Gaussian process over levels."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from archgym import DesignSpace, Parameter
from archgym.proxy import kernel
from archgym.space import Designs


def predict(process: kernel.Kernel, space: DesignSpace, designs: Designs) -> NDArray[np.float64]:
    features, centres = kernel.binary_features(space, designs), kernel.binary_features(space, process.centres)
    return kernel.correlation(features, centres, process.lengths) @ process.weights


def test_more_designs_than_centres_cost_little_accuracy(monkeypatch: pytest.MonkeyPatch) -> None:
    space = DesignSpace(tuple(Parameter(f"p{i}", tuple(range(12))) for i in range(3)))
    designs = space.unrank(np.arange(space.size))
    place = designs / 11
    targets = np.stack([np.exp(place @ [0.5, 1, 1.5]), np.sin(3 * place).sum(axis=1)], axis=1)
    targets = (targets - targets.mean(axis=0)) / targets.std(axis=0)
    whole = kernel.fit_kernel(space, designs, targets, seed=0)
    monkeypatch.setattr(kernel, "CENTRES", 1500)
    some = kernel.fit_kernel(space, designs, targets, seed=0, like=whole)
    assert len(some.centres) == 1500 < len(whole.centres)
    for process in (whole, some):
        assert np.sqrt(np.mean((predict(process, space, designs) - targets) ** 2)) < 2e-4
