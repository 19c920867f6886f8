"""The reference program's model of one layer, replayed line by line: slow, and written to be checked by eye.

Every demand line is laid out, every word is looked up and every ofmap word is stored on its own, with Python sets and lists.
The package ``simulators.systolic.exact`` computes the same figures without walking; tests compare the two.
"""

from simulators.systolic.literal.replay import replay

__all__ = ["replay"]
