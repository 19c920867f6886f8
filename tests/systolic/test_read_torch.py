"""Networks traced from torch modules, against what they must be and against PyTorch's own count of operations."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archgym.errors import MissingExtraError, WorkloadError
from simulators.systolic import read_onnx
from simulators.systolic.imported import Imported
from simulators.systolic.layers import Layer
from simulators.systolic.read_torch import from_torch, trace

torch = pytest.importorskip("torch")
nn = torch.nn
attend = nn.functional.scaled_dot_product_attention


class Function(nn.Module):
    """A function of tensors as a module."""

    def __init__(self, function: Callable[..., Any], **weights: tuple[int, ...]) -> None:
        super().__init__()
        self.function = function
        for name, shape in weights.items():
            self.register_parameter(name, nn.Parameter(torch.zeros(shape)))

    def forward(self, *inputs: Any) -> Any:
        return self.function(*self.parameters(), *inputs)


class Residual(nn.Module):
    """A block of a ResNet."""

    def __init__(self, channels: int, filters: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.shortcut = nn.Conv2d(channels, filters, 1, stride, bias=False)

    def forward(self, x: Any) -> Any:
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (y + self.shortcut(x)).relu()


class ResNet(nn.Module):
    """A stem, a block, a depthwise layer, a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 7, 2, 3)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.blocks = nn.Sequential(Residual(8, 16, 2))
        self.depthwise = nn.Conv2d(16, 32, (3, 1), padding="same", groups=16, dilation=2)
        self.fc = nn.Linear(32, 10)

    def forward(self, x: Any) -> Any:
        return self.fc(self.depthwise(self.blocks(self.pool(self.stem(x)))).mean((2, 3)))


class Block(nn.Module):
    """A pre-norm transformer block that does its own attention, with a causal mask."""

    def __init__(self, width: int = 32, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Any) -> Any:
        batch, tokens, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        context = attend(*qkv, is_causal=True).transpose(1, 2).reshape(batch, tokens, width)
        x = x + self.out(context)
        return x + self.down(nn.functional.gelu(self.up(self.norm2(x))))


def run(module: Any, *shapes: tuple[int, ...], **arguments: Any) -> Imported:
    return trace(module.eval(), tuple(torch.zeros(shape) for shape in shapes), "net", **arguments)


def counted(module: Any, *shapes: tuple[int, ...]) -> int:
    """PyTorch's own count of multiply-accumulates."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        module.eval()(*(torch.zeros(shape) for shape in shapes))
    return int(counter.get_total_flops()) // 2


def products(found: Imported) -> list[tuple[Any, ...]]:
    return [(layer.m, layer.n, layer.k, layer.count, layer.activations) for layer in found.network.layers]


def test_a_small_resnet() -> None:
    found = run(ResNet(), (1, 3, 32, 32))
    assert found.network.name == "net"
    assert found.network.layers == (
        Layer("stem", 32, 32, 7, 7, 3, 8, 2, 2, 6, 6),
        Layer("blocks.0.conv1", 8, 8, 3, 3, 8, 16, 2, 2, 2, 2),
        Layer("blocks.0.conv2", 4, 4, 3, 3, 16, 16, 1, 1, 2, 2),
        Layer("blocks.0.shortcut", 8, 8, 1, 1, 8, 16, 2, 2),
        Layer("depthwise", 4, 4, 3, 1, 16, 32, 1, 1, 4, 0, 2, 2, groups=16),
        Layer.gemm("fc", m=1, n=10, k=32),
    )
    assert found.network.macs == counted(ResNet(), (1, 3, 32, 32))
    assert found.skipped["aten.relu"] == 2 and found.skipped["aten.max_pool2d_with_indices"] == 1


def test_a_transformer_block() -> None:
    found = run(Block(), (1, 10, 32))
    assert [layer.name for layer in found.network.layers] == [
        "qkv",
        "attention.scores",
        "attention.context",
        "out",
        "up",
        "down",
    ]
    assert products(found) == [
        (10, 96, 32, 1, False),
        (10, 10, 8, 4, True),
        (10, 8, 10, 4, True),
        (10, 32, 32, 1, False),
        (10, 128, 32, 1, False),
        (10, 32, 128, 1, False),
    ]
    assert found.network.macs == counted(Block(), (1, 10, 32))
    assert from_torch(Block().eval(), (torch.zeros(1, 10, 32),), "net") == found.network


def test_the_attention_of_torch_itself() -> None:
    found = run(nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), (1, 5, 16))
    names = ["addmm", "attention.scores", "attention.context", "addmm_1"]
    assert [layer.name for layer in found.network.layers] == [f"self_attn.{name}" for name in names] + ["linear1", "linear2"]
    assert found.network.macs == 5 * 16 * 16 * 4 + 2 * 4 * 5 * 5 * 4 + 2 * 5 * 16 * 32


def test_keys_of_fewer_heads_are_shared() -> None:
    found = run(Function(lambda q, k, v: attend(q, k, v, enable_gqa=True)), (1, 8, 5, 16), (1, 2, 7, 16), (1, 2, 7, 16))
    assert products(found) == [(5, 7, 16, 8, True), (5, 16, 7, 8, True)]


@pytest.mark.parametrize(
    ("function", "weights", "shapes", "expected"),
    [
        (lambda a, b: a @ b, {}, [(2, 3, 4, 5), (2, 3, 5, 6)], (4, 6, 5, 6, True)),
        (lambda w, x: x @ w, {"w": (5, 6)}, [(2, 3, 5)], (6, 6, 5, 1, False)),
        (lambda w, x: w @ x, {"w": (6, 5)}, [(2, 5, 3)], (6, 6, 5, 1, False)),
        (lambda w, x: torch.relu(w).t() @ x, {"w": (5, 6)}, [(5, 3)], (3, 6, 5, 1, False)),
        (lambda a, b: a @ b, {}, [(3, 4), (4,)], (3, 1, 4, 1, True)),
        (lambda w, x: w @ x, {"w": (3, 4)}, [(4,)], (1, 3, 4, 1, False)),
        (lambda a, b: a @ b, {}, [(4,), (4,)], (1, 1, 4, 1, True)),
        (lambda c, a, b: torch.addmv(c, a, b), {}, [(3,), (3, 4), (4,)], (3, 1, 4, 1, True)),
        (lambda c, a, b: torch.baddbmm(c, a, b), {}, [(2, 3, 5), (2, 3, 4), (2, 4, 5)], (3, 5, 4, 2, True)),
        (lambda a, b: torch.einsum("bik,bjk->bij", a, b), {}, [(2, 3, 4), (2, 5, 4)], (3, 5, 4, 2, True)),
        (lambda a, b: torch.tensordot(a, b, 2), {}, [(3, 4, 5), (4, 5, 6)], (3, 6, 20, 1, True)),
        (lambda x: x @ torch.ones(4, 6), {}, [(3, 4)], (3, 6, 4, 1, True)),
    ],
)
def test_products(function: Any, weights: Any, shapes: Any, expected: tuple[Any, ...]) -> None:
    assert products(run(Function(function, **weights), *shapes)) == [expected]


def test_a_convolution_over_one_axis_and_a_batch() -> None:
    found = run(nn.Conv1d(4, 6, 5, 2, 3, dilation=2), (7, 4, 20))
    assert found.network.layers == (Layer("convolution", 1, 20, 1, 5, 4, 6, stride_w=2, pad_w=6, dilation_w=2, count=7),)


def test_a_recurrent_layer_comes_step_by_step() -> None:
    found = run(nn.LSTM(4, 6), (3, 1, 4))
    assert products(found) == [(3, 24, 4, 1, False)] + 3 * [(1, 24, 6, 1, False)]


def test_a_module_that_is_used_twice() -> None:
    shared = nn.Linear(4, 4)
    found = run(nn.Sequential(shared, nn.ReLU(), shared), (2, 4))
    names = [layer.name for layer in found.network.layers]
    assert len(set(names)) == 2 and products(found) == 2 * [(2, 4, 4, 1, False)]


def test_products_of_weights_alone_are_skipped() -> None:
    found = run(Function(lambda u, w, x: x @ (u @ w), u=(4, 5), w=(5, 6)), (3, 4))
    assert products(found) == [(3, 6, 4, 1, False)] and found.skipped == {"aten.mm of weights": 1}


def test_a_way_that_depends_on_the_data_is_that_of_the_example() -> None:
    class Choice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.small, self.large = nn.Linear(4, 4), nn.Linear(4, 2), nn.Linear(4, 8)

        def forward(self, x: Any) -> Any:
            y = self.first(x)
            return self.large(y) if x.sum() > 0 else self.small(y)

    sizes = [from_torch(Choice(), (torch.full((3, 4), value),)).layers for value in (-1.0, 1.0)]
    assert [[(layer.m, layer.n, layer.k, layer.activations) for layer in layers] for layers in sizes] == [
        [(3, 4, 4, False), (3, 2, 4, False)],
        [(3, 4, 4, False), (3, 8, 4, False)],
    ]


@pytest.mark.parametrize(
    ("module", "shapes", "told"),
    [
        (nn.ConvTranspose2d(3, 4, 2), [(1, 3, 8, 8)], "aten.convolution (transposed) (1: convolution)"),
        (nn.Bilinear(3, 4, 5), [(2, 3), (2, 4)], "aten._trilinear (1: _trilinear)"),
        (Function(lambda a: torch.fft.fft(a).real @ a), [(4, 4)], "aten._fft_r2c (1: _fft_r2c)"),
        (Function(lambda a: torch.linalg.inv(a) @ a), [(4, 4)], "aten.linalg_inv_ex (1: linalg_inv_ex)"),
        (nn.Conv3d(3, 4, 2), [(1, 3, 8, 8, 8)], "net: layer 'convolution': only convolutions over one or two axes"),
        (Function(lambda a: a[a[:, 0] > 0] @ a), [(4, 4)], "depends on the data: (u0, 4)"),
        (nn.ReLU(), [(4, 4)], "net: expected at least one convolution or matrix product, found none"),
    ],
)
def test_refused(module: Any, shapes: Any, told: str) -> None:
    with pytest.raises(WorkloadError) as error:
        run(module, *shapes)
    assert told in str(error.value) and str(error.value).startswith("net: ")


def test_a_user_may_know_better() -> None:
    module = Function(lambda w, x: nn.functional.bilinear(x, x, w) @ x, w=(3, 4, 4))
    found = run(module, (3, 4), skip=["aten._trilinear"])
    assert products(found) == [(3, 4, 3, 1, True)] and found.skipped["aten._trilinear"] == 1


def test_inputs_that_do_not_fit() -> None:
    with pytest.raises(
        WorkloadError, match=r"net: torch can neither export \(RuntimeError: .*nor run it \(RuntimeError: mat1"
    ):
        run(nn.Linear(3, 4), (4, 4))
    with pytest.raises(WorkloadError, match=r"a torch\.nn\.Module and a tuple of example inputs, got Linear and Tensor"):
        from_torch(nn.Linear(3, 4), torch.zeros(2, 3))


def test_an_onnx_file_that_torch_writes_has_the_same_products(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    inputs = torch.zeros(2, 10, 32)
    axes = {"x": {0: "batch", 1: "tokens"}}
    torch.onnx.export(
        Block().eval(), (inputs,), tmp_path / "block.onnx", dynamo=False, input_names=["x"], dynamic_axes=axes, verbose=False
    )
    assert products(read_onnx.read(tmp_path / "block.onnx", sizes={"tokens": 10})) == products(run(Block(), (1, 10, 32)))


def test_without_torch_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"needs torch, which is not installed.*archgym\[rl\]"):
        from_torch(Function(lambda x: x), ())
