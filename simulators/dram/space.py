"""The design space of ArchGym's DRAMGym: ten parameters of the memory controller, in two sizes."""

from __future__ import annotations

from archgym import DesignSpace, Parameter
from archgym.errors import UnknownNameError

SPACES = {
    "grid": "powers of two, 442,368 points (what ArchGym's reinforcement learning searched)",
    "integer": "all integers, 28,311,552 points (what its other agents searched)",
}

_POWERS_TO_128 = (1, 2, 4, 8, 16, 32, 64, 128)
_POWERS_TO_8 = (1, 2, 4, 8)
_TO_8 = tuple(range(1, 9))


def make_space(name: str) -> DesignSpace:
    """Builds a space.

    Args:
        name: "grid" or "integer"; parameters, values and order are the same in both but for the four sizes.

    Raises:
        UnknownNameError: no such space.
    """
    if name not in SPACES:
        raise UnknownNameError("space", name, SPACES, owner="dram")
    grid = name == "grid"
    return DesignSpace(
        (
            Parameter(
                "PagePolicy",
                ("Open", "OpenAdaptive", "Closed", "ClosedAdaptive"),
                ordered=False,
                group="page_policy",
                doc="when a row is closed: on a conflict, early if others wait, after each access, early unless wanted",
            ),
            Parameter(
                "Scheduler",
                ("Fifo", "FrFcfsGrp", "FrFcfs"),
                ordered=False,
                group="scheduling",
                default="FrFcfs",
                doc="which request of a bank goes next: the oldest, or row hits first (grouped by direction, or not)",
            ),
            Parameter(
                "SchedulerBuffer",
                ("Bankwise", "ReadWrite", "Shared"),
                ordered=False,
                group="buffering",
                doc="how the request buffer is divided",
            ),
            Parameter(
                "RequestBufferSize",
                _POWERS_TO_128 if grid else _TO_8,
                unit="requests",
                group="buffering",
                default=8,
                doc="requests that a division of the buffer holds",
            ),
            Parameter("RespQueue", ("Fifo", "Reorder"), ordered=False, group="scheduling", doc="order of the responses"),
            Parameter(
                "RefreshPolicy",
                ("NoRefresh", "AllBank"),
                ordered=False,
                group="refresh",
                default="AllBank",
                doc="whether rows are refreshed (NoRefresh loses data; it is in the space because ArchGym searched it)",
            ),
            Parameter(
                "RefreshMaxPostponed",
                _POWERS_TO_8 if grid else _TO_8,
                unit="refreshes",
                group="refresh",
                default=8,
                doc="refreshes that may be put off while there is work",
            ),
            Parameter(
                "RefreshMaxPulledin",
                _POWERS_TO_8 if grid else _TO_8,
                unit="refreshes",
                group="refresh",
                default=8,
                doc="refreshes that may be done ahead while there is none",
            ),
            Parameter(
                "Arbiter",
                ("Simple", "Fifo", "Reorder"),
                ordered=False,
                group="arbitration",
                doc="how requests enter and responses leave; Simple ignores the limit below",
            ),
            Parameter(
                "MaxActiveTransactions",
                _POWERS_TO_128 if grid else tuple(range(1, 129)),
                unit="transactions",
                group="arbitration",
                default=128,
                doc="transactions in flight at most",
            ),
        ),
        name=f"dram-{name}",
    )
