"""The row-stationary accelerator: ArchGym's 26 dimensions as a simulator."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym import Columns, Designs, Explanation, Metrics, Simulator, Status
from archgym.errors import UnknownNameError
from simulators.systolic import read_csv, workloads
from simulators.systolic.eyeriss import batch, pricing, shapes
from simulators.systolic.eyeriss import slots as at
from simulators.systolic.eyeriss.bounds import make_metrics
from simulators.systolic.eyeriss.canonical import canonical
from simulators.systolic.eyeriss.space import make_space
from simulators.systolic.layers import Network

FOLDER = Path(__file__).parent / "networks"
DEFAULT_WORKLOAD = "alexnet-dense"


class EyerissSystolic(Simulator):
    """An Eyeriss-like array of PEs with three scratchpads each, a global buffer and LPDDR4, on neural networks.

    Description:
        The design space is that of ArchGym's TimeloopGym.  Each layer runs under the best of the row-stationary mappings that
        ``row_stationary`` enumerates: fewest cycles, then least energy.  Every class, depth, block size and number of banks
        has a price.  README.md of this folder compares with the figures of ArchGym and says what is not modelled.

    Workloads:
        alexnet-dense (ArchGym's: five convolutions without groups), the networks of ``simulators.systolic``, several joined
        by "+", which run one after the other, or the path of a csv or ONNX file.

    Design space:
        ==  =======================================  =======  ===========  ============================================
        #   name                                     ordered  unit         values
        ==  =======================================  =======  ===========  ============================================
        0   NUM_PEs                                  yes      PEs          14, 28 .. 336
        1   MAC_MESH_X                               yes      PEs          2, 7, 14
        2   IFMAP_SPAD_CLASS                         no                    regfile, smartbuffer_SRAM, smartbuffer_RF, SRAM
        3   IFMAP_SPAD_ATRIBUTES_memory_depth        yes      rows         2, 4, 8 .. 65536
        4   IFMAP_SPAD_ATRIBUTES_block_size          yes      words        1, 2, 4
        5   IFMAP_SPAD_ATRIBUTES_read_bandwidth      yes      words/cycle  2, 4, 8, 16
        6   IFMAP_SPAD_ATRIBUTES_write_bandwidth     yes      words/cycle  2, 4, 8, 16
        7   PSUM_SPAD_CLASS                          no                    regfile, smartbuffer_SRAM, smartbuffer_RF, SRAM
        8   PSUM_SPAD_ATRIBUTES_memory_depth         yes      rows         2, 4, 8 .. 65536
        9   PSUM_SPAD_ATRIBUTES_block_size           yes      words        1, 2, 4
        10  PSUM_SPAD_ATRIBUTES_read_bandwidth       yes      words/cycle  2, 4, 8, 16
        11  PSUM_SPAD_ATRIBUTES_write_bandwidth      yes      words/cycle  2, 4, 8, 16
        12  WEIGHTS_SPAD_CLASS                       no                    regfile, smartbuffer_SRAM, smartbuffer_RF, SRAM
        13  WEIGHTS_SPAD_ATRIBUTES_memory_depth      yes      rows         2, 4, 8 .. 65536
        14  WEIGHTS_SPAD_ATRIBUTES_block_size        yes      words        1, 2, 4
        15  WEIGHTS_SPAD_ATRIBUTES_read_bandwidth    yes      words/cycle  2, 4, 8, 16
        16  WEIGHTS_SPAD_ATRIBUTES_write_bandwidth   yes      words/cycle  2, 4, 8, 16
        17  DUMMY_BUFFER_CLASS                       no                    regfile, smartbuffer_SRAM, smartbuffer_RF, SRAM
        18  DUMMY_BUFFER_ATTRIBUTES_depth            yes      rows         2, 4, 8 .. 65536
        19  DUMMY_BUFFER_ATTRIBUTES_block_size       yes      words        1, 2, 4
        20  SHARED_GLB_CLASS                         no                    regfile, smartbuffer_SRAM, smartbuffer_RF, SRAM
        21  SHARED_GLB_ATTRIBUTES_memory_depth       yes      rows         1024, 2048 .. 65536
        22  SHARED_GLB_ATTRIBUTES_n_banks            yes      banks        16, 32, 64, 128
        23  SHARED_GLB_ATTRIBUTES_block_size         yes      words        1, 2, 4
        24  SHARED_GLB_ATTRIBUTES_read_bandwidth     yes      words/cycle  2, 4, 8, 16
        25  SHARED_GLB_ATTRIBUTES_write_bandwidth    yes      words/cycle  2, 4, 8, 16
        ==  =======================================  =======  ===========  ============================================

        Groups: array (0, 1), ifmap_spad, psum_spad, weights_spad (five each), dummy_buffer, global_buffer.

    Constraints:
        ifmap_spad_in_table, psum_spad_in_table, weights_spad_in_table, dummy_buffer_in_table, glb_banks_in_table: nothing is
        priced that has not been measured.  spads_below_glb: no scratchpad is larger than the global buffer.  A design that
        does not hold the smallest tile of a layer is INVALID too.  Violations are in doublings.

    Metrics:
        ==================  ====  ==================================================================
        name                goal  meaning
        ==================  ====  ==================================================================
        latency_ns          min   time for one input at 200 MHz
        energy_pj           min   energy for one input, DRAM and standing power included
        power_mw            min   energy over time
        area_mm2            min   PEs, dummy buffers and global buffer
        utilization         max   multiply-accumulates done over those the array could have done
        dram_bytes          min   moved from and to DRAM
        cycles              min   of the array's clock, all layers one after the other
        compute_cycles      info  cycles in which the PEs compute
        spad_energy_pj      info  part of the energy: scratchpads
        glb_energy_pj       info  part of the energy: global buffer
        dram_energy_pj      info  part of the energy: DRAM
        standing_energy_pj  info  part of the energy: clock, control and leakage
        ==================  ====  ==================================================================

    Validity:
        About 6 % of uniform samples keep the rules.  None fails.

    Objectives:
        ``archgym-timeloop-energy``, ``-area``, ``-latency`` and ``-joint`` are ArchGym's rewards (``archgym.rewards``).

    Args:
        workload: see above.
        space: "eyeriss"; there is no other here.

    Raises:
        UnknownNameError: an unknown workload or space.
        WorkloadError: a file that cannot be read; says where.

    Version history:
        1: first version.
    """

    name = "systolic"
    version = "1"

    def __init__(self, workload: str = DEFAULT_WORKLOAD, space: str = "eyeriss") -> None:
        self.space = make_space()
        if space != self.space.name:
            raise UnknownNameError("space", space, [self.space.name], owner="the row-stationary model")
        self.networks = find(workload)
        self.workload = "+".join(network.name for network in self.networks)
        self.arguments = MappingProxyType({"workload": workload, "space": space})
        self.layers = shapes.make_layers(self.networks)
        self.metrics = make_metrics(self.layers)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (dict(self.arguments),)

    @classmethod
    def workloads(cls) -> tuple[str, ...]:
        """Names of the built-in networks; paths and joined names work too."""
        return tuple(sorted({*workloads.names(), *_own_names()}))

    @property
    def workload_digest(self) -> str:
        """SHA-256 over the layers of all networks."""
        return hashlib.sha256(json.dumps([network.digest for network in self.networks]).encode()).hexdigest()

    def canonical(self, designs: ArrayLike) -> Designs:
        """Maps designs that cannot differ onto one; rules in ``canonical``."""
        return canonical(self.space.check(designs, who=self.name), self.space)

    def explain(self, design: ArrayLike) -> Explanation:
        """Where time, energy and area go; see ``simulators.systolic.eyeriss.explain``."""
        from simulators.systolic.eyeriss.explain import explain

        return explain(self, self.space.check(np.asarray(design).reshape(1, -1), who=self.name))

    def _evaluate(self, columns: Columns, fidelity: str) -> Metrics:
        priced = pricing.price(columns)
        counts, short = batch.map_designs(priced.hardware, priced.prices, self.layers)
        total = counts.sum(axis=1)
        energy = pricing.energy_terms(total, priced.prices)
        metrics = Metrics.empty(self.metric_names, len(total))
        latency_ns = total[:, at.CYCLES] * pricing.PERIOD_NS
        energy_pj = sum(energy.values())
        found: dict[str, NDArray[np.float64]] = {
            "latency_ns": latency_ns,
            "energy_pj": energy_pj,
            "power_mw": energy_pj / latency_ns,
            "area_mm2": priced.area_mm2,
            "utilization": total[:, at.MACS] / (total[:, at.CYCLES] * columns["NUM_PEs"]),
            "dram_bytes": total[:, at.DRAM_WORDS] * pricing.WORD_BITS / 8,
            "cycles": total[:, at.CYCLES],
            "compute_cycles": total[:, at.PE_CYCLES],
            "spad_energy_pj": energy["ifmap spads"] + energy["psum spads"] + energy["weights spads"],
            "glb_energy_pj": energy["global buffer"],
            "dram_energy_pj": energy["DRAM"],
            "standing_energy_pj": energy["standing"],
        }
        for name, values in found.items():
            metrics.columns[name][:] = values
        metrics.violation[:] = short.max(axis=1)
        for row in np.flatnonzero(metrics.violation > 0):
            metrics.status[row] = Status.INVALID
            metrics.reasons[int(row)] = self._too_small(priced.hardware[row], self.layers.shape[short[row].argmax()])
        return metrics

    def _too_small(self, hardware: NDArray[np.float64], shape: NDArray[np.float64]) -> str:
        """Which storages do not hold the smallest tile of a layer."""
        taps, width, out = (int(shape[slot - at.SHAPE]) for slot in (at.TAPS_W, at.WIDTH, at.OUT_W))
        needs = {
            "ifmap spad": (at.IFMAP_WORDS, taps, f"a window of {taps} words"),
            "weights spad": (at.WEIGHTS_WORDS, taps, f"a filter row of {taps} words"),
            "global buffer": (at.GLB_WORDS, width + out, f"an input row and an output row, {width} + {out} words"),
        }
        missing = [
            f"the {name} has {hardware[slot]:.0f} words and must hold {what}"
            for name, (slot, words, what) in needs.items()
            if words > hardware[slot]
        ]
        return f"smallest_tile: for a layer of {self.workload} " + "; ".join(missing)


def find(workload: str) -> tuple[Network, ...]:
    """The networks of a workload: those of ``simulators.systolic.workloads``, and ArchGym's own AlexNet.

    Raises:
        UnknownNameError: neither a built-in name nor a path.
        WorkloadError: a file that cannot be read.
    """
    found = [
        (read_csv.read(FOLDER / f"{part.strip()}.csv"),) if part.strip() in _own_names() else workloads.find(part.strip())
        for part in ([workload] if Path(workload).is_file() else workload.split("+"))
    ]
    return tuple(network for networks in found for network in networks)


def _own_names() -> tuple[str, ...]:
    return tuple(path.stem for path in FOLDER.glob("*.csv"))


def _rebuild(arguments: dict[str, Any]) -> EyerissSystolic:
    return EyerissSystolic(**arguments)
