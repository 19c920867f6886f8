"""Generated pictures: made from a seed, of real images, with nothing shared by training and test."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from archgym.errors import MissingExtraError
from simulators.asic.accuracy import digits
from simulators.asic.accuracy.digits import PHOTOGRAPHS, Scene, Sources, pictures, sources

datasets = pytest.importorskip("sklearn.datasets", reason="the digits ship with scikit-learn (extra asic)")
pytest.importorskip("PIL", reason="the photographs are read by Pillow (extra asic)")

ONE, MANY = Scene(16, (9, 16)), Scene(32, (9, 16), most=3)


def test_the_same_seed_gives_the_same_pictures() -> None:
    first, again = pictures(MANY, 20, "train", 3), pictures(MANY, 20, "train", 3)
    assert (first.images == again.images).all() and (first.masks == again.masks).all() and (first.labels == again.labels).all()


def test_another_seed_or_part_gives_other_pictures() -> None:
    first = pictures(ONE, 20, "train", 0).images
    assert (first != pictures(ONE, 20, "train", 1).images).any(axis=(1, 2, 3)).all()
    assert (first != pictures(ONE, 20, "test", 0).images).any(axis=(1, 2, 3)).all()


def test_shapes_ranges_and_classes() -> None:
    made = pictures(ONE, 400, "train", 0)
    assert made.images.shape == (400, 3, 16, 16) and made.images.dtype == np.uint8
    assert set(made.labels) == set(range(10))
    assert made.images.std() > 20


def test_strokes_are_where_the_mask_is() -> None:
    made = pictures(MANY, 200, "test", 0)
    ink = made.masks.mean(axis=(1, 2))
    assert made.masks.any(axis=(1, 2)).all() and ink.max() < 0.6
    brightness = made.images.mean(axis=1)
    assert brightness[made.masks].mean() > brightness[~made.masks].mean() + 40


def test_more_digits_give_more_strokes() -> None:
    few = pictures(Scene(32, (9, 16), most=1), 200, "train", 0).masks.mean()
    assert pictures(MANY, 200, "train", 0).masks.mean() > 1.4 * few


def test_the_two_parts_share_no_digit_and_no_pixel_of_a_photograph() -> None:
    train, test = sources("train"), sources("test")
    assert (np.concatenate([train.digits, test.digits]) * 16 == datasets.load_digits().images).all()
    assert (np.concatenate([train.labels, test.labels]) == datasets.load_digits().target).all()
    for name, left, right in zip(PHOTOGRAPHS, train.photographs, test.photographs, strict=True):
        whole = np.concatenate([left, right], axis=1)
        assert (np.rint(whole * 255) == datasets.load_sample_image(name)).all()


def test_pictures_of_a_part_are_made_of_its_images_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def marked(part: str) -> Sources:
        dark = part == "train"
        photographs = tuple(np.full((40, 40, 3), 0.0 if dark else 1.0, np.float32) for _ in PHOTOGRAPHS)
        return Sources(np.zeros((3, 8, 8), np.float32), np.full(3, 1 if dark else 2, np.int64), photographs)

    monkeypatch.setattr(digits, "sources", marked)
    train, test = pictures(ONE, 50, "train", 0), pictures(ONE, 50, "test", 0)
    assert set(train.labels) == {1} and set(test.labels) == {2}
    assert train.images.mean() < 20 and test.images.mean() > 255 * 0.6 - 20


def test_a_larger_digit_is_the_same_digit() -> None:
    assert np.allclose(digits._interpolation(8, 16).sum(axis=1), 1)
    assert (digits._interpolation(8, 8) == np.eye(8)).all()


@pytest.mark.parametrize(("module", "library"), [("sklearn", "scikit-learn"), ("PIL", "pillow")])
def test_without_a_library_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, module: str, library: str
) -> None:
    sources.cache_clear()
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=rf"needs {library}, which is not installed.*archgym\[asic\]"):
        pictures(ONE, 1, "train", 0)
