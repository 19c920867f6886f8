"""One description, two readers: the module that is trained has the sizes that the cost model prices."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archgym.errors import MissingExtraError
from simulators.asic.accuracy.modules import build
from simulators.asic.description import Description, ResNet9, UNet
from simulators.asic.network_space import load_network_space, network_spaces

torch = pytest.importorskip("torch", reason="modules need torch (extra asic)")


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Networks this small are slower on several."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def multiplications(description: Description) -> tuple[int, int]:
    """Of one image, counted by hooks: all but those of transposed convolutions, and those."""
    counts = {"plain": 0, "transposed": 0}

    def count(module: Any, inputs: Any, output: Any) -> None:
        if isinstance(module, torch.nn.Conv2d):
            counts["plain"] += output.numel() * module.weight[0].numel()
        elif isinstance(module, torch.nn.Linear):
            counts["plain"] += module.weight.numel()
        elif isinstance(module, torch.nn.ConvTranspose2d):
            counts["transposed"] += inputs[0].numel() * module.weight[0].numel()

    module = build(description).eval()
    handles = [part.register_forward_hook(count) for part in module.modules()]
    with torch.no_grad():
        module(torch.zeros(1, description.channels, description.image, description.image))
    for handle in handles:
        handle.remove()
    return counts["plain"], counts["transposed"]


def check_sizes(description: Description) -> None:
    """Parameters and multiplications are those of the description."""
    assert sum(parameter.numel() for parameter in build(description).parameters()) == description.parameters()
    plain, transposed = multiplications(description)
    # The cost model takes an up-convolution for a 2x2 convolution on the doubled map: four times the multiplications.
    assert plain + 4 * transposed == description.macs()


blocks = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 2)), min_size=1, max_size=3)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 6), blocks, st.integers(8, 15), st.integers(2, 5), st.integers(1, 3))
def test_any_resnet9(stem: int, blocks: list[tuple[int, int]], image: int, classes: int, channels: int) -> None:
    filters, extras = zip(*blocks, strict=True)
    check_sizes(ResNet9(stem, filters, extras, image, classes, channels))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.sampled_from([8, 16, 24]), st.integers(1, 3))
def test_any_unet(filters: list[int], image: int, channels: int) -> None:
    check_sizes(UNet(tuple(filters), image, channels))


@pytest.mark.parametrize("name", network_spaces())
def test_the_smallest_and_the_largest_network_of_each_space_at_full_size(name: str) -> None:
    space = load_network_space(name)
    check_sizes(space.smallest())
    check_sizes(space.largest())


def test_parameters_known_from_elsewhere() -> None:
    assert [ResNet9(4, (4, 8, 8), (0, 0, 0), 16, 10).parameters(), UNet((4, 8), 32).parameters()] == [1254, 1749]


def test_outputs_are_scores_of_classes_or_of_pixels() -> None:
    images = torch.zeros(2, 3, 16, 16)
    assert build(ResNet9(2, (3,), (1,), 16, 7))(images).shape == (2, 7)
    assert build(UNet((2, 3, 4), 16))(images).shape == (2, 1, 16, 16)


def test_extra_convolutions_are_skipped_around() -> None:
    """Where they give zero, the network computes what it would without them."""
    bare, extra = build(ResNet9(3, (4,), (0,), 8, 5)).eval(), build(ResNet9(3, (4,), (2,), 8, 5)).eval()
    (skip,) = [part for part in extra if hasattr(part, "inner")]
    for parameter in skip.parameters():
        parameter.data.zero_()
    for old, new in zip(bare, [part for part in extra if part is not skip], strict=True):
        new.load_state_dict(old.state_dict())
    images = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(bare(images), extra(images))
    skip.inner[1][1].bias.data.fill_(1.0)
    assert not torch.equal(bare(images), extra(images))


def test_a_unet_sees_both_the_map_of_its_level_and_what_comes_from_below() -> None:
    module = build(UNet((2, 3), 8))
    module(torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))).sum().backward()
    first = module[0].joined[0][0].weight.grad
    assert first.shape[1] == 4 and (first.abs().sum(dim=(0, 2, 3)) > 0).all()


def test_without_torch_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"needs torch, which is not installed.*archgym\[asic\]"):
        build(UNet((2,), 8))
