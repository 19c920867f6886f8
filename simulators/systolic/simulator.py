"""The systolic accelerator: networks, a space and a model become one simulator."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from archgym import Columns, Designs, Explanation, Metrics, Simulator
from archgym.errors import ArgumentError, UnknownNameError
from simulators.systolic import memory, workloads
from simulators.systolic.array_model import ArrayModel, Budgets
from simulators.systolic.exact_model import ExactModel
from simulators.systolic.eyeriss.model import EyerissModel
from simulators.systolic.layers import Layer, Network
from simulators.systolic.switches import Switches

MODELS = {
    "physical": "what an architect would sign",
    "scalesim3": "SCALE-Sim 3.0.0, to the last digit",
}
SPACES = {
    "systolic": "array, buffers and memory, 11,854,080 designs",
    "eyeriss": "ArchGym's TimeloopGym, 2.15e18 designs",
}

Workload = str | Network | Mapping[str, Any]


class Systolic(Simulator):
    """A systolic array of multiply-accumulate cells with three buffers and a DRAM, on one or several neural networks.

    Description:
        A layer is lowered to a product of matrices and folded onto the array; what stays in the cells (outputs, weights or
        inputs) is the dataflow.  ``model="physical"`` chooses tiles for least DRAM traffic within the buffers, hides moving
        behind computing where it can, and prices time, energy and area.  ``model="scalesim3"`` counts cycles and words as
        SCALE-Sim 3.0.0 does, quirks included, exactly.  README.md of this folder has the tables that show it.

    Workloads:
        alexnet, vgg16, resnet18, resnet50, mobilenet-v1, mobilenet-v2, squeezenet, efficientnet-b0, vit-b16, bert-base-128,
        bert-base-384, gpt2-small-prefill, gpt2-small-decode; several joined by "+"; the path of a csv (this project's,
        SCALE-Sim's, or matrix products) or ONNX file; a ``layers.Network`` (``read_torch.from_torch`` makes one).

    Design space:
        ==  ==============  =======  ========  ================================================
        #   name            ordered  unit      values
        ==  ==============  =======  ========  ================================================
        0   rows            yes      PEs       8, 16, 32, 64, 96, 128, 192, 256
        1   columns         yes      PEs       8, 16, 32, 64, 96, 128, 192, 256
        2   dataflow        no                 os, ws, is
        3   precision_bits  yes      bit       8, 16
        4   clock_mhz       yes      MHz       400, 700, 1000
        5   ifmap_kb        yes      KB        16, 32 .. 1024
        6   filter_kb       yes      KB        16, 32 .. 1024
        7   ofmap_kb        yes      KB        16, 32 .. 1024
        8   banks           yes      banks     4, 16, 64
        9   dram_type       no                 lpddr4-3200, ddr3-1600, ddr4-3200, gddr5-7000, hbm2
        10  dram_channels   yes      channels  1, 2
        ==  ==============  =======  ========  ================================================

        A bank has 256 bits; each buffer has that many.  Groups: array (0 to 4), buffers (5 to 8), memory (9, 10).
        ``space="eyeriss"`` is described in ``eyeriss/space.py``.

    Constraints:
        bank_size: a bank holds what the SRAM table has.  bank_cycle: the slowest bank keeps up with the clock.
        area_budget, power_budget, bandwidth_budget: where one is given.  The violation is relative.

    Metrics:
        ==================  ====  ==================================================================
        name                goal  meaning
        ==================  ====  ==================================================================
        latency_ns          min   time for one batch of inputs
        energy_pj           min   energy for one batch, DRAM and standing power included
        power_mw            min   energy over time
        area_mm2            min   cells, buffers and control
        utilization         max   multiply-accumulates done over those the array could have done
        dram_bytes          min   moved from and to DRAM
        cycles              min   of the array's clock, stalls included
        compute_cycles      info  cycles that the folds take without stalls
        sram_energy_pj      info  part of the energy: buffers
        dram_energy_pj      info  part of the energy: DRAM
        standing_energy_pj  info  part of the energy: clock, control, idle cells
        ==================  ====  ==================================================================

    Validity:
        About 71 % of uniform samples keep the rules of the table and of the clock.  None fails.

    Args:
        workload: see above.
        model: "physical" or "scalesim3".
        bandwidth: of "scalesim3": "calc" (no stalls, as much as it takes) or "user" (a third of the DRAM's for each operand).
        space: "systolic" or "eyeriss".
        batch: inputs that are run together; weights are shared, attention is not.
        combine: several networks: "mean", "worst" (of each metric) or "weighted".
        weights: one positive number per network for "weighted".
        node_nm: 45, 32, 28 or 22.
        constants: "calibrated" (meets the published chips) or "raw" (what the tables add up to).
        area_budget_mm2: a larger chip is INVALID.
        power_budget_w: a design that draws more is INVALID.
        bandwidth_budget_gbps: a memory with more GB/s is INVALID.
        dram: a DRAM simulator that prices the memory (``memory``); dram_type then has one level, "given".
        partial_folds, overlap_folds, double_buffering, reuse, sram_ports: ``switches.Switches``, of the physical model.

    Raises:
        UnknownNameError: an unknown workload, model, space, node or rule.
        WorkloadError: a file that cannot be read; says where.
        ArgumentError: a number out of range, or arguments that do not go together.

    Version history:
        1: first version.
    """

    name = "systolic"
    version = "1"

    def __init__(
        self,
        workload: Workload = "resnet18",
        model: str = "physical",
        space: str = "systolic",
        bandwidth: str = "calc",
        batch: int = 1,
        combine: str = "mean",
        weights: Sequence[float] | None = None,
        node_nm: int = 28,
        constants: str = "calibrated",
        area_budget_mm2: float | None = None,
        power_budget_w: float | None = None,
        bandwidth_budget_gbps: float | None = None,
        dram: Simulator | Mapping[str, Any] | None = None,
        partial_folds: bool = True,
        overlap_folds: bool = False,
        double_buffering: bool = True,
        reuse: bool = True,
        sram_ports: bool = True,
    ) -> None:
        if model not in MODELS:
            raise UnknownNameError("model", model, MODELS, owner=self.name)
        if space not in SPACES:
            raise UnknownNameError("space", space, SPACES, owner=self.name)
        self.arguments = MappingProxyType(
            {
                "workload": _name(workload),
                "model": model,
                "space": space,
                "bandwidth": bandwidth,
                "batch": batch,
                "combine": combine,
                "weights": None if weights is None else [float(weight) for weight in weights],
                "node_nm": node_nm,
                "constants": constants,
                "area_budget_mm2": area_budget_mm2,
                "power_budget_w": power_budget_w,
                "bandwidth_budget_gbps": bandwidth_budget_gbps,
                "dram": None if dram is None else memory.record(dram),
                "partial_folds": partial_folds,
                "overlap_folds": overlap_folds,
                "double_buffering": double_buffering,
                "reuse": reuse,
                "sram_ports": sram_ports,
            }
        )
        self.pricer: ArrayModel | EyerissModel
        if space == "eyeriss":
            _refuse_settings(self.arguments)
            self.pricer = EyerissModel(str(self.arguments["workload"]))
        else:
            budgets = Budgets(area_budget_mm2, power_budget_w, bandwidth_budget_gbps)
            _check_numbers(batch, budgets)
            measured = None if dram is None else memory.measure(dram)
            common = (_find(workload), batch, combine, weights, node_nm, constants, budgets)
            switches = Switches(partial_folds, overlap_folds, double_buffering, reuse, sram_ports)
            self.pricer = (
                ArrayModel(*common, switches, measured) if model == "physical" else ExactModel(*common, bandwidth, measured)
            )
        self.networks: tuple[Network, ...] = self.pricer.workload
        self.workload = "+".join(network.name for network in self.networks)
        self.space, self.metrics = self.pricer.space, self.pricer.metrics
        self.summaries = Path(__file__).parent / "optima.json"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (dict(self.arguments),)

    @classmethod
    def workloads(cls) -> tuple[str, ...]:
        """Names of the built-in networks; paths and joined names work too."""
        return workloads.names()

    @property
    def workload_digest(self) -> str:
        """SHA-256 over the layers of all networks."""
        return hashlib.sha256(json.dumps([network.digest for network in self.networks]).encode()).hexdigest()

    @property
    def has_equivalents(self) -> bool:
        """Only the space of Eyeriss has designs that cannot differ."""
        return self.space.name == "eyeriss"

    def canonical(self, designs: ArrayLike) -> Designs:
        """Maps designs that cannot differ onto one; the identity but for the space of Eyeriss."""
        array = self.space.check(designs, who=self.name)
        return self.pricer.canonical(array) if isinstance(self.pricer, EyerissModel) else array

    def explain(self, design: ArrayLike) -> Explanation:
        """Where time, energy and area go, layer by layer, with a roofline."""
        return self.pricer.explain(self.space.check(np.asarray(design).reshape(1, -1), who=self.name))

    def _evaluate(self, columns: Columns, fidelity: str) -> Metrics:
        return self.pricer.evaluate(columns)


def _rebuild(arguments: dict[str, Any]) -> Systolic:
    return Systolic(**arguments)


def _find(workload: Workload) -> tuple[Network, ...]:
    if isinstance(workload, Network):
        return (workload,)
    if isinstance(workload, Mapping):
        return (Network(workload["name"], tuple(Layer(**layer) for layer in workload["layers"])),)
    return workloads.find(workload)


def _name(workload: Workload) -> str | dict[str, Any]:
    """A workload as the arguments hold it: its name or path, or a record of its layers."""
    if isinstance(workload, Network):
        return _record(workload)
    return workload if isinstance(workload, str) else dict(workload)


def _refuse_settings(arguments: Mapping[str, Any]) -> None:
    """The space of Eyeriss fixes everything but the workload."""
    defaults = {name: parameter.default for name, parameter in inspect.signature(Systolic).parameters.items()}
    others = [name for name, value in arguments.items() if name not in ("workload", "space") and value != defaults[name]]
    if others or not isinstance(arguments["workload"], str):
        what = ", ".join(others) or "a workload that is no name and no path"
        raise ArgumentError(f"systolic: space='eyeriss' takes the name or path of a workload and nothing else, got {what}")


def _record(network: Network) -> dict[str, Any]:
    return {"name": network.name, "layers": [asdict(layer) for layer in network.layers]}


def _check_numbers(batch: int, budgets: Budgets) -> None:
    if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
        raise ArgumentError(f"systolic: batch must be a whole number of at least 1, got {batch!r}")
    for name, limit in asdict(budgets).items():
        if limit is not None and not limit > 0:
            raise ArgumentError(f"systolic: the budget {name} must be a positive number or None, got {limit!r}")
