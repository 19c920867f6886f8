"""The surrogate: its end points, its order, its noise, and that it says what it is."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archgym.errors import UnknownNameError, WorkloadError
from simulators.asic.accuracy.interface import TASKS, Accuracy
from simulators.asic.accuracy.surrogate import Surrogate, capacity, curve, mean
from simulators.asic.description import ResNet9, UNet
from simulators.asic.network_space import MARKS, load_network_space

PUBLISHED = {"cifar10": (0.7893, 0.9417), "stl10": (0.7157, 0.7650), "nuclei": (0.64, 0.8394)}


def test_it_says_what_it_is() -> None:
    evaluator = Surrogate()
    assert isinstance(evaluator, Accuracy)
    assert evaluator.name == "surrogate" and "surrogate" in evaluator.label and "surrogate" in evaluator.identity


@pytest.mark.parametrize("task", TASKS)
def test_ends_are_the_published_ones(task: str) -> None:
    constants, space = curve(task), load_network_space(curve(task).space)
    assert (constants.low, constants.high) == PUBLISHED[task]
    assert {constants.low_certainty, constants.high_certainty} <= set(MARKS)
    assert mean(task, space.smallest()) == constants.low
    assert mean(task, space.largest()) == pytest.approx(
        constants.low + (constants.high - constants.low) * (1 - math.exp(-constants.c))
    )


@pytest.mark.parametrize("task", TASKS)
def test_every_network_of_the_space_is_between_the_ends(task: str) -> None:
    constants, space = curve(task), load_network_space(curve(task).space)
    for row in space.sample(200, np.random.default_rng(0)):
        network = space.description(row)
        assert 0 <= capacity(task, network) <= 1
        assert constants.low <= mean(task, network) < constants.high
        assert abs(Surrogate().evaluate(task, network, 0) - mean(task, network)) < 6 * constants.noise


@settings(deadline=None)
@given(st.data())
def test_wider_and_deeper_is_never_worse(data: st.DataObject) -> None:
    stem, filters = data.draw(st.integers(8, 64)), data.draw(st.lists(st.integers(16, 256), min_size=3, max_size=3))
    extras = data.draw(st.lists(st.integers(0, 2), min_size=3, max_size=3))
    network = ResNet9(stem, tuple(filters), tuple(extras), 32, 10)
    which = data.draw(st.integers(0, 2))
    filters[which] += data.draw(st.integers(1, 64))
    wider = replace(network, filters=tuple(filters))
    extras[which] += 1
    deeper = replace(network, extras=tuple(extras))
    assert mean("cifar10", network) <= min(mean("cifar10", wider), mean("cifar10", deeper))
    assert mean("cifar10", network) <= mean("cifar10", replace(network, stem=stem + 8))


def test_a_higher_and_a_wider_unet_is_better() -> None:
    rising = [UNet((4,), 128), UNet((4, 8), 128), UNet((8, 8), 128), UNet((8, 16, 16), 128), UNet((16, 32, 64, 128, 256), 128)]
    means = [mean("nuclei", network) for network in rising]
    assert means == sorted(means) and len(set(means)) == len(means)


def test_networks_beyond_the_space_stay_in_range() -> None:
    wide = load_network_space("resnet9-stl10-wide").largest()
    assert curve("stl10").low < mean("stl10", wide) < curve("stl10").high
    assert mean("nuclei", UNet((1,), 128)) == curve("nuclei").low


def test_noise_is_small_seeded_and_different_for_each_network() -> None:
    space, evaluator = load_network_space("resnet9-cifar10"), Surrogate()
    networks = [space.description(row) for row in space.sample(300, np.random.default_rng(1))]
    off = np.array([evaluator.evaluate("cifar10", each, 0) - mean("cifar10", each) for each in networks])
    assert 0.8 * curve("cifar10").noise < off.std() < 1.2 * curve("cifar10").noise <= 0.006
    assert abs(off.mean()) < 0.001
    assert evaluator.evaluate("cifar10", networks[0], 0) == Surrogate().evaluate("cifar10", networks[0], 0)
    assert evaluator.evaluate("cifar10", networks[0], 0) != evaluator.evaluate("cifar10", networks[0], 1)


def test_tasks_and_kinds_are_checked() -> None:
    with pytest.raises(UnknownNameError, match="no task named 'mnist'"):
        Surrogate().evaluate("mnist", UNet((4,), 128), 0)
    with pytest.raises(WorkloadError, match="task 'stl10' expects a ResNet9, got UNet"):
        Surrogate().evaluate("stl10", UNet((4,), 128), 0)
