"""A simulator that prices one design at a time: a branch predictor, by running a program through it."""

from archgym import DesignSpace, Metric, Parameter, PointSimulator


class BranchPredictor(PointSimulator):
    """Gshare (McFarling 1993): a table of two-bit counters that the last outcomes pick from, on the parity of 3n + 1 walks."""

    name, version, workload = "branch_predictor", "1", "collatz"
    space = DesignSpace((Parameter("table_bits", tuple(range(4, 13))), Parameter("history_bits", tuple(range(13)))))
    metrics = (Metric("wrong_per_1000", "min", (0, 1000)), Metric("storage_bits", "min", (1, 1e6)))

    def _evaluate_point(self, design, fidelity):
        counters, history, wrong, branches = [1] * 2 ** design["table_bits"], 0, 0, 0
        for n in range(2, 200):
            while n > 1:
                place, odd = history % len(counters), n % 2
                wrong, branches = wrong + (odd != (counters[place] > 1)), branches + 1
                counters[place] = max(0, counters[place] - 1) if not odd else min(3, counters[place] + 1)
                history, n = (2 * history + odd) % 2 ** design["history_bits"], 3 * n + 1 if odd else n // 2
        return {"wrong_per_1000": 1000 * wrong / branches, "storage_bits": 2 * len(counters) + design["history_bits"]}
