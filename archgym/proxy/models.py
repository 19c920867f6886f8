"""The models behind a proxy: each is fitted on standardised targets and adds itself to an ONNX graph."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from archgym.errors import MissingExtraError, ProxyError, UnknownNameError
from archgym.proxy.forest import Forest, forest_size
from archgym.proxy.graphs import OPSETS, Graph, add_features, encode, features
from archgym.proxy.kernel import Kernel, fit_kernel
from archgym.space import Designs, DesignSpace

MODELS = ("kernel", "forest", "boosting", "mlp")

SEARCHED: dict[str, list[dict[str, Any]]] = {
    "forest": [{"max_features": share, "min_samples_leaf": leaf} for share in (0.5, 1.0) for leaf in (1, 3)],
    "boosting": [{"learning_rate": rate, "max_leaf_nodes": leaves} for rate in (0.05, 0.1) for leaves in (15, 31)],
    "mlp": [{"hidden_layer_sizes": (width, width), "alpha": alpha} for width in (64, 128) for alpha in (1e-6, 1e-4)],
}
"""What tuning tries; the kernel tunes itself by likelihood."""


class Model(Protocol):
    """A fitted model."""

    def add_to(self, graph: Graph, space: DesignSpace) -> tuple[str, str | None]:
        """Adds its nodes; names of the (N, M) standardised targets and of a spread, (N,) or (N, M), or None."""


@dataclass(frozen=True)
class Converted:
    """A regressor of scikit-learn that skl2onnx translates."""

    estimator: Any

    def add_to(self, graph: Graph, space: DesignSpace) -> tuple[str, None]:
        """Adds its nodes; no spread is known.

        Raises:
            MissingExtraError: skl2onnx is not installed.
            ProxyError: a regressor that cannot be written as ONNX.
        """
        try:
            from skl2onnx import to_onnx
            from skl2onnx.common.data_types import FloatTensorType
        except ImportError:
            raise MissingExtraError("a proxy", "skl2onnx", "proxy") from None
        given = add_features(graph, space)
        kind = [(given, FloatTensorType([None, features(space).shape[1]]))]
        try:
            converted = to_onnx(self.estimator, initial_types=kind, target_opset=dict(OPSETS)).graph
        except Exception as error:  # skl2onnx raises what it likes, RuntimeError and NotImplementedError among it
            raise ProxyError(f"{type(self.estimator).__name__} cannot be written as ONNX: {error}") from error
        graph.nodes += list(converted.node)
        graph.initializers += list(converted.initializer)
        return converted.output[0].name, None


@dataclass(frozen=True)
class Layers:
    """A multilayer perceptron of scikit-learn with rectified linear units."""

    estimator: Any

    def add_to(self, graph: Graph, space: DesignSpace) -> tuple[str, None]:
        """Adds its nodes; no spread is known.  skl2onnx would flatten several outputs into one column."""
        name = add_features(graph, space)
        layers = list(zip(self.estimator.coefs_, self.estimator.intercepts_, strict=True))
        for i, (weights, bias) in enumerate(layers):
            inputs = [name, graph.constant(f"layer_{i}_weights", weights.astype(np.float32))]
            name = graph.add("Gemm", [*inputs, graph.constant(f"layer_{i}_bias", bias.astype(np.float32))], f"layer_{i}")
            if i + 1 < len(layers):
                name = graph.add("Relu", [name], f"layer_{i}_active")
        return name, None


def fit_model(
    model: str | Any,
    space: DesignSpace,
    designs: Designs,
    targets: NDArray[np.float64],
    weights: NDArray[np.float64],
    seed: int,
    settings: dict[str, Any],
    like: Model | None = None,
) -> Model:
    """Fits a model.

    Args:
        model: a name in ``MODELS``, or a regressor of scikit-learn, which is cloned.
        space: of the designs.
        designs: (K, D) int32 distinct designs.
        targets: (K, M) standardised.
        weights: (K,) how often each design was tried.
        seed: of everything random.
        settings: of the model, where they differ from its defaults.
        like: a model fitted on a part of the designs; a kernel takes over its lengths.

    Raises:
        UnknownNameError: no such model.
        ProxyError: something that is not a regressor.
        MissingExtraError: scikit-learn is not installed.
    """
    if isinstance(model, str) and model == "kernel":
        return fit_kernel(space, designs, targets, seed, like if isinstance(like, Kernel) else None)
    estimator = make_estimator(model, len(designs), targets.shape[1], seed, settings)
    given = encode(space, features(space), designs)
    train_estimator(estimator, model, given, targets, weights)
    if isinstance(model, str) and model == "forest":
        return Forest(estimator, targets.shape[1])
    return Layers(estimator) if isinstance(model, str) and model == "mlp" else Converted(estimator)


def train_estimator(
    estimator: Any,
    model: str | Any,
    given: NDArray[np.float32],
    targets: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
) -> Any:
    """Fits the estimator of a model in one thread and returns it; weights are for models of this project only.

    Raises:
        ProxyError: a regressor that refuses the data.
    """
    from threadpoolctl import threadpool_limits

    own = isinstance(model, str)
    wrapped = not own or model == "boosting"  # one regressor per output: takes columns
    wanted = targets if wrapped or targets.shape[1] > 1 else targets[:, 0]
    # For small matrices the threads of the libraries wait for each other longer than they compute.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Stochastic Optimizer: Maximum iterations")  # a budget, not a mishap
        try:
            return estimator.fit(given, wanted, **({"sample_weight": weights} if own and weights is not None else {}))
        except (TypeError, ValueError) as error:
            raise ProxyError(f"{type(estimator).__name__} cannot be fitted: {error}") from error


def make_estimator(model: str | Any, rows: int, outputs: int, seed: int, settings: dict[str, Any]) -> Any:
    """The unfitted regressor of scikit-learn behind a model; errors as in ``fit_model``."""
    try:
        from sklearn.base import clone, is_regressor
        from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor
        from sklearn.multioutput import MultiOutputRegressor
        from sklearn.neural_network import MLPRegressor
    except ImportError:
        raise MissingExtraError("a proxy", "scikit-learn", "proxy") from None
    if isinstance(model, str) and model == "forest":
        trees, leaves = forest_size(rows)
        given = {"n_estimators": trees, "max_leaf_nodes": leaves, "max_features": 1.0, **settings}
        return ExtraTreesRegressor(random_state=seed, **given)
    if isinstance(model, str) and model == "boosting":
        given = {"max_iter": 600, "learning_rate": 0.1, "max_leaf_nodes": 31, "min_samples_leaf": 2, **settings}
        return MultiOutputRegressor(HistGradientBoostingRegressor(early_stopping=False, random_state=seed, **given))
    if isinstance(model, str) and model == "mlp":
        given = {"hidden_layer_sizes": (128, 128), "learning_rate_init": 2e-3, "alpha": 1e-6, "max_iter": 300, **settings}
        return MLPRegressor(batch_size=min(128, rows), n_iter_no_change=40, tol=1e-6, random_state=seed, **given)
    if isinstance(model, str):
        raise UnknownNameError("model", model, MODELS, owner="proxy")
    if isinstance(model, type) or not hasattr(model, "get_params") or not is_regressor(model):
        raise ProxyError(f"the model of a proxy is one of {', '.join(MODELS)} or a regressor of scikit-learn, got {model!r}")
    return MultiOutputRegressor(clone(model).set_params(**settings))
