"""Training: it learns, a seed decides it, and nothing of the process is changed by it."""

from __future__ import annotations

import numpy as np
import pytest

from archgym.errors import ArgumentError
from simulators.asic.accuracy.training import Examples, Recipe, mean_iou, train_and_score
from simulators.asic.description import ResNet9, UNet

torch = pytest.importorskip("torch", reason="training needs torch (extra asic)")

CLASSIFIER, SEGMENTER = ResNet9(4, (4,), (1,), 8, 2), UNet((4, 4), 8)
RECIPE = Recipe("adamw", 1e-2, epochs=3, batch=16)


def halves(count: int, seed: int) -> tuple[Examples, Examples]:
    """Pictures with a bright half, left or right: which one it is, and where."""
    rng = np.random.default_rng(seed)
    images, right = rng.integers(0, 100, (count, 3, 8, 8)), rng.integers(0, 2, count)
    masks = (np.arange(8) >= 4)[np.newaxis, np.newaxis] == right[:, np.newaxis, np.newaxis]
    masks = np.broadcast_to(masks, (count, 8, 8)).copy()
    images = (images + 120 * masks[:, np.newaxis]).astype(np.uint8)
    return Examples(images, masks.any(axis=1)[:, 7].astype(np.int64)), Examples(images, masks)


def test_a_classifier_and_a_segmenter_learn() -> None:
    (train, train_masks), (test, test_masks) = halves(64, 0), halves(32, 1)
    long = Recipe("adamw", 1e-2, epochs=12, batch=16)
    assert train_and_score(CLASSIFIER, train, test, long, 0) >= 0.9
    assert train_and_score(SEGMENTER, train_masks, test_masks, long, 0) >= 0.9
    assert train_and_score(SEGMENTER, train_masks, test_masks, Recipe("sgd", 0.1, epochs=12, batch=16), 0) >= 0.9


@pytest.mark.parametrize("recipe", [RECIPE, Recipe("sgd", 0.1, epochs=4, batch=24, flips=True)], ids=["adamw", "sgd"])
def test_the_seed_decides(recipe: Recipe) -> None:
    (_, train), (_, test) = halves(50, 0), halves(20, 1)
    scores = [train_and_score(SEGMENTER, train, test, recipe, seed) for seed in (0, 0, 1)]
    assert scores[0] == scores[1] != scores[2]


def test_threads_and_random_numbers_of_the_process_stay_as_they_are() -> None:
    train, _ = halves(20, 0)
    before = torch.get_num_threads(), torch.backends.cudnn.deterministic
    torch.set_num_threads(2)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train_and_score(CLASSIFIER, train, train, RECIPE, 0)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == 2 and torch.backends.cudnn.deterministic == before[1]
    torch.set_num_threads(before[0])


def test_a_set_smaller_than_a_batch_is_one_batch() -> None:
    train, _ = halves(10, 0)
    assert 0 <= train_and_score(CLASSIFIER, train, train, RECIPE, 0) <= 1


def test_flips_teach_what_is_mirrored() -> None:
    """All training pictures are bright on the left; the test pictures on the right."""
    (_, train), (_, test) = halves(200, 0), halves(200, 1)
    left, right = train.targets[:, 0, 0], test.targets[:, 0, 7]
    train = Examples(train.images[left], train.targets[left])
    test = Examples(test.images[right], test.targets[right])
    recipe = Recipe("adamw", 1e-2, epochs=6, batch=16, flips=True)
    assert train_and_score(SEGMENTER, train, test, recipe, 0) >= 0.9


def test_mean_iou_by_hand() -> None:
    found, masks = np.zeros((3, 2, 2), bool), np.zeros((3, 2, 2), bool)
    found[0, 0], masks[0, :, 0] = True, True  # one pixel of three
    found[1] = masks[1] = True
    assert mean_iou(found, masks) == pytest.approx((1 / 3 + 1 + 1) / 3)
    assert mean_iou(~masks[2:], masks[2:]) == 0


def test_an_unknown_optimiser_is_refused() -> None:
    with pytest.raises(ArgumentError, match="the optimiser must be one of adamw, sgd, got 'adam'"):
        Recipe("adam", 1e-3, 1, 1)


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    train, _ = halves(10, 0)
    with pytest.raises(ArgumentError, match="cannot train on 'cuda': torch finds no GPU"):
        train_and_score(CLASSIFIER, train, train, RECIPE, 0, device="cuda")
