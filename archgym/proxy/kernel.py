"""Gaussian-process regression over levels: what a design is worth follows from how far it is from priced ones.

The correlation of two designs is a product over parameters.  Between neighbouring levels of an ordered parameter lies a step
with a length of its own; every level of an unordered one has a radius.  The correlation is exp(-sum of the lengths between
two designs): a Laplace kernel over binary features.  Lengths and noise maximise the likelihood of a part of the data
(Rasmussen and Williams 2006, section 5.4.1, with one scale per metric that is maximised in closed form).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.errors import MissingExtraError
from archgym.proxy.graphs import Graph, add_lookup, group_rows
from archgym.space import Designs, DesignSpace

Floats = NDArray[np.float64]

PART = 1000
"""Designs from which lengths are learned."""
CENTRES = 4500
"""Designs that predictions refer to, at most; further ones enter by least squares."""
TABLE_ELEMENTS = 12_000_000
"""Largest size of all tables together: 48 MB in a saved proxy."""
STEPS = 60
JITTER = 1e-9
"""Added to the correlation of a centre with itself, so that its factor exists in double precision."""
NOISE = (np.log(4e-6), np.log(1.0))  # less would need more digits than the saved single precision has
LENGTH = (np.log(1e-5), np.log(10.0))
_EXPECTED, _SPREAD = np.log(0.1), 3.0  # a wide prior: lengths about which the data say nothing stay finite


@dataclass(frozen=True)
class Kernel:
    """A fitted process.

    Attributes:
        centres: (C, D) int32.
        lengths: (B,) one per binary feature.
        noise: variance of what the kernel does not explain, relative to the whole.
        weights: (C, M) of each centre in each output.
    """

    centres: Designs
    lengths: Floats
    noise: float
    weights: Floats

    def add_to(self, graph: Graph, space: DesignSpace) -> tuple[str, str]:
        """Adds prediction and spread; names of (N, M) standardised targets and of (N,) spreads from 0 to 1."""
        tables = _tables(space, self.lengths, self.centres)
        near = add_lookup(graph, space, tables, "Mul", "kernel")
        weights = graph.constant("kernel_weights", self.weights.astype(np.float32))
        targets = graph.add("MatMul", [near, weights], "targets")
        nearest = graph.add("ReduceMax", [near], "kernel_nearest", axes=[1], keepdims=0)
        squared = graph.add("Mul", [nearest, nearest], "kernel_squared")
        one = graph.constant("kernel_one", np.array(1.0 + self.noise, np.float32))
        return targets, graph.add("Sqrt", [graph.add("Sub", [one, squared], "kernel_unknown")], "spread")


def fit_kernel(space: DesignSpace, designs: Designs, targets: Floats, seed: int, like: Kernel | None = None) -> Kernel:
    """Fits a process.

    Args:
        space: of the designs.
        designs: (K, D) int32 distinct designs.
        targets: (K, M) standardised.
        seed: of the choice of parts and centres.
        like: a process whose lengths and noise are taken over; learned by default.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(designs))
    features = binary_features(space, designs)
    part = order[:PART]
    lengths, noise = (like.lengths, like.noise) if like else _learn(features[part], targets[part])
    most = min(CENTRES, TABLE_ELEMENTS // group_rows(space))
    chosen = np.sort(order[:most])
    weights = _solve(features, chosen, targets, lengths, noise)
    return Kernel(designs[chosen], lengths, noise, weights)


def binary_features(space: DesignSpace, designs: Designs) -> Floats:
    """(N, B): for ordered parameters whether the level is above each step, for others which level it is."""
    columns = []
    for i, parameter in enumerate(space.parameters):
        levels = np.arange(len(parameter.values))
        given = designs[:, i : i + 1]
        columns.append(given > levels[:-1] if parameter.ordered else given == levels)
    return np.concatenate(columns, axis=1).astype(np.float64)


def correlation(left: Floats, right: Floats, lengths: Floats) -> Floats:
    """exp(-sum of lengths of the features in which two designs differ), (N, C)."""
    weighted = left * lengths
    distance = weighted.sum(axis=1)[:, None] + (right * lengths).sum(axis=1) - 2 * weighted @ right.T
    return np.asarray(np.exp(-np.maximum(distance, 0.0)))


def _learn(features: Floats, targets: Floats) -> tuple[Floats, float]:
    optimize, linalg = _scipy()
    n, outputs = targets.shape
    width = features.shape[1]

    def cost(point: Floats) -> tuple[float, Floats]:
        lengths, noise = np.exp(point[:width]), np.exp(point[width])
        near = correlation(features, features, lengths)
        try:
            factor = linalg.cho_factor(near + noise * np.eye(n), lower=True)
        except linalg.LinAlgError:
            return 1e25, np.zeros_like(point)
        inverse = linalg.cho_solve(factor, np.eye(n))
        explained = inverse @ targets
        scale = np.maximum((targets * explained).sum(axis=0) / n, 1e-12)
        prior = (point[:width] - _EXPECTED) / _SPREAD
        value = n / 2 * np.log(scale).sum() + outputs * np.log(np.diag(factor[0])).sum() + 0.5 * (prior**2).sum()
        # d cost / d K, then the chain rule: dK/d log length = -length |b - b'| K.
        slope = 0.5 * (outputs * inverse - (explained / scale) @ explained.T)
        bent = slope * near
        through = 2 * (features * bent.sum(axis=1)[:, None]).sum(axis=0) - 2 * ((features.T @ bent) * features.T).sum(axis=1)
        gradient = np.append(-lengths * through + prior / _SPREAD, noise * np.trace(slope))
        return float(value), gradient

    start = np.append(np.full(width, np.log(0.1)), np.log(1e-4))
    found = optimize.minimize(
        cost,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[LENGTH] * width + [NOISE],
        options={"maxiter": STEPS, "maxfun": STEPS},
    )
    return np.exp(found.x[:width]), float(np.exp(found.x[width]))


def _solve(features: Floats, chosen: NDArray[np.intp], targets: Floats, lengths: Floats, noise: float) -> Floats:
    _, linalg = _scipy()
    near = correlation(features[chosen], features[chosen], lengths)
    if len(chosen) == len(features):
        near[np.diag_indices_from(near)] += noise
        return np.asarray(linalg.solve(near, targets, assume_a="pos", overwrite_a=True))
    # Subset of regressors (Rasmussen and Williams 2006, equation 8.14) in the coordinates of the centres' Cholesky factor, in
    # which the noise alone keeps the system well-conditioned; blocks keep the memory bounded.
    near[np.diag_indices_from(near)] += JITTER
    factor = linalg.cholesky(near, lower=True, overwrite_a=True)
    system, right = noise * np.eye(len(chosen)), np.zeros((len(chosen), targets.shape[1]))
    for start in range(0, len(features), 2048):
        block = correlation(features[chosen], features[start : start + 2048], lengths)
        block = linalg.solve_triangular(factor, block, lower=True, overwrite_b=True)
        system += block @ block.T
        right += block @ targets[start : start + 2048]
    inner = linalg.solve(system, right, assume_a="pos", overwrite_a=True)
    return np.asarray(linalg.solve_triangular(factor, inner, lower=True, trans="T"))


def _tables(space: DesignSpace, lengths: Floats, centres: Designs) -> list[NDArray[np.float32]]:
    tables, start = [], 0
    for i, parameter in enumerate(space.parameters):
        levels = np.zeros((len(parameter.values), space.dimensions), np.int32)
        levels[:, i] = np.arange(len(parameter.values))
        width = len(parameter.values) - (1 if parameter.ordered else 0)
        own = slice(start, start + width)
        near = correlation(binary_features(space, levels)[:, own], binary_features(space, centres)[:, own], lengths[own])
        tables.append(near.astype(np.float32))
        start += width
    return tables


def _scipy() -> tuple[Any, Any]:
    try:
        from scipy import linalg, optimize
    except ImportError:
        raise MissingExtraError("a proxy", "scipy", "proxy") from None
    return optimize, linalg
