"""The built-in networks: against recorded facts, published totals and each other; and how workloads are named."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from archgym.errors import UnknownNameError, WorkloadError
from simulators.systolic import read_csv, workloads
from simulators.systolic.layers import COLUMNS, Layer

FACTS = Path(__file__).parents[2].parent / "shared" / "reference" / "systolic" / "networks"
SOURCES = {
    "alexnet": "alexnet",
    "bert-base-128": "bert_base_seq128",
    "bert-base-384": "bert_base_seq384",
    "gpt2-small-decode": "gpt2_small_decode_ctx1024",
    "gpt2-small-prefill": "gpt2_small_prefill1024",
    "mobilenet-v1": "mobilenet_v1",
    "mobilenet-v2": "mobilenet_v2",
    "resnet18": "resnet18",
    "resnet50": "resnet50",
    "squeezenet": "squeezenet1_0",
    "vgg16": "vgg16",
    "vit-b16": "vit_b16",
}
MACS = {
    "alexnet": 724_406_816,
    "bert-base-128": 11_173_625_856,
    "bert-base-384": 35_332_816_896,
    "efficientnet-b0": 385_814_752,
    "gpt2-small-decode": 142_406_400,
    "gpt2-small-prefill": 106_339_037_952,
    "mobilenet-v1": 568_740_352,
    "mobilenet-v2": 300_774_272,
    "resnet18": 1_814_073_344,
    "resnet50": 4_089_184_256,
    "squeezenet": 832_667_936,
    "vgg16": 15_470_264_320,
    "vit-b16": 17_563_828_224,
}
PUBLISHED = {  # billion multiply-accumulates, as printed
    "alexnet": 0.724,
    "efficientnet-b0": 0.39,
    "mobilenet-v1": 0.569,
    "mobilenet-v2": 0.300,
    "resnet18": 1.814,
    "resnet50": 4.089,
    "vgg16": 15.47,
    "vit-b16": 17.56,
}


def weights(layer: Layer) -> int:
    return 0 if layer.activations else layer.k * layer.num_filters * layer.count


def test_every_network_of_the_folder_is_known() -> None:
    assert workloads.names() == tuple(sorted(MACS))


@pytest.mark.parametrize("name", MACS)
def test_total_macs(name: str) -> None:
    (network,) = workloads.find(name)
    assert network.name == name and network.macs == MACS[name]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_totals(name: str) -> None:
    (network,) = workloads.find(name)
    decimals = len(str(PUBLISHED[name]).partition(".")[2])
    assert network.macs / 1e9 == pytest.approx(PUBLISHED[name], abs=1.01 * 10**-decimals)


@pytest.mark.parametrize(
    ("name", "parameters"),
    # Published numbers of parameters less those of biases and normalisation; BERT and GPT-2 blocks without embeddings.
    [
        ("alexnet", 60_965_224 - 10_568),
        ("vgg16", 138_357_544 - 13_416),
        ("resnet18", 11_689_512 - 9_600 - 1_000),
        ("resnet50", 25_557_032 - 53_120 - 1_000),
        ("mobilenet-v2", 3_504_872 - 34_112 - 1_000),
        ("squeezenet", 1_248_424 - 3_976),
        ("bert-base-128", 12 * 12 * 768**2),
        ("gpt2-small-prefill", 12 * 12 * 768**2 + 768 * 50_257),
        ("gpt2-small-decode", 12 * 12 * 768**2 + 768 * 50_257),
        ("vit-b16", 12 * 12 * 768**2 + 768 * 768 + 768 * 1000),
    ],
)
def test_published_numbers_of_weights(name: str, parameters: int) -> None:
    (network,) = workloads.find(name)
    assert sum(map(weights, network.layers)) == parameters


def test_efficientnet_has_the_parameters_of_the_published_model() -> None:
    """5,288,548: weights, two values of normalisation per filter, biases in squeeze-and-excitation and in the last layer."""
    (network,) = workloads.find("efficientnet-b0")
    with_bias = [layer for layer in network.layers if "_se_" in layer.name or layer.name == "fc"]
    normalised = [layer for layer in network.layers if layer not in with_bias]
    biases = sum(layer.num_filters for layer in with_bias) + 2 * sum(layer.num_filters for layer in normalised)
    assert sum(map(weights, network.layers)) + biases == 5_288_548
    assert len(network.layers) == 82
    assert sum(layer.groups > 1 for layer in network.layers) == 16
    assert [layer.ofmap_h for layer in network.layers if layer.stride_h == 2] == [112, 56, 28, 14, 7]


@pytest.mark.parametrize("name", SOURCES)
def test_layers_equal_the_recorded_facts(name: str) -> None:
    path = FACTS / f"{SOURCES[name]}.csv"
    if not path.is_file():
        pytest.skip("the recorded facts are not beside this checkout")
    (network,) = workloads.find(name)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    same = ("ifmap_h", "ifmap_w", "filter_h", "filter_w", "channels", "num_filters", "stride_h", "stride_w", "groups")
    assert len(rows) == len(network.layers)
    for row, layer in zip(rows, network.layers, strict=True):
        assert row["name"].endswith(layer.name)
        assert {field: getattr(layer, field) for field in same} == {field: int(row[field]) for field in same}
        assert (layer.pad_h, layer.pad_w) == (2 * int(row["pad_h"]), 2 * int(row["pad_w"]))
        assert (layer.dilation_h, layer.dilation_w, layer.count) == (1, 1, int(row["batch_or_heads"]))
        assert (layer.ofmap_h, layer.ofmap_w, layer.macs) == (int(row["ofmap_h"]), int(row["ofmap_w"]), int(row["macs"]))
        assert (layer.groups == layer.channels and layer.groups > 1) == (row["is_depthwise"] == "1")


@pytest.mark.parametrize("name", MACS)
def test_attention_alone_has_two_operands_of_activations(name: str) -> None:
    (network,) = workloads.find(name)
    assert {layer.name for layer in network.layers if layer.activations} <= {"attn_scores", "attn_context"}
    transformer = name.startswith(("bert", "gpt2", "vit"))
    assert any(layer.activations for layer in network.layers) == transformer


@pytest.mark.parametrize("name", MACS)
def test_files_are_as_the_writer_writes_them(name: str, tmp_path: Path) -> None:
    (network,) = workloads.find(name)
    read_csv.write(network, tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_text() == (workloads.FOLDER / f"{name}.csv").read_text()


def test_the_table_of_the_readme() -> None:
    lines = (workloads.FOLDER / "README.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")][1:]
    assert {row[0] for row in rows} == set(MACS)
    for name, _, layers, macs, *_ in rows:
        (network,) = workloads.find(name)
        assert int(layers) == len(network.layers)
        assert float(macs.replace(",", "")) == pytest.approx(network.macs / 1e6, rel=1e-3)


def test_tables_merge_equal_layers() -> None:
    (network,) = workloads.find("resnet18")
    assert network.table.shape == (12, len(COLUMNS)) and network.table.dtype == np.int64


def test_several_at_once(tmp_path: Path) -> None:
    read_csv.write(workloads.find("alexnet")[0], tmp_path / "mine.csv")
    found = workloads.find(f"resnet18 + mobilenet-v2+{tmp_path / 'mine.csv'}")
    assert [network.name for network in found] == ["resnet18", "mobilenet-v2", "mine"]
    assert [network.macs for network in found] == [MACS["resnet18"], MACS["mobilenet-v2"], MACS["alexnet"]]


def test_a_path_with_a_plus(tmp_path: Path) -> None:
    read_csv.write(workloads.find("alexnet")[0], tmp_path / "a+b.CSV")
    (network,) = workloads.find(str(tmp_path / "a+b.CSV"))
    assert network.name == "a+b" and network.macs == MACS["alexnet"]


@pytest.mark.parametrize(
    ("name", "hint"), [("resnet81", "resnet18"), ("mobilenet-v2+vgg61", "vgg16"), ("ResNet18", "resnet18")]
)
def test_unknown_names(name: str, hint: str) -> None:
    with pytest.raises(UnknownNameError, match=rf"systolic: no workload named .*Did you mean '{hint}'\?.*\.csv or \.onnx"):
        workloads.find(name)


@pytest.mark.parametrize("name", ["", "alexnet+", "network.txt"])
def test_names_of_nothing(name: str) -> None:
    with pytest.raises(UnknownNameError, match="no workload named"):
        workloads.find(name)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(WorkloadError, match=r"^nowhere\.csv: the csv file cannot be read"):
        workloads.find("alexnet+nowhere.csv")
