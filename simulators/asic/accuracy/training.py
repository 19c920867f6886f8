"""Training and scoring a network with a fixed recipe and a seed, on one thread or on a GPU.

AdamW, or gradient descent with momentum; a one-cycle schedule of the rate; no early stopping: the score is that of the last
weights on held-out images.  On one thread the same seed gives the same weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.errors import ArgumentError
from simulators.asic.accuracy.libraries import import_torch
from simulators.asic.accuracy.modules import build
from simulators.asic.description import Description, ResNet9

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

SCORE_BATCH = 200
OPTIMISERS = ("adamw", "sgd")

Loss = Callable[[Any, "Tensor", "Tensor"], "Tensor"]


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; part of the key of a cached result.

    Attributes:
        optimiser: ``adamw`` (weight decay 0.01) or ``sgd`` (Nesterov momentum 0.9).
        rate: highest learning rate of the one-cycle schedule.
        epochs: passes over the training images.
        batch: images per step; what is left over after the last whole batch waits for the next epoch.
        flips: whether images are mirrored left to right at random.
        version: goes up whenever the same recipe gives other results.

    Raises:
        ArgumentError: an optimiser that is not one of these.
    """

    optimiser: str
    rate: float
    epochs: int
    batch: int
    flips: bool = False
    version: int = 1

    def __post_init__(self) -> None:
        if self.optimiser not in OPTIMISERS:
            raise ArgumentError(f"Recipe: the optimiser must be one of {', '.join(OPTIMISERS)}, got {self.optimiser!r}")


@dataclass(frozen=True)
class Examples:
    """Images with what a network should say of them.

    Attributes:
        images: ``(N, channels, rows, columns)`` uint8.
        targets: ``(N,)`` int64 classes, or ``(N, rows, columns)`` bool masks.
    """

    images: NDArray[np.uint8]
    targets: NDArray[Any]


def train_and_score(
    description: Description, train: Examples, test: Examples, recipe: Recipe, seed: int, device: str = "cpu"
) -> float:
    """Trains a network from scratch and scores it on held-out images.

    Args:
        description: of the network; its image has the size of the images.
        train: images to learn from.
        test: held-out images.
        recipe: how.
        seed: of the first weights and the order of images.
        device: ``cpu`` or ``cuda``.

    Returns:
        Share of right classes, or mean over the images of the intersection over union of masks.

    Raises:
        ArgumentError: a GPU is asked for and there is none.
        MissingExtraError: torch is not installed.
    """
    torch = import_torch()
    if device != "cpu" and not torch.cuda.is_available():
        raise ArgumentError(f"asic: cannot train on {device!r}: torch finds no GPU here. Take device='cpu'")
    with _alone(torch), torch.random.fork_rng():
        torch.manual_seed(seed)
        module = build(description).to(device, memory_format=torch.channels_last)
        _train(torch, module, train, recipe, np.random.default_rng(seed), device)
        outputs = _outputs(torch, module, test.images, device)
    if isinstance(description, ResNet9):
        return float((outputs.argmax(axis=1) == test.targets).mean())
    return mean_iou(outputs[:, 0] > 0, test.targets)


def mean_iou(found: NDArray[np.bool_], masks: NDArray[np.bool_]) -> float:
    """Mean over images ``(N, rows, columns)`` of intersection over union; two empty masks agree."""
    both, either = (found & masks).sum(axis=(1, 2)), (found | masks).sum(axis=(1, 2))
    return float(np.where(either > 0, both / np.maximum(either, 1), 1.0).mean())


def _train(torch: Any, module: Module, data: Examples, recipe: Recipe, rng: np.random.Generator, device: str) -> None:
    images, targets = torch.from_numpy(data.images).to(device), torch.from_numpy(data.targets).to(device)
    loss = _mask_loss if targets.ndim == 3 else _class_loss
    batch = min(recipe.batch, len(images))
    steps = len(images) // batch
    optimiser = _optimiser(torch, module, recipe)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, total_steps=recipe.epochs * steps)
    module.train()
    for _ in range(recipe.epochs):
        order = torch.from_numpy(rng.permutation(len(images))).to(device)
        for chosen in order[: steps * batch].split(batch):
            x, y = _scaled(torch, images[chosen]), targets[chosen]
            if recipe.flips:
                x, y = _flipped(torch, x, y, rng)
            optimiser.zero_grad()
            loss(torch, module(x), y).backward()
            optimiser.step()
            schedule.step()


def _optimiser(torch: Any, module: Module, recipe: Recipe) -> Any:
    if recipe.optimiser == "adamw":
        return torch.optim.AdamW(module.parameters(), recipe.rate, weight_decay=0.01)
    return torch.optim.SGD(module.parameters(), recipe.rate, momentum=0.9, nesterov=True)


def _class_loss(torch: Any, outputs: Tensor, classes: Tensor) -> Tensor:
    return torch.nn.functional.cross_entropy(outputs, classes)


def _mask_loss(torch: Any, outputs: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy of the pixels plus one minus the Dice coefficient of the images."""
    wanted, scores = masks.float(), outputs[:, 0]
    found = scores.sigmoid()
    both, sizes = (found * wanted).sum((1, 2)), (found + wanted).sum((1, 2))
    dice = (2 * both + 1) / (sizes + 1)
    return torch.nn.functional.binary_cross_entropy_with_logits(scores, wanted) + (1 - dice).mean()


def _flipped(torch: Any, images: Tensor, targets: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    mirrored = torch.from_numpy(rng.random(len(images)) < 0.5).to(images.device)
    images = torch.where(mirrored[:, None, None, None], images.flip(-1), images)
    if targets.ndim == 3:
        targets = torch.where(mirrored[:, None, None], targets.flip(-1), targets)
    return images, targets


def _outputs(torch: Any, module: Module, images: NDArray[np.uint8], device: str) -> NDArray[np.float32]:
    module.eval()
    parts = torch.from_numpy(images).split(SCORE_BATCH)
    with torch.no_grad():
        return torch.cat([module(_scaled(torch, part.to(device))) for part in parts]).cpu().numpy()


def _scaled(torch: Any, images: Tensor) -> Tensor:
    """Numbers about zero, in the memory layout that torch trains fastest with."""
    return ((images.float() - 127.5) / 64).contiguous(memory_format=torch.channels_last)


@contextmanager
def _alone(torch: Any) -> Iterator[None]:
    """One thread, and on a GPU the algorithms that give the same numbers every time."""
    threads, deterministic = torch.get_num_threads(), torch.backends.cudnn.deterministic
    torch.set_num_threads(1)
    torch.backends.cudnn.deterministic = True
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.backends.cudnn.deterministic = deterministic
