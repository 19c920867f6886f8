"""The space ``soc``: every design is valid, and every valid chip of the limited encoding is one of its designs."""

from __future__ import annotations

import numpy as np
import pytest
from platforms import LIBRARY, working

from archgym import make_simulator
from archgym.errors import DesignError
from simulators.soc import SoC, graph, model
from simulators.soc.encode import encode
from simulators.soc.layout import (
    AREA,
    BUS_KIND,
    BUS_LINK,
    ENERGY,
    LATENCY,
    MAPPING,
    MEMORY_BUS,
    MEMORY_KIND,
    OK,
    PE_BUS,
    PE_KIND,
    POWER,
    Platforms,
)
from simulators.soc.problem import make_problem
from simulators.soc.space import make_codec, make_space

RESULTS = [LATENCY, POWER, AREA, ENERGY]


@pytest.fixture(scope="module", params=["edge_detection", "hpvm_cava", "audio_decoder"])
def soc(request: pytest.FixtureRequest) -> SoC:
    return SoC(request.param)


def test_size_is_that_of_the_prototype(soc: SoC) -> None:
    expected = {"edge_detection": (80, 57.8), "hpvm_cava": (82, 57.9), "audio_decoder": (100, 76.9)}
    dimensions, size = expected[soc.workload]
    assert soc.space.dimensions == dimensions
    assert np.isclose(np.log10(float(soc.space.size)), size, atol=0.05)
    assert set(soc.space.groups) == {"processing", "memory", "interconnect", "mapping"}


def test_every_uniform_sample_is_valid(soc: SoC) -> None:
    metrics = soc.evaluate(soc.space.sample(20_000, seed=1))
    assert metrics.ok.all() and not metrics.reasons


def test_corners_of_the_space_are_valid(soc: SoC) -> None:
    rng = np.random.default_rng(2)
    corners = np.where(rng.random((2000, soc.space.dimensions)) < 0.5, 0, soc.space.nvec - 1).astype(np.int32)
    assert soc.evaluate(corners).ok.all()


def test_canonical_designs_are_the_same_platforms(soc: SoC) -> None:
    designs = soc.space.sample(5000, seed=3)
    kept = soc.canonical(designs)
    assert np.array_equal(soc.platforms(kept), soc.platforms(designs))
    assert np.array_equal(soc.canonical(kept), kept)
    assert (kept != designs).any(axis=1).mean() > 0.9


def test_every_level_of_a_part_in_use_makes_another_platform(soc: SoC) -> None:
    full = soc.space.encode({"n_pe": 8, "n_bus": 4, "n_mem": 6, "bus3_link": "bus1"})
    full[:, [soc.space.index(f"pe{i}_kind") for i in range(1, 8)]] = 1
    for column, parameter in enumerate(soc.space.parameters):
        if parameter.name.endswith("_pe") and parameter.group == "mapping":
            continue  # how many levels differ depends on who can run the task
        designs = np.repeat(full, soc.space.nvec[column], axis=0)
        designs[:, column] = np.arange(soc.space.nvec[column])
        distinct = len(np.unique(soc.platforms(designs), axis=0))
        expected = len(parameter.values)
        if parameter.name.endswith("_unroll"):
            accelerated = graph.load(soc.workload)
            first = next(each for task in accelerated.tasks for each in accelerated.accelerators if each.task == task.name)
            expected = len(LIBRARY.unrolls(first.loop_iterations))
        assert distinct == expected, parameter.name


def test_a_design_in_words_is_the_platform_that_it_describes() -> None:
    soc = SoC("hpvm_cava")
    design = soc.space.encode(
        {
            "n_pe": 3,
            "n_bus": 3,
            "n_mem": 2,
            "pe1_kind": "gamut_map_fxp_cloned",
            "pe1_unroll": 8,
            "pe1_clock": 800,
            "pe1_bus": 1,
            "bus2_link": "both",
            "bus1_width": 64,
            "bus1_clock": 400,
            "mem1_kind": "SRAM",
            "mem1_width": 8,
            "mem1_clock": 600,
            "mem1_bus": 2,
            "task5_pe": 2,
            "task5_mem": 1,
        }
    )
    (row,) = soc.platforms(design)
    task = [each.name for each in soc.graph.tasks].index("gamut_map_fxp_cloned")
    assert task == 5
    last = soc.problem.pes[row[PE_KIND + 1]]
    assert last[3] == task and last[0] == soc.problem.pes[soc.problem.pes[:, 3] == task][:, 0].max()
    assert row[PE_KIND] == row[PE_KIND + 2] == 0 and (row[PE_KIND + 3 : PE_KIND + 8] == -1).all()
    assert row[PE_BUS + 1] == 1 and row[MEMORY_BUS + 1] == 2
    assert row[BUS_LINK : BUS_LINK + 4].tolist() == [2, 0, 1, -1]
    assert soc.problem.buses[row[BUS_KIND + 1]] == 64 * 400e6
    assert soc.problem.memories[row[MEMORY_KIND + 1]].tolist() == [8 * 600e6, 0.0]
    assert row[MAPPING + task] == 2, "level 2 of A53, accelerator, A53"
    assert row[MAPPING + len(soc.graph.tasks) + task] == 1


def same_as_encoded(soc: SoC, platforms: Platforms) -> tuple[int, int]:
    """How many platforms have an equivalent with the same results; how many have one that launches tasks in another order."""
    root = int(soc.problem.graphs["root"][0])
    designs = np.stack([encode(row, soc.encoding.codec, root) for row in platforms])
    soc.space.check(designs)
    before, _, _, _ = model.simulate(platforms, soc.problem)
    after, fates, _, _ = model.simulate(soc.platforms(designs), soc.problem)
    assert (fates == OK).all()
    same = np.isclose(after[:, RESULTS], before[:, RESULTS], rtol=1e-12, atol=0).all(axis=1)
    for row in np.flatnonzero(~same):
        ranks = [model.trace(each[row], soc.problem)[2]["rank"] for each in (platforms, soc.platforms(designs))]
        assert not np.array_equal(*ranks), f"row {row} differs though tasks are launched in the same order"
    return int(same.sum()), len(platforms)


def test_every_valid_design_of_limited_has_an_equivalent(soc: SoC) -> None:
    limited = make_simulator("soc", workload=soc.workload, space="limited")
    designs = limited.space.sample(100_000, seed=4)
    platforms = limited.platforms(designs)
    _, fates, _, _ = model.simulate(platforms, limited.problem)
    same, n = same_as_encoded(soc, platforms[fates == OK])
    assert n > 250
    least = {"hpvm_cava": 1.0, "edge_detection": 0.95, "audio_decoder": 0.9}  # a chain has no ties
    assert same >= least[soc.workload] * n, f"{same} of {n}"


def test_trees_of_the_full_library_have_an_equivalent(soc: SoC) -> None:
    platforms = working(np.random.default_rng(5), soc.problem, 400)
    same, n = same_as_encoded(soc, platforms)
    assert same > 0.95 * n


def test_encoding_undoes_decoding(soc: SoC) -> None:
    root = int(soc.problem.graphs["root"][0])
    designs = soc.canonical(soc.space.sample(300, seed=6))
    platforms = soc.platforms(designs)
    again = soc.platforms(np.stack([encode(row, soc.encoding.codec, root) for row in platforms]))
    a, b = (model.simulate(each, soc.problem)[0] for each in (platforms, again))
    assert (np.isclose(a[:, AREA], b[:, AREA], rtol=1e-12)).mean() > 0.97
    assert (np.sort(platforms[:, PE_KIND : PE_KIND + 8]) == np.sort(again[:, PE_KIND : PE_KIND + 8])).all()


def test_what_cannot_be_written_is_refused(soc: SoC) -> None:
    (row,) = working(np.random.default_rng(7), soc.problem, 1)
    codec, root = soc.encoding.codec, int(soc.problem.graphs["root"][0])
    square = row.copy()
    square[BUS_KIND : BUS_KIND + 4] = 0
    square[BUS_LINK : BUS_LINK + 4] = [1, 2, 3, 0]
    with pytest.raises(DesignError, match="tree or one triangle"):
        encode(square, codec, root)
    row[PE_KIND] = 1
    with pytest.raises(DesignError, match="A53"):
        encode(row, codec, root)


def test_a_graph_without_accelerators_has_a_space() -> None:
    content = {
        "name": "plain",
        "tasks": [{"name": "s", "role": "source"}, {"name": "a b", "instructions": 1000}],
        "edges": [["s", "a b", 10]],
        "last": "a b",
    }
    plain = graph.from_content(content, "here")
    space, codec = make_space(plain, LIBRARY), make_codec(plain, LIBRARY)
    assert space["pe1_kind"].values == ("A53",) and space.dimensions == 66 + 1 + 2
    (row,) = [encode(row, codec, 0) for row in working(np.random.default_rng(0), make_problem(plain, LIBRARY), 1)]
    assert space.contains(row[None, :]).all()
