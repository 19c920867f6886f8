"""The parts of the literal engine, one by one."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.dram import layout
from simulators.dram.literal import kernel_queue, lists, messages, power, response_queue, scheduler, timing
from simulators.dram.literal.bank_machine import STATE as BANK
from simulators.dram.literal.commands import ACT, COMMAND_NAMES, PRE, PREA, RD, RDA, REFA, WR, WRA
from simulators.dram.literal.kernel_queue import (
    ARBITER,
    ARBITER_INBOX,
    CONTROLLER,
    CONTROLLER_TIMER,
    DATA_TIMER,
    DOOR,
    PLAYER,
    PLAYER_INBOX,
)
from simulators.dram.literal.records import INFINITY, NOTHING, REQUEST, fields, new
from simulators.dram.memory import load_memory

DDR3, DDR4 = load_memory("ddr3-1600").timing, load_memory("ddr4-2400").timing


@pytest.fixture
def kernel() -> tuple[np.record, np.recarray]:
    state, heap = new(kernel_queue.KERNEL)[0], new(kernel_queue.ENTRY, 64)
    kernel_queue.reset(state)
    return state, heap


def runnable(kernel: tuple[np.record, np.recarray]) -> list[int]:
    assert kernel_queue.next_round(*kernel)
    return kernel[0].runnable[: kernel[0].num_runnable].tolist()


def test_ties_in_the_heap_are_not_decided_by_age(kernel: tuple[np.record, np.recarray]) -> None:
    for event in (PLAYER_INBOX, ARBITER_INBOX, DOOR):
        kernel_queue.notify(*kernel, event, 5)
    # The root goes first, then the last entry takes its place and stays there.
    assert runnable(kernel) == [PLAYER, CONTROLLER, ARBITER]
    assert kernel[0].now == 5
    assert not kernel_queue.next_round(*kernel)


def test_a_replaced_notification_stays_as_a_dead_entry_and_decides_a_tie(kernel: tuple[np.record, np.recarray]) -> None:
    kernel_queue.notify(*kernel, DATA_TIMER, 9)
    kernel_queue.notify(*kernel, DATA_TIMER, 5)
    assert runnable(kernel) == [CONTROLLER]
    for event in (PLAYER_INBOX, ARBITER_INBOX):
        kernel_queue.notify(*kernel, event, 9)
    assert kernel[0].entries == 3
    assert runnable(kernel) == [ARBITER, PLAYER]  # without the dead root it would be the other way round


def test_only_the_earliest_request_for_an_event_survives(kernel: tuple[np.record, np.recarray]) -> None:
    kernel_queue.notify(*kernel, CONTROLLER_TIMER, 5)
    kernel_queue.notify(*kernel, CONTROLLER_TIMER, 7)
    kernel_queue.notify(*kernel, CONTROLLER_TIMER, 5)
    assert kernel[0].entries == 1
    kernel_queue.notify(*kernel, CONTROLLER_TIMER, 0)
    kernel_queue.notify(*kernel, CONTROLLER_TIMER, 3)
    assert runnable(kernel) == [CONTROLLER]
    assert kernel[0].now == 0
    assert not kernel_queue.next_round(*kernel)


def test_posted_events_wake_each_agent_once_from_the_back(kernel: tuple[np.record, np.recarray]) -> None:
    for event in (DOOR, PLAYER_INBOX, DATA_TIMER):
        kernel_queue.notify(*kernel, event, 0)
    assert runnable(kernel) == [CONTROLLER, PLAYER]


def test_the_heap_orders_times(kernel: tuple[np.record, np.recarray]) -> None:
    rng = np.random.default_rng(3)
    times = rng.integers(1, 20, 60)
    for time in times:
        kernel_queue._push(*kernel, int(time), PLAYER_INBOX)
    popped = []
    while kernel[0].entries:
        popped.append(int(kernel[1][0].time))
        kernel_queue._pop(*kernel)
    assert popped == sorted(times.tolist())


def test_a_message_without_delay_is_seen_in_the_next_round(kernel: tuple[np.record, np.recarray]) -> None:
    messages.send(*kernel, ARBITER, messages.END_REQ, 4, 0)
    assert messages.next_kind(kernel[0], ARBITER) == NOTHING
    assert runnable(kernel) == [ARBITER]
    assert messages.next_kind(kernel[0], ARBITER) == messages.END_REQ
    assert messages.take(kernel[0], ARBITER, messages.END_REQ) == 4
    assert messages.next_kind(kernel[0], ARBITER) == NOTHING


def test_an_inbox_is_armed_again_for_what_lies_ahead(kernel: tuple[np.record, np.recarray]) -> None:
    messages.send(*kernel, ARBITER, messages.BEGIN_REQ, 1, 8)
    messages.send(*kernel, ARBITER, messages.END_RESP, 0, 0)  # kills the entry for 8
    assert runnable(kernel) == [ARBITER]
    messages.take(kernel[0], ARBITER, messages.END_RESP)
    messages.rearm(*kernel, ARBITER)
    assert kernel[0].entries == 2
    assert runnable(kernel) == [ARBITER]
    assert kernel[0].now == 8


def test_field_names_mean_the_same_in_python_and_in_compiled_code() -> None:
    with pytest.raises(ValueError, match="named size, round"):
        fields("first", "size", round=(2,))


def test_lists_keep_their_order() -> None:
    queue, requests = new(response_queue.STATE)[0], new(REQUEST, 8)
    lists.clear(queue)

    def content() -> list[int]:
        found, at = [], int(queue.first)
        while at != NOTHING:
            found.append(at)
            at = int(requests[at].next)
        assert queue.length == len(found) and queue.last == (found[-1] if found else NOTHING)
        return found

    for request in (4, 2, 7):
        lists.append(queue, requests, request)
    assert content() == [4, 2, 7]
    for request in (2, 4, 7):
        lists.remove(queue, requests, request)
    assert content() == []
    for request in (4, 2, 7, 5, 0):
        lists.insert_by_age(queue, requests, request)
    assert content() == [0, 2, 4, 5, 7]
    lists.remove(queue, requests, 7)
    lists.append(queue, requests, 1)
    assert content() == [0, 2, 4, 5, 1]


DISTANCES = [  # earlier command, later command, DDR3 cycles on the same bank, DDR3 cycles on another bank
    (ACT, RD, 10, 1), (ACT, WRA, 10, 1), (RD, RDA, 4, 4), (WR, RD, 18, 18), (WR, RDA, 18, 18), (RDA, WR, 8, 8),
    (WRA, WR, 4, 4), (ACT, ACT, 38, 5), (RDA, ACT, 16, 1), (WRA, ACT, 34, 1), (PRE, ACT, 10, 1), (PREA, ACT, 10, 10),
    (REFA, ACT, 88, 88), (ACT, PRE, 28, 1), (RD, PRE, 6, 1), (WR, PRE, 24, 1), (ACT, PREA, 28, 28), (RDA, PREA, 6, 6),
    (WRA, PREA, 24, 24), (ACT, REFA, 38, 38), (RDA, REFA, 16, 16), (WRA, REFA, 34, 34), (PRE, REFA, 10, 10),
    (PREA, REFA, 10, 10), (REFA, REFA, 88, 88), (RDA, PRE, 1, 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("earlier", "later", "same", "other"), DISTANCES, ids=[f"{COMMAND_NAMES[a]}-{COMMAND_NAMES[b]}" for a, b, *_ in DISTANCES]
)
def test_ddr3_distances(earlier: int, later: int, same: int, other: int) -> None:
    checker = new(timing.STATE)[0]
    timing.reset(checker, DDR3)
    timing.record(checker, earlier, 2, 1000)
    assert timing.earliest(checker, later, 2, 1000) == 1000 + same
    assert timing.earliest(checker, later, 3, 1000) == 1000 + other
    assert timing.earliest(checker, later, 2, 5000) == 5000


def test_the_fifth_activation_waits_for_the_window() -> None:
    checker = new(timing.STATE)[0]
    timing.reset(checker, DDR3)
    for bank in range(4):
        assert timing.earliest(checker, ACT, bank, 0) == 5 * bank
        timing.record(checker, ACT, bank, 5 * bank)
    assert timing.earliest(checker, ACT, 4, 0) == 24


@pytest.mark.parametrize(("command", "inside", "outside"), [(RD, 6, 4), (WR, 6, 4), (ACT, 6, 4)])
def test_ddr4_bank_groups(command: int, inside: int, outside: int) -> None:
    checker = new(timing.STATE)[0]
    timing.reset(checker, DDR4)
    timing.record(checker, command, 0, 1000)
    assert timing.earliest(checker, command, 3, 1000) == 1000 + inside
    assert timing.earliest(checker, command, 4, 1000) == 1000 + outside


def one_bank(lines: list[tuple[int, int, int]]) -> tuple[np.record, np.recarray, np.recarray]:
    """A bank with row 1 open and the given requests (write, row, address)."""
    buffer, banks, requests = new(scheduler.STATE)[0], new(BANK, 2), new(REQUEST, len(lines))
    design = np.zeros(10, np.int64)
    design[layout.SCHEDULER] = layout.FRFCFS_GRP
    scheduler.reset(buffer, design)
    for bank in banks:
        lists.clear(bank)
    banks[0].activated, banks[0].open_row = 1, 1
    for i, (write, row, address) in enumerate(lines):
        requests[i].write, requests[i].row, requests[i].address = write, row, address
        scheduler.store(buffer, banks, requests, i)
    return buffer, banks, requests


def test_grouping_prefers_hits_in_the_direction_of_the_last_access() -> None:
    buffer, banks, requests = one_bank([(0, 2, 0), (1, 1, 64), (0, 1, 64), (0, 1, 128)])
    assert scheduler.choose(buffer, banks[0], requests) == 3  # request 2 must not overtake the write to its address
    buffer.last_cas_write = 1
    assert scheduler.choose(buffer, banks[0], requests) == 1
    buffer.policy = layout.FRFCFS
    assert scheduler.choose(buffer, banks[0], requests) == 1
    buffer.policy = layout.FIFO
    assert scheduler.choose(buffer, banks[0], requests) == 0
    banks[0].open_row = 9
    buffer.policy = layout.FRFCFS_GRP
    assert scheduler.choose(buffer, banks[0], requests) == 0


def test_further_hits() -> None:
    buffer, banks, requests = one_bank([(0, 1, 0), (0, 2, 0), (0, 1, 64)])
    assert scheduler.has_further_hit(buffer, banks[0], requests)
    buffer.policy = layout.FIFO
    assert not scheduler.has_further_hit(buffer, banks[0], requests)
    scheduler.remove(buffer, banks, requests, 2)
    buffer.policy = layout.FRFCFS
    assert not scheduler.has_further_hit(buffer, banks[0], requests)
    assert scheduler.has_further_request(banks[0])


def test_space_in_the_buffer() -> None:
    buffer, banks, _ = one_bank([(0, 1, 0), (1, 1, 0), (1, 1, 0)])
    spaces = {}
    for kind in (layout.BANKWISE, layout.READ_WRITE, layout.SHARED):
        buffer.buffer = kind
        spaces[kind] = []
        for capacity in (2, 3, 4):
            buffer.capacity = capacity
            spaces[kind].append(bool(scheduler.has_space(buffer, banks)))
    assert spaces == {
        layout.BANKWISE: [False, False, True],
        layout.READ_WRITE: [False, True, True],
        layout.SHARED: [False, False, True],
    }
    buffer.buffer, buffer.capacity, buffer.last_accepted_bank = layout.BANKWISE, 2, 1
    assert scheduler.has_space(buffer, banks)  # it is the bank of the last accepted request that counts


def test_responses_in_order_wait_for_their_turn() -> None:
    responses, requests = new(response_queue.STATE)[0], new(REQUEST, 3)
    design = np.zeros(10, np.int64)
    design[layout.RESP_QUEUE] = layout.RESP_REORDER
    response_queue.reset(responses, design)
    requests.ready = [30, 20, 40]
    response_queue.insert(responses, requests, 1)
    assert response_queue.take_ready(responses, requests, 25) == NOTHING
    assert response_queue.trigger_time(responses, requests, 10) == INFINITY
    response_queue.insert(responses, requests, 0)
    assert response_queue.trigger_time(responses, requests, 10) == 30
    assert [response_queue.take_ready(responses, requests, 30) for _ in range(3)] == [0, 1, NOTHING]


def ledger(commands: list[tuple[int, int, int]]) -> dict[str, int]:
    state, outcome = new(power.STATE)[0], np.zeros(layout.NUM_OUTCOMES, np.int64)
    power.reset(state)
    for cycle, command, bank in commands:
        power.record(state, DDR3, command, bank, cycle)
    power.finish(state, DDR3, outcome)
    names = ("NUM_ACT", "NUM_PRE", "NUM_RD", "NUM_WR", "NUM_REF", "ACTIVE_CYCLES", "PRECHARGED_CYCLES")
    return {name: int(outcome[getattr(layout, name)]) for name in names if outcome[getattr(layout, name)]}


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        ([(7, ACT, 0), (17, RD, 0)], {"NUM_ACT": 1, "NUM_RD": 1, "ACTIVE_CYCLES": 24, "PRECHARGED_CYCLES": 7}),
        # The hidden precharge comes RAS after ACT, and is the last command of the list.
        ([(0, ACT, 0), (10, RDA, 0)], {"NUM_ACT": 1, "NUM_PRE": 1, "NUM_RD": 1, "ACTIVE_CYCLES": 28, "PRECHARGED_CYCLES": 9}),
        # A bank that closes while another one is open does not end the phase.
        (
            [(0, ACT, 0), (5, ACT, 1), (10, RDA, 0), (40, WR, 1), (64, PRE, 1)],
            {"NUM_ACT": 2, "NUM_PRE": 2, "NUM_RD": 1, "NUM_WR": 1, "ACTIVE_CYCLES": 64, "PRECHARGED_CYCLES": 9},
        ),
        # A refresh is active until its own precharge; nothing is counted after it.
        (
            [(0, ACT, 0), (5, ACT, 1), (40, PREA, -1), (50, REFA, -1)],
            {"NUM_ACT": 2, "NUM_PRE": 2, "NUM_REF": 1, "ACTIVE_CYCLES": 40 + 78, "PRECHARGED_CYCLES": 10},
        ),
    ],
)
def test_power_ledger(commands: list[tuple[int, int, int]], expected: dict[str, int]) -> None:
    assert ledger(commands) == expected
