"""Runs inside the environment of SCALE-Sim: one run per folder ``0 .. N-1``, prepared by ``scalesim.py``."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from scalesim.scale_sim import scalesim


def main(folder: Path, runs: int) -> None:
    """Simulates each folder's layer without traces and writes the processor time next to the reports."""
    for index in range(runs):
        place = folder / str(index)
        gemm = (place / "gemm.csv").exists()
        started = time.process_time()
        program = scalesim(
            save_disk_space=True,
            verbose=False,
            config=str(place / "settings.cfg"),
            topology=str(place / ("gemm.csv" if gemm else "conv.csv")),
            layout=str(place / "layout.csv"),
            input_type_gemm=gemm,
        )
        program.run_scale(top_path=str(place / "out"))
        (place / "cpu_s").write_text(str(time.process_time() - started))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
