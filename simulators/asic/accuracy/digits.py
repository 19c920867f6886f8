"""Images for training, generated from real ones: handwritten digits pasted on photographs.  Nothing is downloaded.

scikit-learn ships both: 1,797 digits of 8x8 pixels (Alpaydin and Kaynak's optical recognition of handwritten digits, UCI
Machine Learning Repository) and two photographs (`china.jpg` by danielbuechele and `flower.jpg` by vultilion, both CC BY
2.0).  They are read where scikit-learn is installed; nothing of them is stored here.

A picture is a crop of a photograph at 0.6 of its brightness with enlarged digits on it, of random place, size, bright colour
and opacity, and noise.  Its label is the (last) digit; its mask is where the strokes are.  Training and test pictures share
no digit, and are cropped from different halves of the photographs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from simulators.asic.accuracy.libraries import import_sklearn_datasets

VERSION = 1
"""Goes up whenever a seed gives other pictures."""

PARTS = ("train", "test")
TRAIN_DIGITS = 1347  # the first three quarters
PHOTOGRAPHS = ("china.jpg", "flower.jpg")
BRIGHTNESS = 0.6
COLOUR = (0.5, 1.0)  # of each channel of a digit
OPACITY = (0.8, 1.0)
NOISE = 0.06  # standard deviation
STROKE = 0.5  # a pixel with this share of ink belongs to the mask


@dataclass(frozen=True)
class Scene:
    """What the pictures look like.

    Attributes:
        side: height and width of a picture in pixels.
        sizes: least and largest height and width of a digit in pixels.
        most: there are 1 to ``most`` digits on a picture.
    """

    side: int
    sizes: tuple[int, int]
    most: int = 1


@dataclass(frozen=True)
class Sources:
    """Real images of one part.

    Attributes:
        digits: ``(D, 8, 8)`` float32, ink from 0 to 1.
        labels: ``(D,)`` int64, 0 to 9.
        photographs: two of ``(rows, columns, 3)`` float32, from 0 to 1.
    """

    digits: NDArray[np.float32]
    labels: NDArray[np.int64]
    photographs: tuple[NDArray[np.float32], ...]


@dataclass(frozen=True)
class Pictures:
    """Generated pictures.

    Attributes:
        images: ``(N, 3, side, side)`` uint8.
        labels: ``(N,)`` int64, the last digit pasted.
        masks: ``(N, side, side)`` bool, pixels of strokes.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    masks: NDArray[np.bool_]


@cache
def sources(part: str) -> Sources:
    """The real images that pictures of a part are made of.

    Args:
        part: ``train`` or ``test``.

    Raises:
        MissingExtraError: scikit-learn or Pillow is not installed.
    """
    datasets = import_sklearn_datasets()
    digits = datasets.load_digits()
    chosen = slice(TRAIN_DIGITS) if part == "train" else slice(TRAIN_DIGITS, None)
    halves = []
    for name in PHOTOGRAPHS:
        photograph = datasets.load_sample_image(name)
        middle = photograph.shape[1] // 2
        half = photograph[:, :middle] if part == "train" else photograph[:, middle:]
        halves.append((half / 255).astype(np.float32))
    return Sources((digits.images[chosen] / 16).astype(np.float32), digits.target[chosen].astype(np.int64), tuple(halves))


def pictures(scene: Scene, count: int, part: str, seed: int) -> Pictures:
    """Makes pictures.

    Args:
        scene: what they look like.
        count: how many.
        part: ``train`` or ``test``.
        seed: the same seed gives the same pictures.

    Raises:
        MissingExtraError: scikit-learn or Pillow is not installed.
    """
    real, rng = sources(part), np.random.default_rng([seed, PARTS.index(part), VERSION])
    images = np.empty((count, scene.side, scene.side, 3), np.float32)
    labels = np.empty(count, np.int64)
    masks = np.zeros((count, scene.side, scene.side), np.bool_)
    for image, mask, which in zip(images, masks, range(count), strict=True):
        image[:] = BRIGHTNESS * _crop(real.photographs[rng.integers(len(real.photographs))], scene.side, rng)
        for _ in range(rng.integers(1, scene.most, endpoint=True)):
            digit = rng.integers(len(real.digits))
            labels[which] = real.labels[digit]
            _paste(real.digits[digit], image, mask, scene, rng)
    images += rng.normal(0, NOISE, images.shape).astype(np.float32)
    levels = np.rint(255 * images.clip(0, 1)).astype(np.uint8)
    return Pictures(np.ascontiguousarray(levels.transpose(0, 3, 1, 2)), labels, masks)


def _crop(photograph: NDArray[np.float32], side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    row, column = rng.integers(photograph.shape[0] - side + 1), rng.integers(photograph.shape[1] - side + 1)
    return photograph[row : row + side, column : column + side]


def _paste(
    digit: NDArray[np.float32], image: NDArray[np.float32], mask: NDArray[np.bool_], scene: Scene, rng: np.random.Generator
) -> None:
    """Paints a digit over an image and adds its strokes to the mask, both in place."""
    size = int(rng.integers(*scene.sizes, endpoint=True))
    row, column = rng.integers(scene.side - size + 1, size=2)
    place = (slice(row, row + size), slice(column, column + size))
    ink = _interpolation(len(digit), size) @ digit @ _interpolation(len(digit), size).T
    colour, opacity = rng.uniform(*COLOUR, 3), rng.uniform(*OPACITY)
    cover = (opacity * ink)[..., np.newaxis]
    image[place] = (1 - cover) * image[place] + cover * colour
    mask[place] |= ink >= STROKE


@cache
def _interpolation(old: int, new: int) -> NDArray[np.float32]:
    """Weights of linear interpolation between pixel centres, ``(new, old)``."""
    centres = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    return np.maximum(0, 1 - np.abs(centres[:, np.newaxis] - np.arange(old))).astype(np.float32)
