"""Networks as records: their layers, multiplications and parameters, and the spaces they are drawn from."""

from __future__ import annotations

import itertools
import tomllib
from pathlib import Path

import numpy as np
import pytest

from archgym.errors import UnknownNameError, WorkloadError
from simulators.asic.description import Description, ResNet9, UNet
from simulators.asic.layout import CONV, KIND, STRIDE, C, K, R, S, X, Y
from simulators.asic.network_space import FOLDER, MARKS, load_network_space, network_spaces

RESNET9 = ResNet9(stem=16, filters=(32, 64, 128), extras=(1, 0, 1), image=32, classes=10)
UNET = UNet(filters=(8, 16), image=128)

# (name, K, C, R = S, Y = X), written out by hand
RESNET9_ROWS = [
    ("stem", 16, 3, 3, 34),
    ("b1_conv", 32, 16, 3, 34),
    ("b1_x1", 32, 32, 3, 18),
    ("b2_conv", 64, 32, 3, 18),
    ("b3_conv", 128, 64, 3, 10),
    ("b3_x1", 128, 128, 3, 6),
    ("fc", 10, 128, 1, 1),
]
UNET_ROWS = [
    ("d0_1", 8, 3, 3, 130),
    ("d0_2", 8, 8, 3, 130),
    ("d1_1", 16, 8, 3, 66),
    ("d1_2", 16, 16, 3, 66),
    ("up0", 8, 16, 2, 129),
    ("u0_1", 8, 16, 3, 130),
    ("u0_2", 8, 8, 3, 130),
    ("out", 1, 8, 1, 128),
]


@pytest.mark.parametrize(("network", "expected"), [(RESNET9, RESNET9_ROWS), (UNET, UNET_ROWS)], ids=str)
def test_layers(network: Description, expected: list[tuple[str, int, int, int, int]]) -> None:
    rows = network.layers()
    found = zip(network.layer_names(), rows[:, [K, C, R, Y]].tolist(), strict=True)
    assert [(name, *sizes) for name, sizes in found] == expected
    assert (rows[:, R] == rows[:, S]).all() and (rows[:, Y] == rows[:, X]).all()
    assert (rows[:, KIND] == CONV).all() and (rows[:, STRIDE] == 1).all()


def test_a_deep_unet_goes_down_and_up_the_same_steps() -> None:
    network = UNet((4, 8, 16, 32, 64), 128)
    rows = dict(zip(network.layer_names(), network.layers(), strict=True))
    assert len(rows) == 5 * 5 - 2
    assert [rows[f"d{level}_2"][Y] - 2 for level in range(5)] == [128, 64, 32, 16, 8]
    assert [rows[f"up{level}"][Y] - 1 for level in (3, 2, 1, 0)] == [16, 32, 64, 128]
    assert [int(rows[f"u{level}_1"][C]) for level in (3, 2, 1, 0)] == [64, 32, 16, 8]


def test_pooling_rounds_down() -> None:
    network = ResNet9(8, (16, 32, 64, 64, 128), (1, 1, 1, 1, 1), image=96, classes=10)
    sizes = [int(row[Y]) - 2 for name, row in zip(network.layer_names(), network.layers(), strict=True) if "_x" in name]
    assert sizes == [48, 24, 12, 6, 3]


def test_multiplications() -> None:
    assert UNet((4,), 128).macs() == 128 * 128 * (3 * 4 * 9 + 4 * 4 * 9 + 4)
    assert RESNET9.macs() == 19_318_016


# Parameters of torch modules that follow the rules of description.py.
@pytest.mark.parametrize(
    ("network", "parameters"),
    [
        (ResNet9(4, (4, 8, 8), (0, 0, 0), 16, 10), 1_254),
        (ResNet9(8, (16, 32, 32), (1, 0, 1), 16, 10), 27_314),
        (ResNet9(16, (32, 64, 128), (1, 0, 1), 16, 10), 255_962),
        (UNet((4,), 32), 273),
        (UNet((4, 8), 32), 1_749),
        (UNet((8, 16, 32, 64), 32), 121_177),
    ],
    ids=str,
)
def test_parameters(network: Description, parameters: int) -> None:
    assert network.parameters() == parameters


def test_descriptions_are_values() -> None:
    assert UNET == UNet((8, 16), 128) and hash(UNET) == hash(UNet((8, 16), 128)) and UNET != UNet((8, 32), 128)
    assert str(RESNET9) == "ResNet9(16; 32,64,128; 1,0,1)" and str(UNET) == "UNet(8,16)"


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (ResNet9, (0, (16,), (0,), 32, 10), "at least 1"),
        (ResNet9, (8, (16, 32), (0,), 32, 10), "each of one or more blocks"),
        (ResNet9, (8, (), (), 32, 10), "each of one or more blocks"),
        (ResNet9, (8, (16,), (-1,), 32, 10), "each of one or more blocks"),
        (ResNet9, (8, (16, 16, 16), (0, 0, 0), 7, 10), "halved 3 times"),
        (UNet, ((), 128), "one or more levels"),
        (UNet, ((4, -8), 128), "at least 1"),
        (UNet, ((4, 8, 16), 126), "a multiple of 4"),
    ],
)
def test_refuses_what_is_no_network(kind: type[Description], arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(WorkloadError, match=message):
        kind(*arguments)


# count, most layers, millions of multiplications of the smallest and the largest network
SPACES = {
    "resnet9-cifar10": (5_184, 11, 3.760768, 360.385024),
    "resnet9-stl10": (34_992, 17, 41.805056, 428.659712),
    "resnet9-stl10-wide": (419_904, 17, 49.76768, 3710.587904),
    "unet-nuclei": (363, 23, 4.194304, 858.783744),
}


def test_every_space_is_tested() -> None:
    assert network_spaces() == sorted(SPACES)


@pytest.mark.parametrize("name", SPACES)
def test_spaces(name: str) -> None:
    space = load_network_space(name)
    figures = (space.count, space.longest, space.smallest().macs() / 1e6, space.largest().macs() / 1e6)
    assert figures == SPACES[name]
    assert all(list(choice.values) == sorted(set(choice.values)) for choice in space.choices)
    assert all(choice.certainty in MARKS for choice in space.choices)


@pytest.mark.parametrize("name", ["resnet9-cifar10", "unet-nuclei"])
def test_the_count_is_that_of_different_networks(name: str) -> None:
    space = load_network_space(name)
    rows = np.array(list(itertools.product(*(choice.values for choice in space.choices))))
    assert len(np.unique(space.canonical(rows), axis=0)) == space.count
    assert len({space.description(row) for row in rows}) == space.count


@pytest.mark.parametrize("name", SPACES)
def test_many_networks_have_the_layers_of_each(name: str) -> None:
    space = load_network_space(name)
    values = space.sample(100, np.random.default_rng(0))
    rows, lengths = space.layers(values)
    for network, own, length in zip(values, rows, lengths, strict=True):
        np.testing.assert_array_equal(own[:length], space.description(network).layers())
        assert not own[length:].any()
    assert (space.canonical(values) == values).all()


def test_samples_are_uniform() -> None:
    values = load_network_space("unet-nuclei").sample(5_000, np.random.default_rng(1))
    heights = np.bincount(values[:, 0], minlength=6)[1:]
    assert abs(heights - 1_000).max() < 4 * np.sqrt(5_000 * 0.2 * 0.8)
    deepest = values[values[:, 0] == 5, 5]
    assert abs(np.unique(deepest, return_counts=True)[1] / len(deepest) - 1 / 3).max() < 0.07


def test_names_and_values_that_do_not_exist() -> None:
    with pytest.raises(UnknownNameError, match="unet-nuclei"):
        load_network_space("unet-nuclear")
    with pytest.raises(WorkloadError, match="expected 7 values"):
        load_network_space("resnet9-cifar10").description([8, 16, 0])


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_files_have_what_they_need_and_no_more(path: Path) -> None:
    data = tomllib.loads(path.read_text())
    assert set(data) == {"kind", "data", "image", "channels", "classes", "choice"}
    assert all(set(choice) == {"name", "values", "certainty"} for choice in data["choice"])
