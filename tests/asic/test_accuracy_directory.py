"""The evaluator on data sets of the user."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from published_images import write_cifar10, write_nuclei, write_stl10

from archgym.errors import MissingExtraError, UnknownNameError, WorkloadError
from simulators.asic.accuracy import directory
from simulators.asic.accuracy.directory import RECIPES, Directory
from simulators.asic.accuracy.interface import TASKS, Accuracy, ImageDataError
from simulators.asic.description import Description, ResNet9, UNet

for library in ("torch", "PIL"):
    pytest.importorskip(library, reason="training on data sets needs the extra asic")

BRIEF = {task: replace(recipe, epochs=1, batch=4) for task, recipe in RECIPES.items()}
NETWORKS: dict[str, Description] = {
    "cifar10": ResNet9(2, (4,), (1,), 32, 10),
    "stl10": ResNet9(2, (4,), (0,), 96, 10),
    "nuclei": UNet((4, 4), 32),
}


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for write in (write_cifar10, write_stl10, write_nuclei):
        write(tmp_path / "images")
    return tmp_path / "images"


def test_it_is_an_evaluator_and_says_what_it_is(images: Path) -> None:
    evaluator = Directory(images)
    assert isinstance(evaluator, Accuracy)
    assert (evaluator.name, evaluator.label) == ("directory", "trained on the data sets in images")
    assert set(RECIPES) == set(TASKS)


@pytest.mark.parametrize("task", TASKS)
def test_each_data_set_is_trained_on_once(images: Path, tmp_path: Path, task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Directory(images, BRIEF, cache=tmp_path / "cache").evaluate(task, NETWORKS[task], 0)
    assert 0 <= first <= 1 and len(list((tmp_path / "cache").iterdir())) == 1
    monkeypatch.setattr(directory, "train_and_score", None)
    assert Directory(images, BRIEF, cache=tmp_path / "cache").evaluate(task, NETWORKS[task], 0) == first


def test_it_learns_nuclei(images: Path, tmp_path: Path) -> None:
    recipes = {**RECIPES, "nuclei": replace(RECIPES["nuclei"], epochs=20, batch=4)}
    assert Directory(images, recipes, cache=tmp_path / "cache").evaluate("nuclei", NETWORKS["nuclei"], 0) > 0.7


def test_other_images_are_another_result(images: Path, tmp_path: Path) -> None:
    write_nuclei(tmp_path / "others", seed=1)
    for folder in (images, tmp_path / "others"):
        Directory(folder, BRIEF, cache=tmp_path / "cache").evaluate("nuclei", NETWORKS["nuclei"], 0)
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_other_recipes_are_another_identity(images: Path, tmp_path: Path) -> None:
    write_stl10(tmp_path / "elsewhere")
    assert len({Directory(images, recipes).identity for recipes in (RECIPES, BRIEF)}) == 2
    assert Directory(images, BRIEF).identity == Directory(tmp_path / "elsewhere", BRIEF).identity
    assert Directory(images, device="cuda").identity != Directory(images).identity


@pytest.mark.parametrize(
    ("task", "network"),
    [
        ("cifar10", ResNet9(2, (4,), (0,), 16, 10)),
        ("cifar10", ResNet9(2, (4,), (0,), 32, 9)),
        ("stl10", ResNet9(2, (4,), (0,), 96, 10, channels=1)),
        ("nuclei", UNet((4,), 32, channels=1)),
    ],
)
def test_a_network_for_other_images_is_refused(images: Path, task: str, network: Description) -> None:
    with pytest.raises(WorkloadError, match=rf"the images of '{task}' have 3 channels of \d+ pixels .* expects "):
        Directory(images).evaluate(task, network, 0)


def test_tasks_and_kinds_are_checked(images: Path) -> None:
    with pytest.raises(UnknownNameError, match="no task named 'mnist'"):
        Directory(images).evaluate("mnist", NETWORKS["cifar10"], 0)
    with pytest.raises(WorkloadError, match="task 'nuclei' expects a UNet"):
        Directory(images).evaluate("nuclei", NETWORKS["cifar10"], 0)


def test_a_folder_without_any_data_set_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ImageDataError, match="no folder of images"):
        Directory(tmp_path / "nowhere")
    with pytest.raises(ImageDataError, match="it holds nothing"):
        Directory(tmp_path)


def test_a_data_set_that_is_missing_is_refused_when_it_is_needed(tmp_path: Path) -> None:
    write_stl10(tmp_path)
    with pytest.raises(ImageDataError, match="expected the folder stage1_train"):
        Directory(tmp_path).evaluate("nuclei", NETWORKS["nuclei"], 0)


@pytest.mark.parametrize("module", ["torch", "PIL"])
def test_without_a_library_it_cannot_be_made(images: Path, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"surrogate' does without.* needs \w+, .*archgym\[asic\]"):
        Directory(images)
