"""ArchGym's TimeloopGym: its 26-dimensional space, priced by a row-stationary model of the project's own."""

from simulators.systolic.eyeriss.simulator import EyerissSystolic

__all__ = ["EyerissSystolic"]
