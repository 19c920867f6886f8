"""The worked example of the NASAIC study: ResNet9(16; 32,64,128; 1,0,1) and UNet(8,16) on two units, limit 800,000 cycles."""

from __future__ import annotations

import numpy as np

from simulators.asic.description import ResNet9, UNet
from simulators.asic.layout import DLA, SHI

LIMIT = 800_000
NETWORKS = (ResNet9(16, (32, 64, 128), (1, 0, 1), 32, 10), UNet((8, 16), 128))
LENGTHS = (7, 8)
UNITS = np.array([[DLA, 1088, 24], [SHI, 2368, 40]], np.int64)
NANOJOULES = 0.904 / 100  # of a hundredth of a multiply-accumulate

# latency dla, latency shi, energy dla (nJ), energy shi (nJ), unit, start, end
TABLE = [
    (12308, 3481, 3.874418e06, 6.503107e06, DLA, 0, 12308),
    (43185, 36889, 3.641940e07, 6.733559e07, DLA, 12308, 55493),
    (17259, 24589, 1.824836e07, 3.182619e07, DLA, 55493, 72752),
    (34473, 49165, 3.631700e07, 6.346916e07, DLA, 72752, 107225),
    (31881, 98311, 3.808641e07, 5.790540e07, DLA, 254834, 286715),
    (20097, 180227, 2.310988e07, 3.511919e07, DLA, 286715, 306812),
    (67, 2561, 5.891719e04, 1.011135e05, DLA, 306812, 306879),
    (196619, 28539, 3.243986e07, 5.511272e07, SHI, 0, 28539),
    (245787, 76059, 7.961541e07, 1.434902e08, SHI, 28539, 104598),
    (61491, 37104, 3.755289e07, 7.009416e07, DLA, 107225, 168716),
    (86118, 74224, 7.296961e07, 1.392413e08, DLA, 168716, 254834),
    (163864, 103565, 7.686667e07, 1.752290e08, SHI, 254834, 358399),
    (344118, 152091, 1.550963e08, 2.848942e08, DLA, 358399, 702517),
    (245787, 76059, 7.961541e07, 1.434902e08, SHI, 702517, 778576),
    (32769, 3330, 6.075513e06, 8.003933e06, SHI, 778576, 781906),
]
LATENCY = np.array([row[:2] for row in TABLE], np.int64)
PRINTED_NJ = np.array([row[2:4] for row in TABLE])  # seven digits
UNIT, START, END = np.array([row[4:] for row in TABLE], np.int64).T
ENERGY = np.round(PRINTED_NJ / NANOJOULES).astype(np.int64)  # good to seven digits
