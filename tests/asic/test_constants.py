"""The constants: where they are from, and the areas and powers that follow from them."""

from __future__ import annotations

import tomllib

import numpy as np
import pytest

from archgym.errors import DesignError, UnknownNameError
from simulators.asic import energy
from simulators.asic.area import PARTS, required, unit_areas, unit_powers
from simulators.asic.constants import CONSTANT_SETS, FOLDER, HARDWARE, POWER, constants, load_constants
from simulators.asic.layout import DLA, RS, SHI

PUBLISHED = [  # NASAIC (DAC 2020), table 1: two units and their area in um2
    ([DLA, 2112, 48], [SHI, 1984, 16], 4.71e9),
    ([DLA, 1088, 24], [SHI, 2368, 40], 3.82e9),
    ([DLA, 576, 56], [SHI, 1792, 8], 2.03e9),
    ([DLA, 2368, 56], [SHI, 1728, 8], 4.83e9),
    ([DLA, 2112, 24], [SHI, 1536, 40], 3.86e9),
    ([DLA, 2112, 40], [SHI, 1184, 24], 3.34e9),
]


@pytest.mark.parametrize(("one", "two", "published"), PUBLISHED)
def test_published_areas(one: list[int], two: list[int], published: float) -> None:
    area = unit_areas(np.array([one, two])).sum()
    assert abs(area / published - 1) < 0.015


def test_areas_to_the_last_digit() -> None:
    np.testing.assert_allclose(
        unit_areas(np.array([[DLA, 1088, 24], [SHI, 2368, 40]])), [703_461_015.30, 3_132_222_829.31], rtol=0, atol=0.005
    )


@pytest.mark.parametrize("name", CONSTANT_SETS)
def test_every_constant_has_a_unit_a_source_and_a_certainty(name: str) -> None:
    known = constants(name)
    assert set(known) == set(constants("2022"))
    for constant in known.values():
        assert isinstance(constant.value, int | float)
        assert constant.unit and len(constant.source) > 10 and constant.certainty in "ABC"
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(CONSTANT_SETS)


@pytest.mark.parametrize("name", CONSTANT_SETS)
def test_whole_number_weights_are_the_constants(name: str) -> None:
    known = constants(name)
    assert known["l2.access"].value * energy.MAC == pytest.approx(energy.L2_ACCESS, abs=1e-9)
    assert known["l1.access"].value * energy.MAC == pytest.approx(energy.L1_ACCESS, abs=1e-9)
    assert energy.nanojoules(np.array([energy.MAC]), name)[0] == pytest.approx(known["mac.energy"].value)


@pytest.mark.parametrize("name", CONSTANT_SETS)
def test_the_table_of_the_kernels_holds_the_file(name: str) -> None:
    content = tomllib.loads((FOLDER / f"{name}.toml").read_text())
    hardware = load_constants(name).hardware
    assert hardware.shape == (2, len(HARDWARE)) and not hardware.flags.writeable
    assert hardware[:, HARDWARE.index("mac")].tolist() == [content["mac"][kind]["value"] for kind in ("area", "power")]
    assert hardware[:, HARDWARE.index("l2.unit")].tolist() == [content["l2"]["unit"]["value"]] * 2
    least = [content["arbiter"][f"least_{kind}"]["value"] for kind in ("area", "power")]
    assert hardware[:, HARDWARE.index("arbiter.least")].tolist() == least


def test_buffers_are_charged_by_started_unit() -> None:
    unit = np.array([[RS, 10, 4]])

    def parts(l1_bytes: int, l2_bytes: int, name: str) -> dict[str, float]:
        found = required(unit, np.array([l1_bytes]), np.array([l2_bytes]), constants=name)
        return dict(zip(PARTS, found[0].tolist(), strict=True))

    old = [parts(l1, l2, "2019") for l1, l2 in ((0, 0), (1, 1), (64, 32_768), (65, 32_769))]
    assert [part["l1"] for part in old] == pytest.approx([0, 45_051.889, 45_051.889, 90_103.778])
    assert [part["l2"] for part in old] == pytest.approx([0, 4_161.536, 4_161.536, 8_323.072])
    new = parts(66, 200, "2022")
    assert (new["l1"], new["l2"]) == pytest.approx((10 * 66 * 0.104, 20.8))
    assert new["noc"] == old[0]["noc"]


def test_a_small_arbiter_has_a_least_size() -> None:
    areas = [unit_areas(np.array([[RS, pes, 1]]), "2022")[0] for pes in (1, 2, 3, 4)]
    step = 283 + 704 * 0.104 + 101.7938 * 14.662  # without the arbiter
    assert areas[1] - areas[0] == pytest.approx(step)
    assert areas[3] - areas[2] > step


def test_power_by_part() -> None:
    parts = required(np.array([[DLA, 256, 16]]), np.array([54]), np.array([1448]), POWER, "2022")[0]
    bus, arbiter = 0.0008 * (14.662 * 256 + 28.895) * 16, 0.00034 * (1.2886 * 256**2 + 5.5814 * 256 - 23.711)
    np.testing.assert_allclose(parts, [256 * 1.2223, 256 * 0.00345 * 54, 0.00345 * 1448, bus + arbiter])
    assert unit_powers(np.array([[DLA, 256, 16]]), "2022")[0] == pytest.approx(256 * (1.2223 + 0.00345 * 704) + bus + arbiter)


def test_bad_names_and_units_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="no constant set named '2020'"):
        load_constants("2020")
    with pytest.raises(UnknownNameError, match="Known: 2019, 2022"):
        unit_areas(np.array([[DLA, 64, 8]]), "new")
    with pytest.raises(DesignError, match="unit 0"):
        unit_areas(np.array([[DLA, 0, 8]]))
