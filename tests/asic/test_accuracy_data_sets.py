"""Readers of published data sets, on tiny sets in the same formats, and what is wrong with files."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from published_images import RECORD, write_cifar10, write_nuclei, write_stl10

from archgym.errors import MissingExtraError
from simulators.asic.accuracy.data_sets import READERS, read_cifar10, read_nuclei, read_stl10
from simulators.asic.accuracy.interface import ImageDataError

WRITERS: dict[str, Callable[[Path], object]] = {"cifar10": write_cifar10, "stl10": write_stl10, "nuclei": write_nuclei}


def test_cifar10(tmp_path: Path) -> None:
    batches = write_cifar10(tmp_path)
    train, test = read_cifar10(tmp_path)
    assert train.images.shape == (30, 3, 32, 32) and test.images.shape == (6, 3, 32, 32)
    record = batches[2][RECORD : 2 * RECORD]  # the second picture of the third batch
    assert train.targets[13] == record[0]
    assert train.images[13, 1, 4, 7] == record[1 + 1024 + 4 * 32 + 7]
    assert (test.images.reshape(6, -1) == np.frombuffer(batches[5], np.uint8).reshape(6, -1)[:, 1:]).all()


def test_stl10_goes_down_the_columns_and_counts_classes_from_one(tmp_path: Path) -> None:
    pictures = write_stl10(tmp_path)
    train, test = read_stl10(tmp_path)
    assert (train.images == pictures).all() and len(test.images) == 4
    classes = (tmp_path / "stl10_binary" / "train_y.bin").read_bytes()
    assert [target + 1 for target in train.targets] == list(classes)


def test_nuclei_unites_the_masks_and_brings_all_to_one_size(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    write_nuclei(tmp_path, count=11)
    train, test = read_nuclei(tmp_path, 32)
    assert train.images.shape == (9, 3, 32, 32) and test.images.shape == (2, 3, 32, 32)
    assert train.targets.dtype == np.bool_
    for part in (train, test):
        assert part.images[:, 0][part.targets].mean() > 180 and part.images[:, 0][~part.targets].mean() < 40
        shares = part.targets.mean(axis=(1, 2))
        assert (shares > 0.15).all() and (shares < 0.3).all()  # 512 pixels of 1920 to 2688


def test_nuclei_holds_out_every_fifth(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    write_nuclei(tmp_path, count=10)
    _, before = read_nuclei(tmp_path, 16)
    for index in (0, 5):  # pictures to learn from
        shutil.rmtree(tmp_path / "stage1_train" / f"{index:04x}")
        shutil.copytree(tmp_path / "stage1_train" / "0001", tmp_path / "stage1_train" / f"{index:04x}")
        (tmp_path / "stage1_train" / f"{index:04x}" / "images" / "0001.png").rename(
            tmp_path / "stage1_train" / f"{index:04x}" / "images" / f"{index:04x}.png"
        )
    _, after = read_nuclei(tmp_path, 16)
    assert (before.images == after.images).all() and len(after.images) == 2


@pytest.mark.parametrize("task", READERS)
def test_a_missing_folder_is_named(tmp_path: Path, task: str) -> None:
    pytest.importorskip("PIL")
    with pytest.raises(
        ImageDataError, match=r"no folder of images .*nowhere\. It should hold one of cifar-10-batches-bin, stl10"
    ):
        READERS[task](tmp_path / "nowhere", 32)


@pytest.mark.parametrize("task", READERS)
def test_a_folder_of_something_else_is_named_with_what_it_holds(tmp_path: Path, task: str) -> None:
    pytest.importorskip("PIL")
    (tmp_path / "holiday.jpg").write_text("")
    with pytest.raises(ImageDataError, match=r"expected one of .*, as the published archives unpack; it holds holiday\.jpg"):
        READERS[task](tmp_path, 32)


def test_a_data_set_that_is_not_there_beside_another_is_named(tmp_path: Path) -> None:
    write_stl10(tmp_path)
    with pytest.raises(ImageDataError, match="expected the folder stage1_train, as the published archive unpacks"):
        read_nuclei(tmp_path, 32)


def test_the_pickled_version_of_cifar10_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-batches-py").mkdir()
    with pytest.raises(ImageDataError, match="it holds cifar-10-batches-py"):
        read_cifar10(tmp_path)
    write_stl10(tmp_path)
    with pytest.raises(
        ImageDataError, match=r"the folder cifar-10-batches-bin, .* The binary version is read, not the Python"
    ):
        read_cifar10(tmp_path)


@pytest.mark.parametrize(
    ("task", "name"), [("cifar10", "cifar-10-batches-bin/data_batch_4.bin"), ("stl10", "stl10_binary/test_X.bin")]
)
@pytest.mark.parametrize("damage", ["cut", "empty", "gone"])
def test_a_truncated_or_missing_file_is_named(tmp_path: Path, task: str, name: str, damage: str) -> None:
    WRITERS[task](tmp_path)
    path = tmp_path / name
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: -7 if damage == "cut" else 0])
    message = "cannot be read: No such file" if damage == "gone" else "truncated or of another format"
    with pytest.raises(ImageDataError, match=f"{path.name}.*{message}"):
        READERS[task](tmp_path, 32)


def test_classes_out_of_range_tell_a_foreign_file(tmp_path: Path) -> None:
    write_cifar10(tmp_path)
    path = tmp_path / "cifar-10-batches-bin" / "test_batch.bin"
    content = bytearray(path.read_bytes())
    content[2 * RECORD] = 77
    path.write_bytes(content)
    with pytest.raises(ImageDataError, match=r"test_batch\.bin: expected classes from 0 to 9, got 77 in record 2"):
        read_cifar10(tmp_path)


def test_stl10_classes_and_pictures_must_go_together(tmp_path: Path) -> None:
    write_stl10(tmp_path)
    path = tmp_path / "stl10_binary" / "train_y.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ImageDataError, match=r"train_X\.bin has 6 pictures, but .*train_y\.bin has 5 classes"):
        read_stl10(tmp_path)
    path.write_bytes(bytes([0] * 6))
    with pytest.raises(ImageDataError, match="expected classes from 1 to 10, got 0 in record 0"):
        read_stl10(tmp_path)


@pytest.mark.parametrize("damage", ["cut", "text", "gone", "other name"])
def test_a_damaged_picture_of_nuclei_is_named(tmp_path: Path, damage: str) -> None:
    pytest.importorskip("PIL")
    write_nuclei(tmp_path)
    path = tmp_path / "stage1_train" / "0003" / "images" / "0003.png"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:60])
    elif damage == "text":
        path.write_text("not a picture")
    elif damage == "gone":
        path.unlink()
    else:
        path.rename(path.with_name("picture.png"))
    with pytest.raises(ImageDataError, match=r"0003\.png cannot be read as a PNG picture"):
        read_nuclei(tmp_path, 32)


def test_masks_must_be_there_and_fit(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    write_nuclei(tmp_path)
    masks = tmp_path / "stage1_train" / "0002" / "masks"
    other = tmp_path / "stage1_train" / "0001" / "masks" / "00010.png"
    shutil.copy(other, masks / "0.png")
    with pytest.raises(ImageDataError, match=r"0\.png: expected a mask of \(56, 48\) pixels like its picture, got \(48, 48\)"):
        read_nuclei(tmp_path, 32)
    shutil.rmtree(masks)
    with pytest.raises(ImageDataError, match=r"0002: expected masks/\*\.png with one mask per nucleus, found none"):
        read_nuclei(tmp_path, 32)


def test_too_few_pictures_cannot_be_split(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    write_nuclei(tmp_path, count=4)
    with pytest.raises(ImageDataError, match="expected at least 5 folders with a picture each, got 4"):
        read_nuclei(tmp_path, 32)


def test_without_pillow_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"needs pillow, which is not installed.*archgym\[asic\]"):
        read_nuclei(tmp_path, 32)
