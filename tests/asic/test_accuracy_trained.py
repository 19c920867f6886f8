"""The trained evaluator: what is trained, what is remembered, and whether larger networks come out ahead."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from archgym.errors import MissingExtraError, UnknownNameError, WorkloadError
from simulators.asic.accuracy import trained
from simulators.asic.accuracy.interface import TASKS, Accuracy
from simulators.asic.accuracy.trained import SETTINGS, Trained, examples, stand_in
from simulators.asic.description import Description, ResNet9, UNet
from simulators.asic.network_space import load_network_space, network_spaces

for library in ("torch", "sklearn", "PIL"):
    pytest.importorskip(library, reason="training on generated pictures needs the extra asic")

SMALL = ResNet9(8, (16,), (0,), 32, 10)


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that takes no time: a few pictures, one epoch."""
    for task, setting in SETTINGS.items():
        short = replace(setting, train=20, test=20, recipe=replace(setting.recipe, epochs=1))
        monkeypatch.setitem(SETTINGS, task, short)
    examples.cache_clear()


@pytest.fixture(autouse=True)
def forget() -> None:
    examples.cache_clear()


def test_it_is_an_evaluator_and_says_what_it_is() -> None:
    evaluator = Trained()
    assert isinstance(evaluator, Accuracy) and evaluator.name == "trained"
    assert "digits" in evaluator.label and "reduced size" in evaluator.label
    assert set(SETTINGS) == set(TASKS)


def test_the_recipes_are_those_that_were_measured() -> None:
    cifar10, stl10, nuclei = (SETTINGS[task] for task in ("cifar10", "stl10", "nuclei"))
    assert (cifar10.scene.side, cifar10.scene.sizes, cifar10.train, cifar10.test) == (16, (9, 16), 2800, 800)
    assert cifar10.recipe == stl10.recipe == trained.Recipe("adamw", 4e-3, epochs=6, batch=64)
    assert (nuclei.scene.side, nuclei.scene.most, nuclei.train, nuclei.test) == (32, 3, 300, 150)
    assert nuclei.recipe == trained.Recipe("sgd", 0.1, epochs=8, batch=16)


def test_stand_ins_are_smaller_but_built_alike() -> None:
    assert stand_in("cifar10", ResNet9(8, (16, 32), (1, 2), 32, 10)) == ResNet9(4, (8, 16), (1, 2), 16, 10)
    assert stand_in("stl10", ResNet9(8, (16, 2), (1, 2), 96, 10)) == ResNet9(2, (4, 1), (1, 2), 32, 10)
    assert stand_in("nuclei", UNet((4, 8, 16), 128)) == UNet((4, 8, 16), 32)


@pytest.mark.parametrize("name", network_spaces())
def test_every_network_of_a_space_has_a_stand_in_of_its_own(name: str) -> None:
    space = load_network_space(name)
    task = next(task for task in TASKS if task in name)
    filters = [choice.values for choice in space.choices if choice.name == "stem" or choice.name.startswith("filters")]
    narrowing = SETTINGS[task].narrowing
    assert all(width % narrowing == 0 for values in filters for width in values)
    assert stand_in(task, space.largest()).image == SETTINGS[task].scene.side


@pytest.mark.usefixtures("brief")
def test_a_network_is_trained_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Trained(tmp_path).evaluate("cifar10", SMALL, 0)
    (file,) = tmp_path.iterdir()
    entry = json.loads(file.read_text())
    assert entry["accuracy"] == first and entry["cpu_seconds"] > 0

    def no_training(*args: object) -> float:
        raise AssertionError("trained again")

    monkeypatch.setattr(trained, "train_and_score", no_training)
    assert Trained(tmp_path).evaluate("cifar10", SMALL, 0) == first
    for task, network, seed in (("cifar10", SMALL, 1), ("cifar10", replace(SMALL, extras=(1,)), 0), ("stl10", SMALL, 0)):
        with pytest.raises(AssertionError, match="trained again"):
            Trained(tmp_path).evaluate(task, network, seed)


@pytest.mark.usefixtures("brief")
def test_a_damaged_entry_is_trained_again(tmp_path: Path) -> None:
    first = Trained(tmp_path).evaluate("nuclei", UNet((4,), 128), 0)
    (file,) = tmp_path.iterdir()
    file.write_text(file.read_text()[:-10])
    assert Trained(tmp_path).evaluate("nuclei", UNet((4,), 128), 0) == first
    assert json.loads(file.read_text())["accuracy"] == first


@pytest.mark.usefixtures("brief")
def test_another_recipe_or_other_pictures_are_another_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Trained(tmp_path).evaluate("nuclei", UNet((4,), 128), 0)
    identities = {Trained().identity}
    setting = SETTINGS["nuclei"]
    for other in (replace(setting, recipe=replace(setting.recipe, version=2)), replace(setting, test=25)):
        monkeypatch.setitem(SETTINGS, "nuclei", other)
        examples.cache_clear()
        Trained(tmp_path).evaluate("nuclei", UNet((4,), 128), 0)
        identities.add(Trained().identity)
    monkeypatch.setattr(trained.digits, "VERSION", 2)
    Trained(tmp_path).evaluate("nuclei", UNet((4,), 128), 0)
    identities.add(Trained().identity)
    assert len(list(tmp_path.iterdir())) == len(identities) == 4


@pytest.mark.parametrize(("task", "network"), [("cifar10", UNet((4,), 32)), ("nuclei", SMALL)])
def test_a_network_of_the_wrong_kind_is_refused(task: str, network: Description) -> None:
    with pytest.raises(WorkloadError, match=rf"task '{task}' expects a {TASKS[task].__name__}, got "):
        Trained().evaluate(task, network, 0)


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"no task named 'cifar-10'\. Did you mean 'cifar10'"):
        Trained().evaluate("cifar-10", SMALL, 0)


def test_more_blocks_than_the_pictures_can_be_halved_are_refused() -> None:
    with pytest.raises(WorkloadError, match="an image of 16 pixels cannot be halved 5 times"):
        Trained().evaluate("cifar10", ResNet9(8, (8,) * 5, (0,) * 5, 32, 10), 0)


@pytest.mark.parametrize("module", ["torch", "sklearn", "PIL"])
def test_without_a_library_it_cannot_be_made(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"surrogate' does without.* needs [\w-]+, .*archgym\[asic\]"):
        Trained()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "networks"),
    [
        ("cifar10", [ResNet9(4, (4, 8, 8), (0, 0, 0), 16, 10), ResNet9(8, (16, 32, 32), (1, 0, 1), 16, 10)]),
        ("nuclei", [UNet((4,), 32), UNet((4, 8), 32)]),
    ],
)
def test_the_smallest_and_a_middle_network_of_the_measured_lists_are_well_apart(
    task: str, networks: list[Description], tmp_path: Path
) -> None:
    small, middle = (Trained(tmp_path).train(task, network, 0) for network in networks)
    assert middle > small + 0.05


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "middle"),
    [
        ("cifar10", ResNet9(16, (32, 64, 128), (1, 0, 1), 32, 10)),
        ("stl10", ResNet9(16, (16, 32, 128, 128, 128), (0, 0, 2, 0, 0), 96, 10)),
        ("nuclei", UNet((8, 16, 32), 128)),
    ],
)
def test_the_smallest_a_middle_and_the_largest_network_come_out_in_order(
    task: str, middle: Description, tmp_path: Path
) -> None:
    space = load_network_space(next(name for name in network_spaces() if name.endswith(task)))
    evaluator = Trained(tmp_path)
    networks = (space.smallest(), middle, space.largest())
    small, between, large = (sum(evaluator.evaluate(task, each, seed) for seed in (0, 1)) / 2 for each in networks)
    assert small < between < large
    assert 0.4 < small and large < 0.99
