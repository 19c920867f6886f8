"""How the blocks of a platform are connected: neighbours, paths, links that are cut, buses that are pruned."""

from __future__ import annotations

from numba import njit

from simulators.soc.layout import BUSES, MEMORIES, PES
from simulators.soc.records import Record


@njit(cache=True, nogil=True)
def connect(work: Record, a: int, b: int) -> None:
    """Links two buses, each at the end of the other's neighbours, unless they are neighbours already."""
    for i in range(work.degree[a]):
        if work.near[a, i] == b:
            return
    work.near[a, work.degree[a]] = b
    work.near[b, work.degree[b]] = a
    work.degree[a] += 1
    work.degree[b] += 1


@njit(cache=True, nogil=True)
def drop(work: Record, a: int, b: int) -> None:
    """Removes bus ``b`` from the neighbours of bus ``a``; the others keep their order."""
    kept = 0
    for i in range(work.degree[a]):
        if work.near[a, i] != b:
            work.near[a, kept] = work.near[a, i]
            kept += 1
    work.degree[a] = kept


@njit(cache=True, nogil=True)
def link_buses(work: Record) -> None:
    """Makes the links between buses in slot order; a link given twice is one, at its first place."""
    for bus in range(BUSES):
        work.degree[bus] = 0
    for bus in range(BUSES):
        other = work.link[bus]
        if other >= 0 and other != bus and work.is_bus[bus] == 1 and work.is_bus[other] == 1:
            connect(work, bus, other)


@njit(cache=True, nogil=True)
def find_paths(work: Record) -> None:
    """Shortest paths between all pairs of buses, breadth-first: fills ``before`` and ``across``; spoils ``order``."""
    for source in range(BUSES):
        for bus in range(BUSES):
            work.before[source, bus] = -1
            work.across[source, bus] = 0
        work.before[source, source] = source
        work.across[source, source] = 1 << source
        work.order[0] = source
        head, tail = 0, 1
        while head < tail:
            bus = work.order[head]
            head += 1
            for i in range(work.degree[bus]):
                other = work.near[bus, i]
                if work.before[source, other] < 0:
                    work.before[source, other] = bus
                    work.across[source, other] = work.across[source, bus] | 1 << other
                    work.order[tail] = other
                    tail += 1


@njit(cache=True, nogil=True)
def depth_first(work: Record, start: int) -> int:
    """Lists the buses that can be reached from a bus, each when it is first entered; returns how many there are."""
    work.order[0] = start
    seen, found = 1 << start, 1
    # A trail of bus and next neighbour, packed: at most BUSES of each, four bits per entry.
    trail, turns, depth = start, 0, 1
    while depth > 0:
        shift = 4 * (depth - 1)
        bus, turn = trail >> shift & 15, turns >> shift & 15
        if turn == work.degree[bus]:
            depth -= 1
            continue
        turns += 1 << shift
        other = work.near[bus, turn]
        if seen >> other & 1 == 0:
            seen |= 1 << other
            work.order[found] = other
            found += 1
            shift += 4
            trail = trail & ~(15 << shift) | other << shift
            turns &= ~(15 << shift)
            depth += 1
    return found


@njit(cache=True, nogil=True)
def cut_links(work: Record) -> bool:
    """Removes every link between two buses that no task uses both of; returns whether there was one."""
    cut = False
    for a in range(BUSES):
        for b in range(a):
            if work.across[a, b] == (1 << a | 1 << b) and work.together[a] >> b & 1 == 0:
                drop(work, a, b)
                drop(work, b, a)
                cut = True
    return cut


@njit(cache=True, nogil=True)
def prune(work: Record, found: int) -> bool:
    """Removes buses that data only passes; returns whether there was one.

    A bus with one neighbouring bus goes if it has no memories (its processing elements move on), or else if it has no
    processing elements (its memories move on).  One with neither goes too, and its neighbours are linked to the first of them.

    Args:
        work: its buses are pruned.
        found: how many buses ``order`` lists.
    """
    pruned = False
    for place in range(found):
        bus = work.order[place]
        pes = memories = 0
        for pe in range(PES):
            pes += work.pe_bus[pe] == bus
        for memory in range(MEMORIES):
            memories += work.memory_bus[memory] == bus
        links = work.degree[bus]
        if links == 1 and memories == 0:
            for pe in range(PES):
                if work.pe_bus[pe] == bus:
                    work.pe_bus[pe] = work.near[bus, 0]
        elif links == 1 and pes == 0:
            for memory in range(MEMORIES):
                if work.memory_bus[memory] == bus:
                    work.memory_bus[memory] = work.near[bus, 0]
        elif pes + memories > 0:
            continue
        pruned = True
        for i in range(links):
            drop(work, work.near[bus, i], bus)
        for i in range(1, links):
            connect(work, work.near[bus, 0], work.near[bus, i])
        work.degree[bus] = 0
    return pruned
