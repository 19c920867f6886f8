"""The space is ArchGym's: names, order, values and size; its rules; and what canonical merges."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from simulators.systolic.eyeriss import EyerissSystolic, space, storage

SPACE = space.make_space()

# Keys of ArchGym's parameter dictionary, flattened with a dot, in the order of its action space.
ARCHGYM_NAMES = [
    "NUM_PEs",
    "MAC_MESH_X",
    *(
        f"{spad}_SPAD_{key}"
        for spad in ("IFMAP", "PSUM", "WEIGHTS")
        for key in (
            "CLASS",
            *(f"ATRIBUTES.{key}" for key in ("memory_depth", "block-size", "read_bandwidth", "write_bandwidth")),
        )
    ),
    "DUMMY_BUFFER_CLASS",
    "DUMMY_BUFFER_ATTRIBUTES.depth",
    "DUMMY_BUFFER_ATTRIBUTES.block-size",
    "SHARED_GLB_CLASS",
    *(
        f"SHARED_GLB_ATTRIBUTES.{key}"
        for key in ("memory_depth", "n_banks", "block-size", "read_bandwidth", "write_bandwidth")
    ),
]


def change(**values: object) -> np.ndarray:
    """The default design with other values."""
    columns = {name: [value] for name, value in {**SPACE.describe(SPACE.default), **values}.items()}
    return SPACE.encode(columns)


def broken(**values: object) -> set[str]:
    """Names of the rules that the default design breaks with other values."""
    reasons = SPACE.broken_rules(change(**values))[0]
    return {reason.partition(":")[0] for reason in reasons.split("; ")} - {""}


def test_names_and_order_are_archgyms() -> None:
    assert list(SPACE.names) == [name.replace(".", "_").replace("-", "_") for name in ARCHGYM_NAMES]
    assert SPACE.dimensions == 26


def test_size_is_archgyms() -> None:
    assert SPACE.size == 2_154_550_209_231_716_352
    assert SPACE.nvec.tolist() == [24, 3, *([4, 16, 3, 4, 4] * 3), 4, 16, 3, 4, 7, 4, 3, 4, 4]


def test_values_are_archgyms() -> None:
    assert SPACE["NUM_PEs"].values == tuple(range(14, 337, 14))
    assert SPACE["MAC_MESH_X"].values == (2, 7, 14)
    for name in SPACE.names:
        values = SPACE[name].values
        if name.endswith("CLASS"):
            assert values == ("regfile", "smartbuffer_SRAM", "smartbuffer_RF", "SRAM") and not SPACE[name].ordered
        elif name.endswith("bandwidth"):
            assert values == (2, 4, 8, 16)
        elif name.endswith("block_size"):
            assert values == (1, 2, 4)
        elif name.endswith("depth"):
            assert values == tuple(2**n for n in range(10 if "GLB" in name else 1, 17))
    assert SPACE["SHARED_GLB_ATTRIBUTES_n_banks"].values == (16, 32, 64, 128)


def test_default_is_the_point_next_to_archgyms_template() -> None:
    design = SPACE.describe(SPACE.default)
    assert (design["NUM_PEs"], design["MAC_MESH_X"]) == (168, 14)
    depths = [design[f"{spad}_SPAD_ATRIBUTES_memory_depth"] for spad in ("IFMAP", "PSUM", "WEIGHTS")]
    assert depths == [16, 16, 256]  # 12, 16 and 192 in the template
    assert [design[f"SHARED_GLB_ATTRIBUTES_{key}"] for key in ("memory_depth", "n_banks", "block_size")] == [16384, 32, 4]
    assert design["DUMMY_BUFFER_CLASS"] == "SRAM" and design["SHARED_GLB_CLASS"] == "smartbuffer_SRAM"


def test_every_storage_is_a_group_of_its_own() -> None:
    sizes = {group: len(names) for group, names in SPACE.groups.items()}
    spads = {"ifmap_spad": 5, "psum_spad": 5, "weights_spad": 5}
    assert sizes == {"array": 2, **spads, "dummy_buffer": 3, "global_buffer": 6}


def test_every_mesh_divides_every_number_of_pes() -> None:
    """Loophole: in ArchGym a mesh that does not divide the PEs is legal input; here there is none, so there is no rule."""
    assert all(pes % mesh == 0 for pes, mesh in itertools.product(SPACE["NUM_PEs"].values, SPACE["MAC_MESH_X"].values))


def test_levels_are_in_natural_order() -> None:
    """Loophole: ArchGym's decoder indexes with (action - 1), so that the first action means the last value."""
    for column, parameter in enumerate(SPACE.parameters):
        for level in (0, len(parameter.values) - 1):
            design = SPACE.default
            design[0, column] = level
            assert SPACE.describe(design)[parameter.name] == parameter.values[level]
        if parameter.ordered:
            assert list(parameter.values) == sorted(parameter.values)


def test_an_agent_with_continuous_actions_reaches_every_level() -> None:
    """Loophole: ArchGym rounds actions in [-1, 1] before binning, so that three values of each parameter can be reached."""
    points = np.repeat(np.linspace(0, 1, 241)[:, None], SPACE.dimensions, axis=1)
    designs = SPACE.from_unit(points)
    for column, levels in enumerate(SPACE.nvec):
        assert set(designs[:, column].tolist()) == set(range(levels))


@pytest.mark.parametrize("spad", ["ifmap", "psum", "weights"])
def test_a_spad_outside_the_tables_is_invalid(spad: str) -> None:
    prefix, rule = space.SPADS[spad], {f"{spad}_spad_in_table"}
    attribute = f"{prefix}_ATRIBUTES_memory_depth"
    for kind in storage.CLASSES:
        assert broken(**{f"{prefix}_CLASS": kind, attribute: 8}) == rule
        assert broken(**{f"{prefix}_CLASS": kind, attribute: 512}) == set()
        registers = "SRAM" not in kind
        assert broken(**{f"{prefix}_CLASS": kind, attribute: 1024}) == (rule if registers else set())
    assert SPACE.violation(change(**{f"{prefix}_CLASS": "regfile", attribute: 2048})).tolist() == [2.0]


def test_a_dummy_buffer_outside_the_tables_is_invalid() -> None:
    assert broken(DUMMY_BUFFER_ATTRIBUTES_depth=2) == {"dummy_buffer_in_table"}
    assert broken(DUMMY_BUFFER_ATTRIBUTES_depth=65536) == set()
    assert broken(DUMMY_BUFFER_CLASS="smartbuffer_RF", DUMMY_BUFFER_ATTRIBUTES_depth=65536) == {"dummy_buffer_in_table"}


def test_few_rows_in_many_banks_are_invalid() -> None:
    """Loophole: where CACTI cannot build a bank, ArchGym's estimator falls back on about 1 pJ and no area."""
    for rows, banks in itertools.product(space.GLB_DEPTHS, space.BANKS):
        glb = {"SHARED_GLB_ATTRIBUTES_memory_depth": rows, "SHARED_GLB_ATTRIBUTES_n_banks": banks}
        small = {"WEIGHTS_SPAD_ATRIBUTES_memory_depth": 16}
        for kind in ("SRAM", "smartbuffer_SRAM"):
            found = broken(SHARED_GLB_CLASS=kind, **glb, **small)
            assert ("glb_banks_in_table" in found) == (rows / banks < 32)
        for kind in ("regfile", "smartbuffer_RF"):
            found = broken(SHARED_GLB_CLASS=kind, **glb, **small)
            assert ("glb_banks_in_table" in found) == (not 12 <= rows / banks <= 512)


def test_a_spad_larger_than_the_global_buffer_is_invalid() -> None:
    """Loophole: in ArchGym it is legal input and mostly ends in no mapping."""
    glb = {"SHARED_GLB_ATTRIBUTES_memory_depth": 1024, "SHARED_GLB_ATTRIBUTES_block_size": 2}
    for prefix in space.SPADS.values():
        attribute = f"{prefix}_ATRIBUTES_memory_depth"
        assert broken(**glb, **{attribute: 2048}) == set()
        assert broken(**glb, **{attribute: 4096}) == {"spads_below_glb"}
        assert SPACE.violation(change(**glb, **{attribute: 8192, f"{prefix}_ATRIBUTES_block_size": 2})).tolist() == [3.0]


def test_canonical_merges_designs_that_cannot_differ() -> None:
    simulator = EyerissSystolic()
    smart = change(PSUM_SPAD_ATRIBUTES_read_bandwidth=16, IFMAP_SPAD_ATRIBUTES_write_bandwidth=8)
    assert np.array_equal(simulator.canonical(smart), simulator.canonical(SPACE.default))  # a smart buffer does not wait
    small = change(PSUM_SPAD_CLASS="smartbuffer_RF")
    assert np.array_equal(simulator.canonical(small), simulator.canonical(SPACE.default))  # 16 words are registers
    for name, value in (
        ("SHARED_GLB_ATTRIBUTES_read_bandwidth", 8),
        ("DUMMY_BUFFER_CLASS", "smartbuffer_SRAM"),
        ("WEIGHTS_SPAD_CLASS", "smartbuffer_RF"),
        ("MAC_MESH_X", 7),
    ):
        assert not np.array_equal(simulator.canonical(change(**{name: value})), simulator.canonical(SPACE.default)), name


def test_canonical_keeps_what_a_plain_spad_is_filled_with() -> None:
    simulator = EyerissSystolic()
    plain = {"WEIGHTS_SPAD_CLASS": "SRAM", "WEIGHTS_SPAD_ATRIBUTES_block_size": 4}
    two, four, sixteen = (change(**plain, WEIGHTS_SPAD_ATRIBUTES_write_bandwidth=width) for width in (2, 4, 16))
    assert np.array_equal(simulator.canonical(four), simulator.canonical(sixteen))  # a row has four words
    assert not np.array_equal(simulator.canonical(two), simulator.canonical(four))
    assert simulator.evaluate(two)["cycles"][0] > simulator.evaluate(four)["cycles"][0]
