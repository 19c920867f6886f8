"""Bayesian optimisation with a Gaussian process from scikit-optimize: few designs, much thought about each."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym import Agent, Designs, DesignSpace, Metrics, Parameter, Scores
from archgym.errors import MissingExtraError

HYPERPARAMETERS = DesignSpace(
    (
        Parameter("acquisition", ("EI", "LCB", "PI", "gp_hedge"), ordered=False, doc="what makes a design worth a try"),
        Parameter(
            "xi", (0.0, 0.001, 0.01, 0.1), default=0.01, doc="EI, PI: least gain that counts, in deviations of the scores"
        ),
        Parameter("kappa", (0.5, 1.0, 1.96, 3.0), default=1.96, doc="LCB: weight of uncertainty"),
        Parameter("initial", (4, 8, 16, 32, 64), default=16, doc="designs before the first model, a Latin hypercube"),
        Parameter("batch", (1, 2, 4, 8, 16, 32), default=8, doc="designs per model"),
        Parameter("lie", ("best", "mean", "worst"), ordered=False, doc="score assumed of a design that is being evaluated"),
        Parameter("scale", ("clipped", "rank", "linear", "log"), ordered=False, doc="what the model sees of the scores"),
        Parameter("noise", ("fitted", "none"), ordered=False, doc="whether equal designs may score differently"),
        Parameter("refit", (8, 16, 32, 64, 128), default=32, doc="new designs after which length scales are fitted anew"),
        Parameter("history", (64, 128, 256, 512, 1024), default=256, doc="designs that the model is conditioned on"),
    ),
    name="bayes_gp",
)

CANDIDATES = 1000
"""Designs among which the acquisition function chooses: half anywhere, half near the best ones; all, in a smaller space."""

FITTED = 128
"""Designs to which length scales are fitted, at most; each step of that fit is cubic."""

STEPS = 20
"""Iterations of one fit; the next starts where it ended."""

PRIOR = 1.0
"""Standard deviation of the prior of the log length scales."""

JITTER = 1e-6
"""Variance added for numerical reasons, in units of the variance of the scores."""

EDGE = 0.2
"""How much worse than the worst OK design the model takes the worst bad one to be, as a share of the spread of the OK ones."""

Floats = NDArray[np.float64]


class BayesGP(Agent):
    """Gaussian-process optimisation (Mockus 1975; Jones, Schonlau and Welch 1998) over level indices.

    Ordered parameters are Integer dimensions and the others Categorical (one-hot) ones, under a Matern 5/2 kernel with a
    length scale each.  Batches are built by constant liar (Ginsbourger, Le Riche and Carraro 2010): each pick is added to the
    model with an assumed score; gp_hedge chooses among EI, LCB and PI by their past success (Hoffman, Brochu and de Freitas
    2011).  No design is proposed twice before all have been, and none that breaks a stated constraint while others are left.

    What keeps it affordable: length scales are fitted anew only every ``refit`` designs and to at most ``FITTED`` of them; the
    model is conditioned on at most ``history`` designs, half of them the best known and the others the most recent; a lie
    updates the posterior instead of refitting it.

    What keeps it robust: designs that are not OK count as a little worse than the worst OK one, in their order, and scores are
    standardised.  By default those that are further below the median than the best is above it are first clipped, so that a
    long tail of bad designs does not hide the differences among good ones; "rank" takes normal scores of ranks instead.
    """

    name = "bayes_gp"
    asynchronous = True
    learns_from_past = True
    library = "scikit-optimize"
    hyperparameters = HYPERPARAMETERS

    def __init__(self, space: DesignSpace, *, seed: int | np.random.SeedSequence, **hyperparameters: Any) -> None:
        super().__init__(space, seed=seed, **hyperparameters)
        self._blas = _blas()
        self.batch = self.settings["batch"]
        self._tables = _feature_tables(space)
        self._known: dict[bytes, tuple[NDArray[np.int32], float, bool]] = {}
        self._pending: dict[bytes, NDArray[np.int32]] = {}
        self._queue = _latin_hypercube(space, self.settings["initial"], self.rng)
        self._kernel: Any = None
        self._noise = 0.0
        self._fitted_at = 0
        self._gains = np.zeros(3)
        self._nominated: Designs = self.space.default[:0]

    def ask(self, n: int) -> Designs:
        """Proposes the ``n`` designs that the acquisition function prefers, (n, D) int32; at first a Latin hypercube."""
        missing = self.settings["initial"] - len(self._known) - len(self._pending)
        early = n if len(self._known) < 2 else min(max(missing, 0), n)
        if early > len(self._queue):
            more = _latin_hypercube(self.space, early - len(self._queue), self.rng)
            self._queue = np.concatenate([self._queue, more])
        designs, self._queue = self._unseen(self._queue[:early]), self._queue[early:]
        self._pending.update({row.tobytes(): row for row in designs})
        if not (rest := n - len(designs)):
            return designs.copy()
        with self._blas.limit(limits=1, user_api="blas"):
            more = self._choose(rest) if len(self._known) > 1 else self.space.sample(rest, self.rng)
        self._pending.update({row.tobytes(): row for row in more})
        return np.concatenate([designs, more])

    def tell(self, designs: Designs, scores: Scores, metrics: Metrics) -> None:
        """Remembers designs, its own or anybody's; of one that is told twice, the later score."""
        for row, score, ok in zip(designs.astype(np.int32), scores.tolist(), metrics.ok.tolist(), strict=True):
            self._pending.pop(row.tobytes(), None)
            self._known.pop(row.tobytes(), None)  # so that a repeated design counts as recent
            self._known[row.tobytes()] = (row, score, ok)

    def _choose(self, n: int) -> Designs:
        designs, costs = self._history()
        candidates = self._candidates(designs[np.argsort(costs, kind="stable")[:10]], n)
        lie = float({"best": costs.min(), "mean": costs.mean(), "worst": costs.max()}[self.settings["lie"]])
        waiting = np.array(list(self._pending.values())[-len(designs) :], np.int32).reshape(-1, self.space.dimensions)
        self._fit(designs, costs)
        posterior = _Posterior(
            self._kernel,
            self._noise,
            self._features(np.concatenate([designs, waiting])),
            np.concatenate([costs, np.full(len(waiting), lie)]),
            self._features(candidates),
        )
        self._reward(posterior)
        picks: list[int] = []
        for _ in range(min(n, len(candidates))):
            values = self._acquire(posterior, float(costs.min()), candidates)
            values[picks] = -np.inf
            picks.append(int(np.argmax(values)))
            posterior.lie(picks[-1], lie)
        return np.concatenate([candidates[picks], self.space.sample(n - len(picks), self.rng)])

    def _history(self) -> tuple[Designs, Floats]:
        """Designs that the model is conditioned on, oldest first, and their costs with mean 0 and variance 1."""
        known = list(self._known.values())
        designs = np.array([row for row, _, _ in known], np.int32).reshape(-1, self.space.dimensions)
        costs = _costs(np.array([s for _, s, _ in known]), np.array([ok for _, _, ok in known]), self.settings["scale"])
        keep = _subset(costs, self.settings["history"])
        designs, costs = designs[keep], costs[keep]
        return designs, (costs - costs.mean()) / (costs.std() or 1.0)

    def _fit(self, designs: Designs, costs: Floats) -> None:
        """Fits amplitude, length scales and noise, unless the last fit is recent."""
        if self._kernel is not None and len(self._known) - self._fitted_at < self.settings["refit"]:
            return
        from skopt.learning import GaussianProcessRegressor
        from skopt.learning.gaussian_process.kernels import ConstantKernel, Matern

        rows = _subset(costs, FITTED)
        features = self._features(designs[rows])
        if self._kernel is None:
            scale = np.sqrt(self.space.dimensions) / 2
            self._kernel = ConstantKernel(1.0, (0.01, 100.0)) * Matern(
                np.full(features.shape[1], scale), (0.01, 100.0), nu=2.5
            )
        model = GaussianProcessRegressor(
            self._kernel,
            noise="gaussian" if self.settings["noise"] == "fitted" else JITTER,
            optimizer=partial(_fit_tied, widths=[table.shape[1] for table in self._tables]),
            random_state=0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # length scales at their bounds: parameters that do not matter
            model.fit(features, costs[rows])
        self._kernel, self._noise = model.kernel_.k1, model.noise_ + JITTER
        self._fitted_at = len(self._known)

    def _acquire(self, posterior: _Posterior, best: float, candidates: Designs) -> Floats:
        """What each candidate is worth, larger is better."""
        from skopt.acquisition import gaussian_ei, gaussian_lcb, gaussian_pi

        functions: dict[str, Any] = {
            "EI": lambda: gaussian_ei(None, posterior, best, self.settings["xi"]),
            "LCB": lambda: -gaussian_lcb(None, posterior, self.settings["kappa"]),
            "PI": lambda: gaussian_pi(None, posterior, best, self.settings["xi"]),
        }
        if self.settings["acquisition"] != "gp_hedge":
            return np.asarray(functions[self.settings["acquisition"]]())
        values = np.stack([function() for function in functions.values()])
        self._nominated = candidates[np.argmax(values, axis=1)]
        odds = np.exp(self._gains - self._gains.max())
        return np.asarray(values[self.rng.choice(3, p=odds / odds.sum())])

    def _reward(self, posterior: _Posterior) -> None:
        """gp_hedge: each acquisition function gains by what the model now thinks of its last nominee."""
        if len(self._nominated):
            self._gains -= posterior.mean_at(self._features(self._nominated))

    def _candidates(self, best: Designs, n: int) -> Designs:
        """Designs not proposed before, distinct, none that breaks a constraint as long as others are left."""
        if self.space.size <= CANDIDATES:
            drawn = next(self.space.enumerate(CANDIDATES))
        else:
            half = max(CANDIDATES // 2, n)
            drawn = np.concatenate([self.space.sample(half, self.rng), self._near(best, half)])
        designs = self._unseen(drawn)
        allowed = self.space.contains(designs)
        return designs[allowed] if allowed.any() else designs

    def _unseen(self, designs: Designs) -> Designs:
        """The designs that were neither told nor proposed, each once."""
        distinct = {row.tobytes(): row for row in designs}
        fresh = [row for key, row in distinct.items() if key not in self._known and key not in self._pending]
        return np.array(fresh, np.int32).reshape(-1, self.space.dimensions)

    def _near(self, best: Designs, n: int) -> Designs:
        """Variants of the best designs with one or two parameters changed, half of the ordered ones by one level."""
        parents = best[self.rng.integers(0, len(best), n)]
        changed = self.rng.random(parents.shape) < 1.0 / self.space.dimensions
        changed[np.arange(n), self.rng.integers(0, self.space.dimensions, n)] = True
        step = np.clip(parents + self.rng.choice([-1, 1], parents.shape), 0, self.space.nvec - 1)
        ordered = np.array([parameter.ordered for parameter in self.space.parameters])
        small = ordered & (self.rng.random(parents.shape) < 0.5)
        moved = np.where(small, step, self.rng.integers(0, self.space.nvec, parents.shape))
        return np.where(changed, moved, parents).astype(np.int32)

    def _features(self, designs: Designs) -> Floats:
        return np.concatenate([table[designs[:, i]] for i, table in enumerate(self._tables)], axis=1)


class _Posterior:
    """Mean and deviation of the model at fixed candidates; ``predict`` is what the acquisition functions call."""

    def __init__(self, kernel: Any, noise: float, features: Floats, costs: Floats, candidates: Floats) -> None:
        self._kernel, self._noise, self._features, self._points = kernel, noise, features, candidates
        lower = np.linalg.cholesky(kernel(features) + noise * np.eye(len(features)))
        whitened = np.linalg.solve(lower, np.column_stack([costs, kernel(features, candidates)]))
        self._weights = np.linalg.solve(lower.T, whitened[:, 0])
        self._rows = whitened[:, 1:]
        self._mean = self._rows.T @ whitened[:, 0]
        self._variance = kernel.diag(candidates) - (self._rows**2).sum(axis=0)

    def predict(self, _: object, return_std: bool = True) -> tuple[Floats, Floats]:
        """Mean and deviation of the cost at every candidate, (M,) each."""
        return self._mean, np.sqrt(np.maximum(self._variance, 0.0))

    def mean_at(self, features: Floats) -> Floats:
        """Mean of the cost elsewhere, lies left out."""
        return np.asarray(self._kernel(features, self._features) @ self._weights)

    def lie(self, index: int, cost: float) -> None:
        """Adds a candidate with an assumed cost: one more row of the Cholesky factor."""
        row = self._kernel(self._points[index : index + 1], self._points)[0] - self._rows[:, index] @ self._rows
        deviation = np.sqrt(max(row[index], 0.0) + self._noise)
        row /= deviation
        self._mean = self._mean + row * (cost - self._mean[index]) / deviation
        self._variance = self._variance - row**2
        self._rows = np.concatenate([self._rows, row[None, :]])


def _fit_tied(objective: Any, start: Floats, bounds: Floats, *, widths: list[int]) -> tuple[Floats, float]:
    """Maximises the likelihood a posteriori with one length scale per parameter, however many features it has.

    The log length scales have a normal prior around that of a space of as many dimensions (Hvarfner, Hellsten and Nardi
    2024), without which some hundred designs do not determine them.
    """
    from scipy.optimize import minimize  # comes with scikit-optimize

    owner = np.concatenate([[0], 1 + np.repeat(np.arange(len(widths)), widths)])
    owner = np.concatenate([owner, owner[-1] + 1 + np.arange(len(start) - len(owner))])
    first = np.unique(owner, return_index=True)[1]
    scales = slice(1, 1 + len(widths))
    centre = np.log(np.sqrt(len(widths)) / 2)

    def tied(point: Floats) -> tuple[float, Floats]:
        value, gradient = objective(point[owner])
        slope: Floats = np.bincount(owner, gradient, len(point)).astype(np.float64)
        off = point[scales] - centre
        slope[scales] += off / PRIOR**2
        return float(value + (off**2).sum() / (2 * PRIOR**2)), slope

    found = minimize(tied, start[first], jac=True, method="L-BFGS-B", bounds=bounds[first], options={"maxiter": STEPS})
    return np.asarray(found.x[owner], np.float64), float(found.fun)


def _blas() -> Any:
    """Holds linear algebra to one thread: the matrices are small, and on busy cores more threads take thirty times as long."""
    try:
        import skopt  # noqa: F401 - only whether it is there
        from threadpoolctl import ThreadpoolController  # comes with scikit-optimize
    except ImportError:
        raise MissingExtraError("agent bayes_gp", "scikit-optimize", "bayes") from None
    return ThreadpoolController()


def _feature_tables(space: DesignSpace) -> list[Floats]:
    """Per parameter the features of its levels, (levels, width): a number from 0 to 1 if ordered, else one-hot."""
    from skopt.space import Categorical, Integer
    from skopt.utils import normalize_dimensions

    tables = []
    for parameter in space.parameters:
        levels = list(range(len(parameter.values)))
        if len(levels) == 1:
            tables.append(np.zeros((1, 1)))
            continue
        dimension = Integer(0, levels[-1]) if parameter.ordered else Categorical(levels)
        (dimension,) = normalize_dimensions([dimension]).dimensions
        tables.append(np.asarray(dimension.transform(levels), np.float64).reshape(len(levels), -1))
    return tables


def _latin_hypercube(space: DesignSpace, n: int, rng: np.random.Generator) -> Designs:
    """``n`` designs whose levels are as evenly spread as can be in every parameter (McKay, Beckman and Conover 1979)."""
    strata = np.stack([rng.permutation(n) for _ in range(space.dimensions)], axis=1)
    return space.from_unit((strata + rng.random(strata.shape)) / n)


def _costs(scores: Scores, ok: NDArray[np.bool_], scale: str) -> Floats:
    """Costs for the model, (N,): a monotone map of the scores under which bad designs are near the worst OK one."""
    costs = -scores
    low, high = (costs[ok].min(), costs[ok].max()) if ok.any() else (0.0, 0.0)
    spread = (high - low) or 1.0
    order = np.argsort(np.argsort(costs, kind="stable"), kind="stable") / len(costs)
    costs = np.where(ok, costs, high + EDGE * spread * (0.5 + 0.5 * order))
    if scale == "linear":
        return costs
    if scale == "clipped":
        middle = np.median(costs)
        reach = middle - costs.min()
        return np.minimum(costs, middle + reach) if reach > 0 else costs
    if scale == "log":
        return np.asarray(np.log((costs - low) / spread + 0.01))
    from scipy.special import ndtri  # comes with scikit-optimize

    _, inverse, counts = np.unique(costs, return_inverse=True, return_counts=True)
    below = np.cumsum(counts) - counts / 2
    return np.asarray(ndtri(below / len(costs))[inverse.reshape(-1)])


def _subset(costs: Floats, n: int) -> NDArray[np.intp]:
    """Rows of the ``n // 2`` least costs and, of the others, of the most recent; all if there are no more than ``n``."""
    if len(costs) <= n:
        return np.arange(len(costs))
    order = np.argsort(costs, kind="stable")
    best, others = order[: n // 2], np.sort(order[n // 2 :])
    return np.sort(np.concatenate([best, others[-(n - n // 2) :]]))
