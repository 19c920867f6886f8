"""The general path: MAESTRO's analysis by cases, for any stride.

A mapping has two levels.  Each is a list of loops, outermost first; a loop is temporal (tiles one after the other) or parallel
(tiles on the units of the level).  Every loop has up to three positions: its first tiles, steady ones, and an edge that is cut
short.  A case is a position of each loop; what it moves and computes times how often it occurs, summed over the cases, is the
cost.

| file | content |
|---|---|
| `table.py` | columns of the tables that hold the loops of a level, and its cases |
| `mapping.py` | the three templates as loops |
| `tiles.py` | sizes of a loop's tiles, regular and at the edge |
| `positions.py` | which positions a loop has, and how often |
| `traffic.py` | elements that a case brings to the units |
| `results.py` | elements that a case takes back, and multiply-accumulates |
| `cases.py` | all cases of a level |
| `levels.py` | time of the inner level, then the cases of the outer one |
| `flow.py` | sums over cases |
| `report.py` | delays, bandwidth needs and active processing elements, which only the general path has |
"""

from simulators.asic.general.flow import flow

__all__ = ["flow"]
