"""Runs the DRAMSys 4.0 program that ArchGym ships, to measure what the DRAM simulator has to reproduce.

The program (``sims/DRAM/binary/DRAMSys/DRAMSys`` of the public ArchGym repository, x86-64 Linux) belongs to others and is not
part of this project.  It finds its memory descriptions in ``../../DRAMSys/library/resources/configs`` relative to itself; an
adapter links these into a private scratch folder and adds the three files that it writes: controller, simulation and trace.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from simulators.dram.trace import Trace

_DESCRIPTIONS = {  # memory -> files of the program
    "ddr3-1600": ("MICRON_1Gb_DDR3-1600_8bit_G.json", "am_ddr3_8x1Gbx8_dimm_p1KB_rbc.json"),
    "ddr4-2400": ("JEDEC_4Gb_DDR4-2400_8bit_A.json", "am_ddr4_8x4Gbx8_dimm_p1KB_brc.json"),
}
_SWITCHES = "ddr3.json"  # power analysis on, windows off; fits every memory
_FIXED = {"CmdMux": "Oldest", "PowerDownPolicy": "NoPowerDown"}
_PICOSECONDS = {"ps": 1, "ns": 10**3, "us": 10**6, "ms": 10**9, "s": 10**12}
_PRINTED = {
    "total_time_ps": re.compile(r"Total Time:\s+(\d+) (ps|ns|us|ms|s)\b"),
    "total_energy_pJ": re.compile(r"Total Energy:\s+([\d.]+) pJ"),
    "avg_power_mW": re.compile(r"Average Power:\s+([\d.]+) mW"),
    "avg_bw_gbps": re.compile(r"AVG BW:\s+([\d.]+) Gb/s"),
    "avg_bw_idle_gbps": re.compile(r"AVG BW\\IDLE:\s+([\d.]+) Gb/s"),
    "sim_wall_s": re.compile(r"Simulation took ([\d.]+) seconds"),
}


class DRAMSysError(RuntimeError):
    """The program is not there, did not finish, or printed something else than its figures."""


@dataclass(frozen=True)
class Outcome:
    """What one run printed, and how long it took.

    Attributes:
        total_time_ps: total time, ps, whatever unit was printed.
        total_energy_pJ: energy of all devices, pJ.
        avg_power_mW: power, mW.
        avg_bw_gbps: bandwidth, Gb/s.
        avg_bw_idle_gbps: bandwidth without idle time, Gb/s.
        sim_wall_s: the program's own figure for its simulation loop, s.
        proc_wall_s: wall time of the process, s.
    """

    total_time_ps: int
    total_energy_pJ: float
    avg_power_mW: float
    avg_bw_gbps: float
    avg_bw_idle_gbps: float
    sim_wall_s: float
    proc_wall_s: float


class DRAMSys:
    """The program in a scratch folder of its own; a context manager that removes the folder at the end.

    Args:
        binary: the program, inside the folder tree that it comes with.
        timeout_s: after this time a run is given up.

    Raises:
        DRAMSysError: no program there, or not with its tree.
    """

    def __init__(self, binary: str | Path, timeout_s: float = 120.0) -> None:
        self.binary = Path(binary).resolve()
        self.timeout_s = timeout_s
        configs = self.binary.parent / "../../DRAMSys/library/resources/configs"
        if not self.binary.is_file() or not configs.is_dir():
            raise DRAMSysError(
                f"expected the DRAMSys program at {binary} and its files in {configs.resolve()}; one is missing"
            )
        self._scratch = tempfile.TemporaryDirectory(prefix="dramsys-")
        self._resources = Path(self._scratch.name)
        (self._resources / "configs/mcconfigs").mkdir(parents=True)
        (self._resources / "traces").mkdir()
        for folder in ("amconfigs", "memspecs", "simulator", "thermalsim"):
            (self._resources / "configs" / folder).symlink_to((configs / folder).resolve())

    def __enter__(self) -> DRAMSys:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._scratch.cleanup()

    @property
    def sha256(self) -> str:
        """Digest of the program file."""
        return hashlib.sha256(self.binary.read_bytes()).hexdigest()

    def run(self, memory: str, clock_mhz: int, design: Mapping[str, str | int], trace: Trace) -> Outcome:
        """Simulates one design: writes the controller file, starts the program, reads what it prints.

        Args:
            memory: ``ddr3-1600`` or ``ddr4-2400``.
            clock_mhz: clock of the trace player.
            design: the ten parameters by name, with the values of the design space.
            trace: written once, at its first use.

        Raises:
            DRAMSysError: the program failed, took too long, or printed something unexpected.
        """
        simulation = self._simulation(memory, clock_mhz, trace)
        controller = {**_FIXED, **{name: _plain(value) for name, value in design.items()}}
        (self._resources / "configs/mcconfigs/policy.json").write_text(json.dumps({"mcconfig": controller}))
        started = time.perf_counter()
        try:
            process = subprocess.run(
                [str(self.binary), str(simulation), f"{self._resources}/"],
                capture_output=True,
                text=True,
                timeout=self.timeout_s,
                cwd=self._resources,
            )
        except (subprocess.TimeoutExpired, OSError) as error:
            raise DRAMSysError(f"DRAMSys on {trace.name} with {dict(design)}: {error}") from error
        wall = time.perf_counter() - started
        if process.returncode != 0:
            problem = (process.stderr or process.stdout).strip()[-500:]
            raise DRAMSysError(f"DRAMSys on {trace.name} with {dict(design)} ended with {process.returncode}: {problem}")
        return parse(process.stdout, wall)

    def _simulation(self, memory: str, clock_mhz: int, trace: Trace) -> Path:
        """The file that names memory, controller, switches and trace, written at first use."""
        stem = f"{trace.digest[:16]}"
        file = self._resources / f"{memory}-{clock_mhz}-{stem}.json"
        if file.exists():
            return file
        stl = self._resources / "traces" / f"{stem}.stl"
        if not stl.exists():
            rows = zip(trace.cycles.tolist(), trace.writes.tolist(), trace.addresses.tolist(), strict=True)
            stl.write_text(
                "".join(f"{cycle}:\t{'write' if write else 'read'}\t{address:#x}\n" for cycle, write, address in rows)
            )
        memspec, mapping = _DESCRIPTIONS[memory]
        simulation = {
            "addressmapping": mapping,
            "mcconfig": "policy.json",
            "memspec": memspec,
            "simconfig": _SWITCHES,
            "simulationid": "archgym",
            "thermalconfig": "config.json",
            "tracesetup": [{"clkMhz": clock_mhz, "name": stl.name}],
        }
        file.write_text(json.dumps({"simulation": simulation}))
        return file


def parse(output: str, proc_wall_s: float) -> Outcome:
    """Reads the figures out of what the program printed.

    Raises:
        DRAMSysError: a figure is missing.
    """
    found = {name: pattern.search(output) for name, pattern in _PRINTED.items()}
    missing = [name for name, match in found.items() if match is None]
    if missing:
        raise DRAMSysError(f"DRAMSys printed no {', '.join(missing)}; its output ends with: {output.strip()[-500:]}")
    groups = {name: match.groups() for name, match in found.items() if match}
    amount, unit = groups.pop("total_time_ps")
    figures = {name: float(group[0]) for name, group in groups.items()}
    return Outcome(total_time_ps=int(amount) * _PICOSECONDS[unit], proc_wall_s=proc_wall_s, **figures)


def _plain(value: str | int) -> str | int:
    """NumPy's numbers and strings as what JSON knows."""
    return str(value) if isinstance(value, str) else int(value)
