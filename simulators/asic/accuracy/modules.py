"""A torch module from a description, by the rules of ``description.py``.

It has as many parameters as ``description.parameters()`` says, and as many multiplications as ``description.macs()``, except
that a transposed convolution of stride 2 multiplies a quarter of what the cost model charges for an up-convolution.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulators.asic.accuracy.libraries import import_torch
from simulators.asic.description import Description, ResNet9, UNet

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

Forward = Callable[..., "Tensor"]


def build(description: Description) -> Module:
    """A module with fresh weights from torch's random numbers.

    Args:
        description: any network.

    Returns:
        From images ``(N, channels, image, image)`` to scores of classes ``(N, classes)`` of a ResNet9, or of pixels
        ``(N, 1, image, image)`` of a U-Net: before softmax or sigmoid.

    Raises:
        MissingExtraError: torch is not installed.
    """
    torch = import_torch()
    return _resnet9(torch, description) if isinstance(description, ResNet9) else _unet(torch, description)


def _resnet9(torch: Any, description: ResNet9) -> Module:
    nn = torch.nn
    parts = [_convolution(nn, description.channels, description.stem)]
    above = description.stem
    for width, extra in zip(description.filters, description.extras, strict=True):
        parts += [_convolution(nn, above, width), nn.MaxPool2d(2)]
        if extra:
            inner = nn.Sequential(*(_convolution(nn, width, width) for _ in range(extra)))
            parts.append(_module(nn, {"inner": inner}, lambda self, x: x + self.inner(x)))
        above = width
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(above, description.classes))


def _unet(torch: Any, description: UNet) -> Module:
    nn = torch.nn

    def level(index: int) -> Module:
        width = description.filters[index]
        above = description.filters[index - 1] if index else description.channels
        parts = {"down": _pair(nn, above, width)}
        if index == description.height - 1:
            return parts["down"]
        parts["below"] = nn.Sequential(nn.MaxPool2d(2), level(index + 1))
        parts["up"] = nn.ConvTranspose2d(description.filters[index + 1], width, 2, stride=2)
        parts["joined"] = _pair(nn, 2 * width, width)

        def forward(self: Any, x: Tensor) -> Tensor:
            skip = self.down(x)
            return self.joined(torch.cat([skip, self.up(self.below(skip))], dim=1))

        return _module(nn, parts, forward)

    return nn.Sequential(level(0), nn.Conv2d(description.filters[0], 1, 1))


def _convolution(nn: Any, channels: int, filters: int) -> Module:
    return nn.Sequential(nn.Conv2d(channels, filters, 3, padding=1, bias=False), nn.BatchNorm2d(filters), nn.ReLU())


def _pair(nn: Any, channels: int, filters: int) -> Module:
    return nn.Sequential(_convolution(nn, channels, filters), _convolution(nn, filters, filters))


def _module(nn: Any, parts: dict[str, Module], forward: Forward) -> Module:
    """A module of these parts; its class is made here because torch may be missing when this file is imported."""
    module = type("Part", (nn.Module,), {"forward": forward})()
    for name, part in parts.items():
        module.add_module(name, part)
    return module
