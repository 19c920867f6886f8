"""Tiny data sets in the published file formats, written byte by byte."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RECORD = 1 + 3 * 32 * 32


def write_cifar10(folder: Path, per_batch: int = 6, seed: int = 0) -> list[bytes]:
    """The binary version: five training batches and a test batch; returns the bytes of each."""
    home = folder / "cifar-10-batches-bin"
    home.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    written = []
    for name in (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"):
        records = [bytes([rng.integers(10)]) + rng.bytes(RECORD - 1) for _ in range(per_batch)]
        (home / name).write_bytes(b"".join(records))
        written.append(b"".join(records))
    (home / "batches.meta.txt").write_text("airplane\nautomobile\n")
    return written


def write_stl10(folder: Path, train: int = 6, test: int = 4, seed: int = 0) -> NDArray[np.uint8]:
    """Training and test files; returns the training pictures, ``(N, 3, rows, columns)``."""
    home = folder / "stl10_binary"
    home.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    pictures = {part: rng.integers(0, 256, (count, 3, 96, 96), np.uint8) for part, count in (("train", train), ("test", test))}
    for part, made in pictures.items():
        with (home / f"{part}_X.bin").open("wb") as file:
            for picture in made:
                for plane in picture:
                    for column in range(96):  # the format goes down the columns
                        file.write(plane[:, column].tobytes())
        (home / f"{part}_y.bin").write_bytes(bytes(1 + rng.integers(10) for _ in made))
    return pictures["train"]


def write_nuclei(folder: Path, count: int = 10, seed: int = 0) -> None:
    """Pictures of several sizes with transparency, each with two nuclei: bright squares on a dark ground."""
    from PIL import Image

    rng = np.random.default_rng(seed)
    for number in range(count):
        home = folder / "stage1_train" / f"{number:04x}"
        (home / "images").mkdir(parents=True)
        (home / "masks").mkdir()
        rows, columns = 40 + 8 * (number % 3), 48
        picture = np.full((rows, columns, 4), (20, 30, 40, 255), np.uint8)
        for nucleus in range(2):
            mask = np.zeros((rows, columns), np.uint8)
            row, column = rng.integers(rows - 16), 24 * nucleus + rng.integers(8)
            mask[row : row + 16, column : column + 16] = 255
            picture[mask > 0, :3] = 200
            Image.fromarray(mask).save(home / "masks" / f"{number:04x}{nucleus}.png")
        Image.fromarray(picture).save(home / "images" / f"{home.name}.png")
