"""CIFAR-10, STL-10 and Nuclei from a folder, in the files in which they are published.

The folder holds what the published archives unpack to:

    cifar-10-batches-bin/  data_batch_1.bin .. data_batch_5.bin, test_batch.bin      (the binary version)
    stl10_binary/          train_X.bin, train_y.bin, test_X.bin, test_y.bin
    stage1_train/          ID/images/ID.png and ID/masks/*.png for every picture     (2018 Data Science Bowl)

Of the pictures of Nuclei every fifth, in the order of their names, is held out.  Nothing is unpickled, so CIFAR-10's Python
version is not read.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.asic.accuracy.interface import ImageDataError
from simulators.asic.accuracy.libraries import import_pillow
from simulators.asic.accuracy.training import Examples

FOLDERS = CIFAR10_FOLDER, STL10_FOLDER, NUCLEI_FOLDER = "cifar-10-batches-bin", "stl10_binary", "stage1_train"
HELD_OUT = 5
CIFAR10_SIDE, STL10_SIDE, CLASSES = 32, 96, 10

Parts = tuple[Examples, Examples]


def check_folder(folder: Path) -> None:
    """Looks whether a folder holds one of the data sets at least.

    Raises:
        ImageDataError: it does not.
    """
    expected = "one of " + ", ".join(FOLDERS) + ", as the published archives unpack"
    if not folder.is_dir():
        raise ImageDataError(f"no folder of images {folder}. It should hold {expected}")
    if not any((folder / name).is_dir() for name in FOLDERS):
        found = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
        raise ImageDataError(f"{folder}: expected {expected}; it holds {found}")


def read_cifar10(folder: Path) -> Parts:
    """CIFAR-10: a record is a class (one byte) and three planes of 32 rows of 32 pixels.

    Args:
        folder: holds ``cifar-10-batches-bin``.

    Returns:
        Training and test images.

    Raises:
        ImageDataError: a file that is missing, truncated or of another format.
    """
    home = _home(folder, CIFAR10_FOLDER)
    batches = [_cifar10(home / f"data_batch_{number}.bin") for number in range(1, 6)]
    train = Examples(np.concatenate([each.images for each in batches]), np.concatenate([each.targets for each in batches]))
    return train, _cifar10(home / "test_batch.bin")


def read_stl10(folder: Path) -> Parts:
    """STL-10: pictures of three planes of 96 columns of 96 pixels; classes from 1 to 10 in files of their own.

    Args:
        folder: holds ``stl10_binary``.

    Returns:
        Training and test images.

    Raises:
        ImageDataError: a file that is missing, truncated or of another format.
    """
    home = _home(folder, STL10_FOLDER)
    train, test = (_stl10(home / f"{part}_X.bin", home / f"{part}_y.bin") for part in ("train", "test"))
    return train, test


def read_nuclei(folder: Path, side: int) -> Parts:
    """Nuclei: pictures of any size and, for each nucleus, a mask; the mask of a picture is their union.

    Args:
        folder: holds ``stage1_train``.
        side: height and width to which pictures and masks are brought.

    Returns:
        Training and test images.

    Raises:
        ImageDataError: fewer than five pictures, or one whose files are missing, damaged or do not fit together.
        MissingExtraError: Pillow is not installed.
    """
    pillow = import_pillow()
    home = _home(folder, NUCLEI_FOLDER)
    names = sorted(path.name for path in home.iterdir() if path.is_dir())
    if len(names) < HELD_OUT:
        raise ImageDataError(f"{home}: expected at least {HELD_OUT} folders with a picture each, got {len(names)}")
    read = [_nucleus_picture(pillow, home / name, side) for name in names]
    images, masks = np.stack([image for image, _ in read]), np.stack([mask for _, mask in read])
    held_out = np.arange(len(names)) % HELD_OUT == HELD_OUT - 1
    return Examples(images[~held_out], masks[~held_out]), Examples(images[held_out], masks[held_out])


READERS: dict[str, Callable[[Path, int], Parts]] = {
    "cifar10": lambda folder, side: read_cifar10(folder),
    "stl10": lambda folder, side: read_stl10(folder),
    "nuclei": read_nuclei,
}
"""Reader of each task: from a folder and the side of the network's images."""


def _home(folder: Path, name: str) -> Path:
    home = folder / name
    if home.is_dir():
        return home
    check_folder(folder)
    python = " The binary version is read, not the Python version." if name == CIFAR10_FOLDER else ""
    raise ImageDataError(f"{folder}: expected the folder {name}, as the published archive unpacks.{python}")


def _bytes(path: Path, record: int) -> NDArray[np.uint8]:
    """Records of a file, ``(N, record)``."""
    try:
        content = np.fromfile(path, np.uint8)
    except OSError as error:
        raise ImageDataError(f"{path} cannot be read: {error.strerror or error}") from error
    if not len(content) or len(content) % record:
        raise ImageDataError(
            f"{path}: expected records of {record:,} bytes, got {len(content):,} bytes: the file is truncated or of another "
            f"format"
        )
    return content.reshape(-1, record)


def _classes(path: Path, classes: NDArray[np.uint8], first: int) -> NDArray[np.int64]:
    numbers = classes.astype(np.int64) - first
    wrong = np.flatnonzero((numbers < 0) | (numbers >= CLASSES))
    if len(wrong):
        raise ImageDataError(
            f"{path}: expected classes from {first} to {first + CLASSES - 1}, got {classes[wrong[0]]} in record {wrong[0]}: "
            f"the file is of another format"
        )
    return numbers


def _cifar10(path: Path) -> Examples:
    records = _bytes(path, 1 + 3 * CIFAR10_SIDE**2)
    images = records[:, 1:].reshape(-1, 3, CIFAR10_SIDE, CIFAR10_SIDE)
    return Examples(np.ascontiguousarray(images), _classes(path, records[:, 0], 0))


def _stl10(pictures: Path, classes: Path) -> Examples:
    planes = _bytes(pictures, 3 * STL10_SIDE**2).reshape(-1, 3, STL10_SIDE, STL10_SIDE)
    targets = _classes(classes, _bytes(classes, 1)[:, 0], 1)
    if len(planes) != len(targets):
        raise ImageDataError(f"{pictures} has {len(planes):,} pictures, but {classes} has {len(targets):,} classes")
    return Examples(np.ascontiguousarray(planes.transpose(0, 1, 3, 2)), targets)


def _nucleus_picture(pillow: Any, home: Path, side: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A picture ``(3, side, side)`` and its mask ``(side, side)``."""
    picture = _png(pillow, home / "images" / f"{home.name}.png", "RGB")
    paths = sorted((home / "masks").glob("*.png"))
    if not paths:
        raise ImageDataError(f"{home}: expected masks/*.png with one mask per nucleus, found none")
    union = np.zeros((picture.height, picture.width), np.bool_)
    for path in paths:
        mask = np.asarray(_png(pillow, path, "L"))
        if mask.shape != union.shape:
            raise ImageDataError(f"{path}: expected a mask of {union.shape} pixels like its picture, got {mask.shape}")
        union |= mask > 127
    small = picture.resize((side, side), pillow.Resampling.BOX)
    covered = pillow.fromarray(union.astype(np.uint8) * 255).resize((side, side), pillow.Resampling.BOX)
    return np.ascontiguousarray(np.asarray(small).transpose(2, 0, 1)), np.asarray(covered) > 127


def _png(pillow: Any, path: Path, mode: str) -> Any:
    try:
        with pillow.open(path, formats=("PNG",)) as file:
            return file.convert(mode)
    except (OSError, SyntaxError, ValueError, pillow.DecompressionBombError) as error:
        raise ImageDataError(f"{path} cannot be read as a PNG picture: {error}") from error
