"""Layers from ONNX files: operators, shapes, batches, weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_models import FLOAT, INT64, Shapes, attention, helper, imported, inferred_shape, layers, model, node, onnx, refuses

from simulators.systolic import workloads
from simulators.systolic.layers import Layer
from simulators.systolic.read_onnx import read


@pytest.mark.parametrize(
    ("attributes", "filters", "expected"),
    [
        ({}, (6, 4, 3, 2), {}),
        ({"strides": [2, 3]}, (6, 4, 3, 2), {"stride_h": 2, "stride_w": 3}),
        ({"pads": [1, 2, 3, 0]}, (6, 4, 3, 2), {"pad_h": 4, "pad_w": 2}),
        ({"dilations": [2, 3]}, (6, 4, 3, 2), {"dilation_h": 2, "dilation_w": 3}),
        ({"group": 2}, (6, 2, 3, 2), {"groups": 2}),
        ({"group": 4}, (8, 1, 3, 2), {"groups": 4, "num_filters": 8}),
        ({"auto_pad": "VALID"}, (6, 4, 3, 2), {}),
        ({"auto_pad": "SAME_UPPER"}, (6, 4, 3, 2), {"pad_h": 2, "pad_w": 1}),
        ({"auto_pad": "SAME_LOWER", "strides": [2, 2]}, (6, 4, 3, 2), {"stride_h": 2, "stride_w": 2, "pad_h": 1, "pad_w": 1}),
        ({"auto_pad": "SAME_UPPER", "strides": [5, 1]}, (6, 4, 3, 2), {"stride_h": 5, "pad_h": 0, "pad_w": 1}),
        (
            {"auto_pad": "SAME_UPPER", "dilations": [2, 3]},
            (6, 4, 3, 2),
            {"dilation_h": 2, "dilation_w": 3, "pad_h": 4, "pad_w": 3},
        ),
        ({"auto_pad": "NOTSET", "pads": [1, 1, 1, 1], "kernel_shape": [3, 2]}, (6, 4, 3, 2), {"pad_h": 2, "pad_w": 2}),
    ],
)
def test_convolutions(tmp_path: Path, attributes: dict[str, Any], filters: tuple[int, ...], expected: dict[str, int]) -> None:
    made = model([node("Conv", "x w", **attributes)], {"x": (1, 4, 10, 9)}, {"w": filters})
    (layer,) = imported(tmp_path, made).network.layers
    assert layer == Layer("the_y", 10, 9, 3, 2, 4, **{"num_filters": 6} | expected)
    assert inferred_shape(made, "y") == (1, filters[0], layer.ofmap_h, layer.ofmap_w)


def test_a_convolution_over_one_axis_has_one_row(tmp_path: Path) -> None:
    made = model([node("Conv", "x w", strides=[2], pads=[1, 2], dilations=[3])], {"x": (1, 4, 20)}, {"w": (6, 4, 5)})
    (layer,) = imported(tmp_path, made).network.layers
    assert layer == Layer("the_y", 1, 20, 1, 5, 4, 6, stride_w=2, pad_w=3, dilation_w=3)
    assert inferred_shape(made, "y") == (1, 6, layer.ofmap_w)


def test_a_fixed_batch_is_part_of_one_input(tmp_path: Path) -> None:
    convolution, product = layers(
        tmp_path,
        [node("Conv", "x w", "c"), node("Flatten", "c", "f"), node("Gemm", "f v", "y", transB=1)],
        {"x": (5, 4, 3, 3)},
        {"w": (6, 4, 3, 3), "v": (7, 6)},
    )
    assert convolution == Layer("the_c", 3, 3, 3, 3, 4, 6, count=5)
    assert product == Layer.gemm("the_y", m=5, n=7, k=6)


@pytest.mark.parametrize(
    ("operator", "inputs", "weights", "attributes", "expected"),
    [
        ("Gemm", {"a": (2, 3)}, {"b": (3, 4)}, {}, (2, 4, 3, 1, False)),
        ("Gemm", {"a": (3, 2)}, {"b": (4, 3)}, {"transA": 1, "transB": 1}, (2, 4, 3, 1, False)),
        ("Gemm", {"b": (3, 4)}, {"a": (2, 3)}, {}, (4, 2, 3, 1, False)),
        ("Gemm", {"a": (2, 3), "b": (3, 4)}, {}, {}, (2, 4, 3, 1, True)),
        ("MatMul", {"a": (1, 5, 3)}, {"b": (3, 4)}, {}, (5, 4, 3, 1, False)),
        ("MatMul", {"a": (6, 5, 3)}, {"b": (3, 4)}, {}, (30, 4, 3, 1, False)),
        ("MatMul", {"b": (6, 3, 4)}, {"a": (5, 3)}, {}, (24, 5, 3, 1, False)),
        ("MatMul", {"a": (1, 8, 5, 3), "b": (1, 8, 3, 4)}, {}, {}, (5, 4, 3, 8, True)),
        ("MatMul", {"a": (2, 8, 5, 3), "b": (1, 8, 3, 4)}, {}, {}, (10, 4, 3, 8, True)),
        ("MatMul", {"a": (8, 5, 3), "b": (2, 8, 3, 4)}, {}, {}, (5, 8, 3, 8, True)),
        ("MatMul", {"a": (8, 5, 3)}, {"b": (8, 3, 4)}, {}, (5, 4, 3, 8, False)),
        ("MatMul", {"a": (3,)}, {"b": (3, 4)}, {}, (1, 4, 3, 1, False)),
        ("MatMul", {"a": (6, 5, 3)}, {"b": (3,)}, {}, (30, 1, 3, 1, False)),
        ("MatMul", {"a": (3,), "b": (3,)}, {}, {}, (1, 1, 3, 1, True)),
    ],
)
def test_products(
    tmp_path: Path, operator: str, inputs: Shapes, weights: Shapes, attributes: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    made = model([node(operator, "a b", **attributes)], inputs, weights)
    (layer,) = imported(tmp_path, made).network.layers
    assert (layer.m, layer.n, layer.k, layer.count, layer.activations) == expected
    outputs = int(np.prod(inferred_shape(made, "y")))
    assert layer.macs == outputs * layer.k


@pytest.mark.parametrize("batch", [1, "batch_size", "N", None, "unk__616"])
def test_attention_with_any_kind_of_batch(tmp_path: Path, batch: Any) -> None:
    found = imported(tmp_path, attention(batch, 10))
    project = Layer.gemm("", m=10, n=32, k=32)
    scores = Layer.gemm("", m=10, n=10, k=8, count=4, activations=True)
    context = Layer.gemm("", m=10, n=8, k=10, count=4, activations=True)
    assert [layer.row() for layer in found.network.layers] == [
        each.row() for each in (project, project, project, scores, context, project)
    ]
    assert [layer.name for layer in found.network.layers][3:] == ["the_scores", "the_context", "the_y"]
    assert found.skipped == {"LayerNormalization": 1, "Shape": 1, "Concat": 2, "Reshape": 4, "Transpose": 4, "Softmax": 1}


@pytest.mark.parametrize("tokens", ["sequence", None])
def test_sizes_that_are_left_open(tmp_path: Path, tokens: Any) -> None:
    told = f"'x' leaves dimension 1 open ({tokens or 'no name'})"
    refuses(tmp_path, attention("batch", tokens), "the sizes of all inputs must be known", told, "sizes={'symbol': size}")


def test_open_sizes_can_be_given(tmp_path: Path) -> None:
    given = imported(tmp_path, attention("batch", "sequence"), sizes={"sequence": 10})
    assert given.network == imported(tmp_path, attention(1, 10)).network
    twice = imported(tmp_path, attention("batch", "sequence"), sizes={"sequence": 10, "batch": 2})
    assert twice.network.macs == 2 * given.network.macs


def test_a_symbol_in_first_place_need_not_be_a_batch(tmp_path: Path) -> None:
    made = model([node("MatMul", "x w")], {"x": ("tokens", 8)}, {"w": (8, 4)})
    refuses(tmp_path, made, "'x' leaves dimension 0 open (tokens)")
    (layer,) = imported(tmp_path, made, sizes={"tokens": 6}).network.layers
    assert (layer.m, layer.n, layer.k) == (6, 4, 8)


def test_the_batch_is_one_wherever_it_stands(tmp_path: Path) -> None:
    for operands in ("x z", "z x"):
        inputs = {"z": (8, "batch"), "x": ("batch", 8)} if operands == "x z" else {"x": ("batch", 8), "z": (8, "batch")}
        (layer,) = layers(tmp_path, [node("MatMul", operands)], inputs)
        assert sorted((layer.m, layer.n, layer.k)) == ([1, 1, 8] if operands == "x z" else [1, 8, 8])


def test_weights_may_be_made_in_the_graph(tmp_path: Path) -> None:
    """Constants, transposed and dequantised weights are weights; what comes from the input is not."""
    constant = helper.make_tensor("value", FLOAT, (8, 4), np.zeros(32))
    nodes = [
        node("Constant", "", "c", value=constant),
        node("Transpose", "w", "t"),
        node("Cast", "t", "u", to=FLOAT),
        node("MatMul", "x c", "p"),
        node("MatMul", "p u", "q"),
        node("MatMul", "u u", "uu"),
        node("MatMul", "q uu", "r"),
        node("Transpose", "r", "rt"),
        node("MatMul", "r rt", "y"),
    ]
    found = imported(tmp_path, model(nodes, {"x": (2, 8)}, {"w": (4, 4)}))
    assert [layer.activations for layer in found.network.layers] == [False, False, False, True]
    assert found.skipped == {"Constant": 1, "Transpose": 2, "Cast": 1, "MatMul of constants": 1}


def test_quantised_layers(tmp_path: Path) -> None:
    integer = onnx.TensorProto.UINT8
    nodes = [node("MatMulInteger", "x w", "p"), node("ConvInteger", "z f", "q", pads=[1, 1, 1, 1])]
    values = [helper.make_tensor_value_info(name, integer, shape) for name, shape in (("x", (2, 8)), ("z", (1, 3, 6, 6)))]
    stored = [helper.make_tensor("w", integer, (8, 4), [0] * 32), helper.make_tensor("f", integer, (5, 3, 3, 3), [0] * 135)]
    graph = helper.make_graph(nodes, "g", values, [helper.make_tensor_value_info("q", onnx.TensorProto.INT32, None)], stored)
    product, convolution = imported(tmp_path, helper.make_model(graph)).network.layers
    assert product == Layer.gemm("the_p", m=2, n=4, k=8)
    assert convolution == Layer("the_q", 6, 6, 3, 3, 3, 5, pad_h=2, pad_w=2)


def test_qlinear_operators_take_their_fourth_input(tmp_path: Path) -> None:
    integer = onnx.TensorProto.UINT8
    nodes = [
        node("QLinearConv", "x s z w s z s z", "c"),
        node("Flatten", "c", "f"),
        node("QLinearMatMul", "f s z v s z s z", "y"),
    ]
    values = [helper.make_tensor_value_info("x", integer, (1, 3, 4, 4))]
    stored = [
        helper.make_tensor("w", integer, (5, 3, 4, 4), [0] * 240),
        helper.make_tensor("v", integer, (5, 7), [0] * 35),
        helper.make_tensor("s", FLOAT, (), [1.0]),
        helper.make_tensor("z", integer, (), [0]),
    ]
    graph = helper.make_graph(nodes, "g", values, [helper.make_tensor_value_info("y", integer, None)], stored)
    convolution, product = imported(tmp_path, helper.make_model(graph)).network.layers
    assert convolution == Layer("the_c", 4, 4, 4, 4, 3, 5)
    assert product == Layer.gemm("the_y", m=1, n=7, k=5)


def test_scales_of_a_resize_are_read(tmp_path: Path) -> None:
    scales = helper.make_tensor("scales", FLOAT, (4,), [1.0, 1.0, 2.0, 3.0])
    nodes = [helper.make_node("Resize", ["x", "", "scales"], ["r"]), node("Conv", "r w")]
    (layer,) = layers(tmp_path, nodes, {"x": ("n", 3, 5, 5)}, {"w": (4, 3, 3, 3)}, constants=[scales])
    assert layer == Layer("the_y", 10, 15, 3, 3, 3, 4)


def test_sizes_that_the_file_has_as_formulas_are_found_anew(tmp_path: Path) -> None:
    made = model([node("Concat", "x x", "c", axis=1), node("MatMul", "c w")], {"x": ("batch", "seq", 8)}, {"w": (8, 4)})
    made.graph.value_info.append(helper.make_tensor_value_info("c", FLOAT, ("batch", "seq + seq", 8)))
    (layer,) = imported(tmp_path, made, sizes={"seq": 5}).network.layers
    assert (layer.m, layer.n, layer.k) == (10, 4, 8)


def test_sizes_that_the_graph_computes(tmp_path: Path) -> None:
    """Half of the tokens, rounded up, twice: inference alone does not follow the division."""
    constants = [helper.make_tensor(name, INT64, (1,), [value]) for name, value in (("one", 1), ("two", 2), ("rest", -1))]
    nodes = []
    for place, tensor in enumerate(("x", "m0")):
        nodes += [
            node("Shape", tensor, f"s{place}", start=1, end=2),
            node("Add", f"s{place} one", f"a{place}"),
            node("Div", f"a{place} two", f"d{place}"),
            node("Concat", f"d{place} rest", f"c{place}", axis=0),
            node("Reshape", f"{tensor} c{place}", f"r{place}"),
            node("Unsqueeze", f"r{place} zero", f"u{place}"),
            node("MatMul", f"u{place} w{place}", f"m{place}"),
        ]
    constants.append(helper.make_tensor("zero", INT64, (1,), [0]))
    made = model(nodes, {"x": ("batch", 11, 12)}, {"w0": (22, 10), "w1": (20, 3)}, constants)
    found = imported(tmp_path, made)
    assert [(layer.m, layer.n, layer.k) for layer in found.network.layers] == [(6, 10, 22), (3, 3, 20)]
    assert found.skipped == {"Shape": 2, "Add": 2, "Div": 2, "Concat": 2, "Reshape": 2, "Unsqueeze": 2}


def test_old_files_list_weights_among_the_inputs(tmp_path: Path) -> None:
    made = model([node("MatMul", "x w")], {"x": ("batch", 80), "w": (80, 40)}, {"w": (80, 40)}, ir_version=3)
    assert imported(tmp_path, made).network.layers == (Layer.gemm("the_y", m=1, n=40, k=80),)


def test_nodes_without_a_name_are_numbered(tmp_path: Path) -> None:
    nodes = [helper.make_node("Relu", ["x"], ["r"]), helper.make_node("MatMul", ["r", "w"], ["y"])]
    (layer,) = layers(tmp_path, nodes, {"x": (2, 8)}, {"w": (8, 4)})
    assert layer.name == "MatMul_1"


def test_weights_in_another_file_are_not_needed(tmp_path: Path) -> None:
    made = model([node("MatMul", "x w")], {"x": (2, 800)}, {"w": (800, 400)})
    onnx.save(made, tmp_path / "net.onnx", save_as_external_data=True, location="net.data", size_threshold=0)
    (tmp_path / "net.data").unlink()
    (layer,) = read(tmp_path / "net.onnx").network.layers
    assert (layer.m, layer.n, layer.k, layer.activations) == (2, 400, 800, False)


def test_functions_of_the_model_are_opened(tmp_path: Path) -> None:
    opset = [helper.make_opsetid("", 21), helper.make_opsetid("mine", 1)]
    body = [helper.make_node("MatMul", ["a", "b"], ["c"], name="inner"), helper.make_node("Relu", ["c"], ["d"])]
    block = helper.make_function("mine", "Block", ["a", "b"], ["d"], body, opset)
    nodes = [
        helper.make_node("Block", ["x", "w"], ["h"], domain="mine"),
        helper.make_node("Block", ["h", "v"], ["y"], domain="mine"),
    ]
    made = model(nodes, {"x": (2, 8)}, {"w": (8, 4), "v": (4, 3)}, functions=[block], opset_imports=opset)
    found = imported(tmp_path, made)
    assert [(layer.m, layer.n, layer.k) for layer in found.network.layers] == [(2, 4, 8), (2, 3, 4)]
    assert found.skipped == {"Relu": 2}


def attends(tmp_path: Path, inputs: Shapes, operands: str = "q k v", **attributes: int) -> list[tuple[Any, ...]]:
    opset = [helper.make_opsetid("", 23)]
    made = model([node("Attention", operands, **attributes)], inputs, opset_imports=opset, ir_version=11)
    found = imported(tmp_path, made).network.layers
    assert [layer.name for layer in found] == ["the_y.scores", "the_y.context"] and all(layer.activations for layer in found)
    return [(layer.m, layer.n, layer.k, layer.count) for layer in found]


def test_attention_is_two_products(tmp_path: Path) -> None:
    apart = {"q": ("batch", 8, 5, 16), "k": ("batch", 8, 7, 16), "v": ("batch", 8, 7, 24)}
    assert attends(tmp_path, apart) == [(5, 7, 16, 8), (5, 24, 7, 8)]
    together = {"q": ("batch", 5, 128), "k": ("batch", 7, 128), "v": ("batch", 7, 192)}
    assert attends(tmp_path, together, q_num_heads=8, kv_num_heads=8) == [(5, 7, 16, 8), (5, 24, 7, 8)]


def test_attention_with_shared_heads_and_earlier_tokens(tmp_path: Path) -> None:
    inputs = {"q": (1, 8, 1, 16), "k": (1, 2, 1, 16), "v": (1, 2, 1, 16), "pk": (1, 2, 99, 16), "pv": (1, 2, 99, 16)}
    made = model(
        [helper.make_node("Attention", ["q", "k", "v", "", "pk", "pv"], ["y", "nk", "nv"])],
        inputs,
        opset_imports=[helper.make_opsetid("", 23)],
        ir_version=11,
    )
    scores, context = imported(tmp_path, made).network.layers
    assert (scores.m, scores.n, scores.k, scores.count) == (1, 100, 16, 8)
    assert (context.m, context.n, context.k, context.count) == (1, 16, 100, 8)


def test_a_path_is_a_workload(tmp_path: Path) -> None:
    onnx.save(attention("batch", 10), tmp_path / "block.onnx")
    block, alexnet = workloads.find(f"{tmp_path / 'block.onnx'}+alexnet")
    assert block.name == "block" and block.macs == 10 * 32 * 32 * 4 + 2 * 10 * 10 * 32 and alexnet.name == "alexnet"
