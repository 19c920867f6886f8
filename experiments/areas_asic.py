"""Compares areas with those that NASAIC (DAC 2020) publishes for its six designs.

python experiments/areas_asic.py [--write]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from measuring import Report, write_block

from simulators.asic.area import required, unit_areas
from simulators.asic.constants import load_constants
from simulators.asic.layout import DLA, PES, SHI, TEMPLATES

README = Path(__file__).parents[1] / "simulators" / "asic" / "README.md"
PUBLISHED = (  # workload and method, dla and shi as (processing elements, GB/s), um2
    ("W1, networks then hardware", (2112, 48), (1984, 16), 4.71e9),
    ("W1, hardware then networks", (1088, 24), (2368, 40), 3.82e9),
    ("W1, NASAIC", (576, 56), (1792, 8), 2.03e9),
    ("W2, networks then hardware", (2368, 56), (1728, 8), 4.83e9),
    ("W2, hardware then networks", (2112, 24), (1536, 40), 3.86e9),
    ("W2, NASAIC", (2112, 40), (1184, 24), 3.34e9),
)


def main() -> None:
    """Prints the comparison and writes it if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write the table into the README")
    report = measure()
    print(report.markdown())
    if parser.parse_args().write:
        write_block(report.readme, "areas", report.markdown())


def measure() -> Report:
    """Areas of the published designs."""
    l1_bytes = load_constants("2019").published_l1_bytes
    rows = []
    for name, dla, shi, published in PUBLISHED:
        units = np.array([[DLA, *dla], [SHI, *shi]])
        area = unit_areas(units, "2019").sum()
        bare = required(units, np.zeros(2, np.int64), np.zeros(2, np.int64), constants="2019").sum()
        new = required(units, np.full(2, l1_bytes), np.zeros(2, np.int64), constants="2022").sum()
        chip = " + ".join(f"{TEMPLATES[unit[0]]} {unit[PES]} {unit[2]}" for unit in units)
        off = [f"{100 * (value / published - 1) + 0.0:+.2f} %" for value in (area, bare, new)]
        rows.append((name, chip, f"{published:.2e}", f"{area:.3e}", *off))
    notes = (
        "A chip is template, processing elements and GB/s of each unit.",
        f"One number is fitted to the six areas: {l1_bytes} bytes per processing element.  The last columns say how far off "
        "they are without buffers, and with the 2022 constants: arbiter and bus, the same in all, make up most of an area.",
    )
    heads = ("design", "chip", "published, um2", "2019 constants", "off", "without buffers", "2022 constants")
    return Report("Areas that NASAIC publishes", README, heads, rows, notes)


if __name__ == "__main__":
    main()
