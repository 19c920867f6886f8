"""The three buffers of the array, served word by word."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil


@dataclass
class Reader:
    """What both kinds of read buffer report.

    Attributes:
        reads: words fetched from DRAM.
        start, stop: cycles of the first and the last fetch.
    """

    reads: int = 0
    start: int = 0
    stop: int = -1

    def serve(self, words: list[int], clock: int, line: int) -> int:
        """Serves the words of a demand line and returns after how many cycles they are there, 1 if nothing was late."""
        raise NotImplementedError

    def finish(self) -> None:
        """Is called after the last line."""


@dataclass
class WindowReader(Reader):
    """Bandwidth mode USER: a window that moves over the fetch order, one refill per move.

    Attributes:
        words: the fetch order without nulls.
        length: its length with nulls.
        kb: size of the buffer, KB.
        bandwidth: words per cycle.
    """

    words: list[int] = field(default_factory=list)
    length: int = 0
    kb: int = 1
    bandwidth: int = 1

    def __post_init__(self) -> None:
        elements, half = ceil(1024 * self.kb / 100), 512 * self.kb
        count = len(self.words) // elements + 1
        self.sets = [set(self.words[i * elements : (i + 1) * elements]) for i in range(count)]
        self.active = min(ceil(half / elements), count)
        self.step = min(ceil(half / elements), count - self.active)
        self.first = 0
        self.lines = ceil(half / self.bandwidth)
        prefetched = min(self.lines, ceil(self.length / self.bandwidth))
        self.reads, self.start, self.stop = self.bandwidth * prefetched, -prefetched, -1

    def holds(self, word: int) -> bool:
        """Whether a set of the window has the word."""
        return any(word in self.sets[(self.first + i) % len(self.sets)] for i in range(self.active))

    def serve(self, words: list[int], clock: int, line: int) -> int:
        """Moves the window until it holds each word in turn; a refill that is late is charged twice."""
        off = 1
        for word in words:
            while not self.holds(word):
                self.first = (self.first + self.step) % len(self.sets)
                self.reads += self.lines * self.bandwidth
                self.stop += self.lines + 1
                late = self.stop - (clock + off)
                off += late
                if late > 0:
                    off += late
        return off


@dataclass
class SetReader(Reader):
    """Bandwidth mode CALC: a set of words that is emptied when it is full; never late.

    Attributes:
        kb: size of the buffer, KB.
    """

    kb: int = 1
    first_line: int = -1
    held: set[int] = field(default_factory=set)
    filled: bool = False

    def serve(self, words: list[int], clock: int, line: int) -> int:
        """Counts the words that are not in the set."""
        if words and self.first_line < 0:
            self.first_line = line
        for word in words:
            if word not in self.held:
                self.held.add(word)
                self.reads += 1
            if len(self.held) >= self.capacity:
                self.held.clear()
                self.filled, self.stop = True, line + 1
        return 1

    @property
    def capacity(self) -> int:
        """Words that fill the set: half of the buffer, in hundredths of it."""
        return 50 * (1024 * self.kb // 100)

    def finish(self) -> None:
        """Sets the first cycle: ten words per cycle are fetched ahead."""
        if self.filled:
            self.start = self.first_line - ceil(self.capacity / 10)
        else:
            piece = 1024 * self.kb // 100
            self.start = -ceil(ceil(self.reads / piece) * piece / 10)


@dataclass
class Drain:
    """The ofmap buffer: words come in one by one and leave in lines.

    Attributes:
        kb: size of the buffer, KB.
        bandwidth: words per line, one line per cycle.
        start, stop: cycles of the first and the last line that leaves.
        writes: words believed to have left.
    """

    kb: int
    bandwidth: int
    start: int | None = None
    stop: int = -1
    writes: int = 0

    def __post_init__(self) -> None:
        self.size, self.part = 1024 * self.kb, 512 * self.kb
        self.stored = 0  # believed
        self.loose = 0  # words not yet laid out in lines
        self.lines: list[int] = []  # words in each line that waits
        self.end = -1  # of the drain that runs

    def store(self, words: int, clock: int) -> int:
        """Stores the words of a demand line and returns by how many cycles they are late."""
        started = clock
        for _ in range(words):
            self.stored += 1
            self.loose += 1
            if clock < self.end:
                if self.stored >= self.size:
                    clock = self.end
            elif self.stored > self.part:
                self._leave(clock)
        return clock - started

    def flush(self, clock: int) -> None:
        """Empties the buffer after the last line, not waiting for a drain that still runs."""
        while self.lines or self.loose:
            self._leave(clock)
            clock = self.end + 1

    def _leave(self, clock: int) -> None:
        """Lets a half buffer of lines leave, or what there is."""
        full, rest = divmod(self.loose, self.bandwidth)
        self.lines += [self.bandwidth] * full + [rest] * (rest > 0)
        self.loose = 0
        leaving = self.lines[: ceil(self.part / self.bandwidth)]
        del self.lines[: len(leaving)]
        credit = (len(leaving) - 1) * self.bandwidth + leaving[-1]  # short lines in the middle count as full
        self.stored -= credit
        self.writes += credit
        self.end = clock + len(leaving) - 1
        self.start = clock if self.start is None else self.start
        self.stop = max(self.stop, self.end)
