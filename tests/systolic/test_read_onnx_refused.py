"""ONNX files that cannot be read, in part or at all: each with one message that says where and what."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from onnx_models import FLOAT, Shapes, attention, helper, imported, model, node, onnx, refuses

from archgym.errors import MissingExtraError, WorkloadError
from simulators.systolic.onnx_operators import SKIPPED
from simulators.systolic.read_onnx import read


def branch(*operators: str) -> Any:
    """An ``If`` whose branches run the operators one after the other."""
    nodes, last = [], "x"
    for place, operator in enumerate(operators):
        nodes.append(helper.make_node(operator, [last, "w"] if operator == "MatMul" else [last], [f"b{place}"]))
        last = f"b{place}"
    body = helper.make_graph(nodes, "body", [], [helper.make_tensor_value_info(last, FLOAT, None)])
    constant = helper.make_tensor("value", onnx.TensorProto.BOOL, (), [True])
    return [
        node("Constant", "", "c", value=constant),
        node("If", "c", "i", then_branch=body, else_branch=body),
        node("MatMul", "i w"),
    ]


def test_branches_without_layers_are_skipped(tmp_path: Path) -> None:
    found = imported(tmp_path, model(branch("Relu", "Identity"), {"x": (8, 8)}, {"w": (8, 8)}))
    assert found.skipped == {"Constant": 1, "If": 1} and len(found.network.layers) == 1


def test_branches_with_layers_are_refused(tmp_path: Path) -> None:
    made = model(branch("Relu", "MatMul"), {"x": (8, 8)}, {"w": (8, 8)})
    refuses(tmp_path, made, "If with layers inside (1: the_i)")


def test_unknown_operators_are_listed_with_number_and_nodes(tmp_path: Path) -> None:
    nodes = [node("Relu", "x", "r"), node("Einsum", "r r", "e", equation="ij,kj->ik"), node("MatMul", "e e", "m")]
    nodes += [node("ConvTranspose", f"m{i}" if i else "m", f"m{i + 1}") for i in range(5)]
    nodes += [helper.make_node("Attention", ["m5"], ["y"], name="fused", domain="com.microsoft")]
    refuses(
        tmp_path,
        model(nodes, {"x": (8, 8)}, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]),
        "Einsum (1: the_e)",
        "ConvTranspose (5: the_m1, the_m2, the_m3, ...)",
        "com.microsoft.Attention (1: fused)",
        "skip=",
    )


@pytest.mark.parametrize("operator", ["LSTM", "GRU", "RNN", "DFT", "DeformConv", "Det"])
def test_operators_that_multiply_are_refused(tmp_path: Path, operator: str) -> None:
    assert operator not in SKIPPED
    refuses(
        tmp_path,
        model([node(operator, "x w r")], {"x": (3, 1, 8)}, {"w": (1, 4, 8), "r": (1, 4, 4)}),
        f"{operator} (1: the_y)",
    )


def test_a_user_may_know_better(tmp_path: Path) -> None:
    nodes = [node("MatMul", "x w", "m"), helper.make_node("Mask", ["m"], ["y"], domain="mine")]
    made = model(
        nodes, {"x": (2, 8)}, {"w": (8, 4)}, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("mine", 1)]
    )
    refuses(tmp_path, made, "mine.Mask (1: Mask_1)")
    found = imported(tmp_path, made, skip=["mine.Mask"])
    assert found.skipped == {"mine.Mask": 1} and len(found.network.layers) == 1


def test_skipped_operators_exist() -> None:
    assert SKIPPED <= {schema.name for schema in onnx.defs.get_all_schemas()}


@pytest.mark.parametrize(
    ("nodes", "inputs", "weights", "told"),
    [
        ([node("Conv", "x w")], {"x": (1, 4, 2, 9)}, {"w": (6, 4, 3, 3)}, "node 'the_y' (Conv): layer 'the_y': the filter"),
        (
            [node("Conv", "x w")],
            {"x": (1, 5, 9, 9)},
            {"w": (6, 4, 3, 3)},
            "filters (6, 4, 3, 3) of 1 groups do not fit an input",
        ),
        ([node("Conv", "x w", group=4)], {"x": (1, 4, 9, 9)}, {"w": (6, 1, 3, 3)}, "num_filters must be a multiple of groups"),
        ([node("Conv", "x w")], {"x": (1, 4, 9, 9, 9)}, {"w": (6, 4, 3, 3, 3)}, "only convolutions over one or two axes"),
        ([node("Conv", "x w", strides=[2])], {"x": (1, 4, 9, 9)}, {"w": (6, 4, 3, 3)}, "must have 2 values each"),
        ([node("MatMul", "x w")], {"x": (3, 5)}, {"w": (4, 6)}, "the shapes (3, 5) and (4, 6) cannot be multiplied"),
        (
            [node("MatMul", "x w")],
            {"x": (2, 3, 5)},
            {"w": (4, 5, 6)},
            "the shapes (2, 3, 5) and (4, 5, 6) cannot be multiplied",
        ),
        (
            [node("NonZero", "x", "i"), node("Cast", "i", "f", to=FLOAT), node("MatMul", "w f")],
            {"x": (3, 5)},
            {"w": (4, 2)},
            "its input 'f' has the shape (2, ",
        ),
        (
            [node("Reshape", "x z", "r"), node("MatMul", "r w")],
            {"x": (3, 5), "z": (2,)},
            {"w": (4, 6)},
            "its input 'r' has the shape (unk__0, unk__1), which is not known in full",
        ),
        ([node("MatMul", "x w")], {"x": ()}, {"w": (4, 6)}, "the shapes () and (4, 6) cannot be multiplied"),
        ([node("Conv", "x")], {"x": (1, 4, 9, 9)}, {}, "node 'the_y' (Conv): expected at least 2 inputs, got 1"),
        ([node("Attention", "x x x")], {"x": (1, 5, 8)}, {}, "an unknown number of heads cannot be found in a shape of"),
        ([node("Attention", "x x x", q_num_heads=3)], {"x": (1, 5, 8)}, {}, "3 heads cannot be found in a shape of (1, 5, 8)"),
        ([node("Attention", "x x")], {"x": (1, 4, 5, 8)}, {}, "expected at least 3 inputs, got 2"),
        ([node("Relu", "x")], {"x": (3, 5)}, {}, "expected at least one convolution or matrix product"),
        ([node("MatMul", "w w")], {"x": (3, 5)}, {"w": (4, 4)}, "expected at least one convolution or matrix product"),
        ([node("MatMul", "x w")], {"x": None}, {"w": (4, 6)}, "'x' has no shape"),
    ],
)
def test_models_that_make_no_sense(tmp_path: Path, nodes: Any, inputs: Shapes, weights: Shapes, told: str) -> None:
    refuses(tmp_path, model(nodes, inputs, weights), told)


def test_what_shape_inference_says_is_passed_on(tmp_path: Path) -> None:
    made = model([node("Add", "x z", "a"), node("MatMul", "a w")], {"x": (3, 5), "z": (4, 7)}, {"w": (5, 6)})
    refuses(tmp_path, made, "node 'the_y' (MatMul)", "shape inference says:", "Incompatible dimensions")


def test_files_that_are_no_models(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    with pytest.raises(WorkloadError, match=r"net\.onnx: the ONNX file cannot be read \(No such file"):
        read(path)
    onnx.save(attention(1, 10), path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:-1], b"Layer, M, N, K,\n", bytes(range(256)), b"\x00" * 100):
        path.write_bytes(content)
        with pytest.raises(WorkloadError, match="expected an ONNX model"):
            read(path)
    path.write_bytes(b"")
    with pytest.raises(WorkloadError, match="expected an ONNX model with at least one operator, found none"):
        read(path)


@pytest.mark.parametrize(("before", "after"), [(b"VALID", b"VAL\xf4D"), (b"batch", b"b\xffdch")])
def test_files_with_a_damaged_byte(tmp_path: Path, before: bytes, after: bytes) -> None:
    nodes = [node("Conv", "x w", auto_pad="VALID", strides=[2, 2])]
    onnx.save(model(nodes, {"x": ("batch", 4, 9, 9)}, {"w": (6, 4, 3, 3)}), tmp_path / "net.onnx")
    content = (tmp_path / "net.onnx").read_bytes()
    assert before in content
    (tmp_path / "net.onnx").write_bytes(content.replace(before, after))
    with pytest.raises(
        WorkloadError, match=r"net\.onnx: expected an ONNX model, got a damaged|auto_pad must be NOTSET, VALID"
    ):
        read(tmp_path / "net.onnx")


def test_without_onnx_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"needs onnx, which is not installed.*archgym\[networks\]"):
        read(tmp_path / "net.onnx")
