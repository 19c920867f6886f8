"""Runs DRAMSys in the scratch folder: links the memory descriptions beside the program, and prints its time in one unit.

A spec's patterns read numbers, not units; DRAMSys prints its time in the largest unit in which it is a whole number.  What is
too odd for a pattern goes through a script like this one.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

PICOSECONDS = {"ps": 1, "ns": 10**3, "us": 10**6, "ms": 10**9, "s": 10**12}

binary = os.environ.get("ARCHGYM_DRAMSYS")
if not binary:
    sys.exit("ARCHGYM_DRAMSYS must name the DRAMSys program")
library = Path(binary).resolve().parent / "../../DRAMSys/library/resources/configs"
for folder in ("amconfigs", "memspecs", "simulator", "thermalsim"):
    Path("configs", folder).symlink_to((library / folder).resolve(strict=True))
done = subprocess.run([binary, "simulation.json", f"{os.getcwd()}/"], stdout=subprocess.PIPE, text=True)
print(done.stdout)
for amount, unit in re.findall(r"Total Time:\s+(\d+) (ps|ns|us|ms|s)\b", done.stdout):
    print(f"total time in ps: {int(amount) * PICOSECONDS[unit]}")
sys.exit(done.returncode)
