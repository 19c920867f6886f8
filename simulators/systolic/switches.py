"""What the physical model does differently from SCALE-Sim, one switch each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Switches:
    """Departures of the physical model from the exact one.  With all of them off, compute cycles are SCALE-Sim's.

    Attributes:
        partial_folds: a fold that uses part of the array takes the cycles of that part (off: of the whole array).
        overlap_folds: PEs hold two sets of what stays, so that loading and draining hide behind the neighbouring fold's work
            (takes effect with ``partial_folds`` or without).
        double_buffering: half of each buffer is filled while the other half is used, so that a layer takes the longer of
            computing and moving (off: whole buffers, one after the other).
        reuse: tiles are chosen for least DRAM traffic within the buffers (off: operands are fetched for every fold anew).
        sram_ports: an array that asks for more words a cycle than the banks deliver waits (off: banks always deliver).
    """

    partial_folds: bool = True
    overlap_folds: bool = False
    double_buffering: bool = True
    reuse: bool = True
    sram_ports: bool = True


SCALESIM_LIKE = Switches(partial_folds=False, double_buffering=False, reuse=False, sram_ports=False)
