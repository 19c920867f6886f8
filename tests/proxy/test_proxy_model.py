from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archgym.errors import ProxyError, UnknownNameError
from archgym.metrics import Metrics
from archgym.proxy import Proxy
from archgym.proxy.training import training_set
from archgym.simulator import Simulator
from archgym.space import Designs

Trials = tuple[Simulator, Designs, Metrics]
NAMES = ("kernel", "forest", "boosting", "mlp")
ERRORS = {"kernel": 1.0, "forest": 8.0, "boosting": 30.0, "mlp": 60.0}


@pytest.mark.parametrize("name", NAMES)
def test_predicts_designs_it_has_not_seen(proxies: dict[str, Proxy], trials: Trials, fresh: Designs, name: str) -> None:
    truth = trials[0].evaluate(fresh)
    for metric, predicted in proxies[name].predict(fresh).items():
        error = 100 * np.sqrt(np.mean((predicted - truth[metric]) ** 2)) / truth[metric].mean()
        assert error < ERRORS[name], f"{name} {metric}: {error:.2f} %"


@pytest.mark.parametrize("name", NAMES)
def test_report_tells_every_error_of_every_metric(proxies: dict[str, Proxy], name: str) -> None:
    report = proxies[name].report
    assert list(report) == ["latency_ns", "power_mw"]
    for errors in report.values():
        assert errors["rows"] > 50 and errors["rmse_of_mean"] > 0 and 0 <= errors["top_recall"] <= 1 and errors["regret"] >= 0
        assert errors["p99_relative"] >= errors["mean_relative"] and -1 <= errors["kendall"] <= 1
        assert ("rms_z" in errors) == (name in ("kernel", "forest"))


@pytest.mark.parametrize("name", NAMES)
def test_saved_and_loaded_predicts_the_same(
    proxies: dict[str, Proxy], trials: Trials, fresh: Designs, tmp_path: Path, name: str
) -> None:
    proxies[name].save(tmp_path)
    loaded = Proxy.load(tmp_path)
    for metric, values in proxies[name].predict(fresh).items():
        np.testing.assert_array_equal(values, loaded.predict(fresh)[metric])
    assert loaded.report == proxies[name].report and loaded.digest == proxies[name].digest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["coverage.onnx", "model.onnx", "proxy.json"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**31), rows=st.integers(1, 400))
def test_any_batch_is_predicted_alike_before_and_after_saving(saved: Path, proxy: Proxy, seed: int, rows: int) -> None:
    loaded = Proxy.load(saved)
    designs = proxy.simulator.space.sample(rows, seed=seed)
    for std in (False, True):
        before, after = proxy.predict(designs, std), loaded.predict(designs, std)
        assert list(before) == list(after)
        assert all((before[name] == after[name]).all() for name in before)
    np.testing.assert_array_equal(proxy.distance(designs), loaded.distance(designs))


def test_equivalent_designs_are_predicted_alike(proxy: Proxy, fresh: Designs) -> None:
    canonical = proxy.simulator.canonical(fresh)
    assert (canonical != fresh).any()
    np.testing.assert_array_equal(proxy.predict(fresh)["latency_ns"], proxy.predict(canonical)["latency_ns"])


def test_one_design_alone_is_predicted_as_in_a_batch(proxy: Proxy, fresh: Designs) -> None:
    batch = proxy.predict(fresh)["latency_ns"]
    alone = np.concatenate([proxy.predict(design[None])["latency_ns"] for design in fresh[:20]])
    np.testing.assert_allclose(alone, batch[:20], rtol=1e-5)


def test_the_distance_is_zero_at_training_designs_and_not_elsewhere(proxy: Proxy, trials: Trials) -> None:
    assert proxy.distance(trials[1]).max() < 1e-5
    assert not proxy.out_of_range(trials[1]).any()
    narrow = trials[1][(trials[1][:, 0] == 0) & (trials[1][:, 8] == 1)]
    of_part = Proxy("mlp", max_iter=5).fit((trials[0], narrow, trials[0].evaluate(narrow)), ["latency_ns"])
    classes = trials[0].canonical(trials[1])
    others = classes[(classes[:, 0] == 3) & (classes[:, 8] == 0)]
    assert of_part.out_of_range(others).mean() > 0.5 and of_part.distance(others).min() >= 1


def test_predictions_stay_within_physical_bounds(proxies: dict[str, Proxy], fresh: Designs) -> None:
    for name in NAMES:
        for metric, values in proxies[name].predict(fresh).items():
            low, high = proxies[name].simulator.metric(metric).bounds
            assert values.min() >= low and values.max() <= high


def test_no_design_gives_empty_columns(proxy: Proxy) -> None:
    empty = proxy.predict(np.zeros((0, 10), np.int32), std=True)
    assert {name: len(values) for name, values in empty.items()} == dict.fromkeys(
        ("latency_ns", "power_mw", "latency_ns_std", "power_mw_std"), 0
    )


def test_a_model_without_std_says_so(proxies: dict[str, Proxy], fresh: Designs) -> None:
    assert (proxies["forest"].predict(fresh, std=True)["latency_ns_std"] > 0).all()
    with pytest.raises(ProxyError, match="boosting does not tell standard deviations"):
        proxies["boosting"].predict(fresh, std=True)


def test_any_regressor_of_scikit_learn_will_do(trials: Trials, fresh: Designs) -> None:
    from sklearn.linear_model import Ridge

    proxy = Proxy(Ridge()).fit(trials, ["latency_ns", "power_mw"])
    assert proxy.report["power_mw"]["r2"] > 0.3 and len(proxy.predict(fresh)["power_mw"]) == len(fresh)
    with pytest.raises(ProxyError, match="or a regressor of scikit-learn"):
        Proxy(object()).fit(trials)
    with pytest.raises(UnknownNameError, match="Did you mean 'forest'"):
        Proxy("forrest").fit(trials)


def test_tuning_chooses_among_its_candidates(trials: Trials) -> None:
    part = training_set(trials, ["latency_ns"]).rows(np.arange(150))
    data = (trials[0], part.designs, {"latency_ns": part.values[:, 0]})
    proxy = Proxy("forest", tune=True, n_estimators=5).fit(data)
    assert set(proxy.record["model"]["settings"]) == {"max_features", "min_samples_leaf", "n_estimators"}


def test_the_split_keeps_equivalent_designs_together(trials: Trials) -> None:
    train, held = training_set(trials, ["latency_ns"]).split(0.25, seed=1)
    ranks = [set(trials[0].space.rank(part.designs).tolist()) for part in (train, held)]
    assert not ranks[0] & ranks[1] and len(ranks[1]) == round(0.25 * (len(ranks[0]) + len(ranks[1])))
    assert train.weights.sum() + held.weights.sum() == len(trials[1])
