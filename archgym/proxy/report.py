"""How good a proxy is on designs that it was not trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.metrics import Metric

Floats = NDArray[np.float64]

TOP = 0.01
"""The best share of designs that a search is after."""
PAIRS_LIMIT = 20_000
"""Rows that the rank correlation looks at, at most: the first ones."""


def judge(
    metric: Metric, truth: Floats, predicted: Floats, std: Floats | None = None, weights: Floats | None = None
) -> dict[str, Any]:
    """Errors of one metric on N held-out designs.

    Args:
        metric: says which way is better.
        truth: (N,) what the simulator says.
        predicted: (N,) what the proxy says.
        std: (N,) the standard deviations that the proxy gives itself, if it knows them.
        weights: (N,) how many trials each design stands for; one each by default.

    Returns:
        rmse_of_mean, rmse_of_range, rmse_of_std: root mean square error in percent of the mean, the range and the standard
        deviation of the true values.  mean_relative, p99_relative: of the absolute relative errors, in percent.  r2.  kendall:
        rank correlation tau-b.  top_recall: share of the best 1 % that are among the predicted best 1 %.  regret: relative
        distance of the design that the proxy picks to the best one.  rms_z: root mean square of error / std, 1 where std is
        right; within_1, within_2: share of errors within one and two std (0.68 and 0.95 if they were normal).  None where
        something is not defined.
    """
    share = np.ones(len(truth)) if weights is None else weights
    share = share / share.sum()
    error = predicted - truth
    mean = float(share @ truth)
    rmse = float(np.sqrt(share @ error**2))
    deviation = float(np.sqrt(share @ (truth - mean) ** 2))
    relative = np.abs(error) / np.where(truth == 0, np.nan, np.abs(truth))
    known = np.isfinite(relative)
    sign = -1.0 if metric.goal == "max" else 1.0
    best = float((sign * truth).min())
    picked = float((sign * truth)[np.argmin(sign * predicted)])
    found: dict[str, Any] = {
        "rows": len(truth),
        "rmse": rmse,
        "rmse_of_mean": _percent(rmse, abs(mean)),
        "rmse_of_range": _percent(rmse, float(np.ptp(truth))),
        "rmse_of_std": _percent(rmse, deviation),
        "mean_relative": 100 * float(share[known] @ relative[known]) / float(share[known].sum()) if known.any() else None,
        "p99_relative": 100 * float(np.quantile(relative[known], 0.99)) if known.any() else None,
        "r2": 1 - (rmse / deviation) ** 2 if deviation > 0 else None,
        "kendall": _kendall(truth[:PAIRS_LIMIT], predicted[:PAIRS_LIMIT]),
        "top_recall": top_recall(sign * truth, sign * predicted),
        "regret": (picked - best) / (abs(best) or 1.0),
    }
    if std is not None:
        z = np.abs(error) / std
        found["rms_z"] = float(np.sqrt(share @ z**2))
        found["within_1"], found["within_2"] = float(share @ (z <= 1)), float(share @ (z <= 2))
    return found


def top_recall(truth: Floats, predicted: Floats) -> float:
    """Share of the true best 1 % (small is good) that are among the predicted best 1 %; ties of the truth count as found."""
    count = max(round(TOP * len(truth)), 1)
    limit = np.partition(truth, count - 1)[count - 1]
    chosen = np.argsort(predicted, kind="stable")[:count]
    return float((truth[chosen] <= limit).mean())


def _percent(part: float, whole: float) -> float | None:
    return 100 * part / whole if whole > 0 else None


def _kendall(truth: Floats, predicted: Floats) -> float | None:
    from scipy.stats import kendalltau

    tau = float(kendalltau(truth, predicted).statistic)
    return tau if np.isfinite(tau) else None
