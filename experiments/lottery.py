"""The hyper-parameter lottery: does every agent have a lucky ticket, and is it the ticket or the seed?

    python experiments/lottery.py --quick          # cheap agents, three tasks: a minute or two, ends with a report
    python experiments/lottery.py --write          # the study; goes on where it was interrupted
    python experiments/lottery.py --full --write   # raised to the numbers of the protocol: one night and more

Every run searches a DRAM controller whose whole space was enumerated, so each is judged against the true optimum.  What is
tested, and by which margins, stands in ``specs/lottery_*.toml``; docs/lottery.md explains it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import perf_counter

from lottery_plan import CLASSES, GRIDS, folder, stage_one, task_names
from lottery_study import Study, by_budget, make_cards, run_part, sweep
from lottery_text import write_up
from measuring import write_block

from archgym.report.page import build_report

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"


def study(names: list[str], out: Path, workers: int, full: bool, only_load: bool, quiet: bool) -> Study:
    """Runs what is missing, and loads everything."""
    specs = {name: stage_one(name, full) for name in names}
    classes = [name for name in names if name not in GRIDS]
    cards = make_cards(list(dict.fromkeys(task for name in names for task in task_names(specs[name]))))
    size = next(iter(cards.values())).designs
    parts = {name: run_part(name, specs[name], out, workers, size, only_load, quiet) for name in classes}
    grids = {}
    for name in [name for name in names if name in GRIDS]:
        if not only_load:
            sweep(specs[name], folder(out, name), workers, quiet)
        grids[name] = by_budget(specs[name], folder(out, name), size)
    return Study(parts, cards, grids)


def main() -> None:
    """Runs, analyses, draws, reports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="cheap agents, three tasks, 16 tickets")
    parser.add_argument("--full", action="store_true", help="the numbers of the protocol")
    parser.add_argument("--only", nargs="+", choices=[*CLASSES, *GRIDS], default=[*CLASSES, *GRIDS], help="parts of the study")
    parser.add_argument("--load", action="store_true", help="run nothing, analyse what is there")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    parser.add_argument("--out", type=Path, help="folder of the sweeps; results/lottery beside this file, or lottery-quick")
    parser.add_argument("--report", type=Path, help="the page; report.html in that folder")
    parser.add_argument("--write", action="store_true", help="write tables and figures into docs/")
    options = parser.parse_args()
    if not set(options.only) & set(CLASSES):
        parser.error(f"--only {' '.join(options.only)}: the write-up needs at least one class of agents: {', '.join(CLASSES)}")
    out = options.out or HERE / "results" / ("lottery-quick" if options.quick else "lottery")
    names = ["quick"] if options.quick else options.only
    found = study(names, out, options.workers, options.full, options.load, options.quiet)
    start = perf_counter()
    figures = DOCS / "figures" if options.write else out / "figures"
    blocks = write_up(found, figures)
    for name, text in blocks.items():
        if options.write:
            write_block(DOCS / "lottery.md", name, text)
        elif not options.quick or name == "answers":
            print(f"\n## {name}\n\n{text}")
    print(f"\nanalysis: {perf_counter() - start:.0f} s; figures: {figures}")
    # The page shows stage 1: labels of stage 2 are arms, and would stand beside the agents as if they were others.
    stores = [folder(out, name) for name in names]
    print(f"report: {build_report(stores, options.report or out / 'report.html')}")


if __name__ == "__main__":
    main()
