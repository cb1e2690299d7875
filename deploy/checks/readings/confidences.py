"""Print how far the reader's confidences are the probabilities that its numbers are right, set by set.

    .venv/3.11-test/bin/python deploy/checks/readings/confidences.py [REVISION|CHECKOUT ...] [--quick]

The sets are those of figures.py that have a truth, and none of them chose a confidence. The error is the
expected calibration error (Naeini et al. 2015) over ten bins of equal width; a number is right if it stands
among the picture's own, in a row also if no digit beside it was left out. Of n numbers the error of perfect
confidences is not 0 either: its expectation is printed beside it.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from compare import ROOT
from figures import Readings, Set, all_sets, files_of, readings_of

from digitlens.core.alignment import align_runs
from digitlens.core.readings import Number
from digitlens_convert import pages, papers
from digitlens_convert.stats import by_chance, calibration_error

SURE = 0.99
"""Confidence from which numbers count as sure."""
BINS = 10
"""Bins of the calibration error, of equal width."""
error = partial(calibration_error, bins=BINS)


def main() -> int:
    """Read, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("revisions", nargs="*", default=["."], help="revisions, or folders of checkouts")
    parser.add_argument("--quick", action="store_true", help="fewer pictures of the largest sets")
    parser.add_argument("--seed", type=int, default=7, help="of the drawn faults (default: %(default)s)")
    parser.add_argument("--each", type=int, default=4, help="faults of each kind (default: %(default)s)")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="default: %(default)s")
    parser.add_argument("--only", nargs="+", metavar="SET", help="only these sets")
    options = parser.parse_args()
    sets = [
        one
        for one in all_sets(options.shared.resolve(), options.seed, options.each, options.only)
        if one.score != "blank" and (one.folder / "labels.json").exists()
    ]
    files = [file for one in sets for file in files_of(one, options.quick)]
    print("| revision | set | numbers | right | calibration error | of perfect ones | sure | of them wrong |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for revision in options.revisions:
        readings = readings_of(revision, files)
        for one in sets:
            print(line(revision, one.name, judged(one, readings)), flush=True)
    return 0


def judged(one: Set, readings: Readings) -> list[tuple[float, bool]]:
    """The confidence of each number of a set, and whether it is right."""
    if one.score == "papers":
        labels = msgspec.json.decode((one.folder / "labels.json").read_bytes(), type=dict[str, papers.Truth])
        return [
            pair
            for name, truth in labels.items()
            if str(one.folder / name) in readings
            for pair in of_page(numbers_of(readings[str(one.folder / name)]), truth)
        ]
    found = []
    for name, text in pages.labels(one.folder):
        if str(one.folder / name) in readings:
            numbers = numbers_of(readings[str(one.folder / name)])
            found += [
                (number.confidence, right)
                for number, right in zip(numbers, of_row(numbers, text), strict=True)
            ]
    return found


def of_row(numbers: Sequence[Number], text: str) -> list[bool]:
    """Which numbers of a row with the digits `text` are right: their own, and none left out beside them."""
    read = re.sub("[^0-9]", "", "".join(number.text for number in numbers))
    there = {at: other for at, other in align_runs(read, text) if read[at] == text[other]}
    right, start = [], 0
    for number in numbers:
        end = start + len(number.digits)
        places = [there.get(at, -1) for at in range(start, end)]
        whole = -1 not in places and places == list(range(places[0], places[0] + len(places)))
        before = there.get(start - 1, -2) if start else -1
        after = there.get(end, -2) if end < len(read) else len(text)
        right.append(whole and before in (-2, places[0] - 1) and after in (-2, places[-1] + 1))
        start = end
    if len(numbers) == 1:
        return [read == text]
    return right


def numbers_of(reading: dict[str, Any]) -> list[Number]:
    """The handwritten numbers of a JSON reading."""
    return [one for one in msgspec.convert(reading["numbers"], list[Number]) if not one.printed]


def of_page(numbers: list[Number], truth: papers.Truth) -> list[tuple[float, bool]]:
    """The same of a page; printed numbers count neither way, and each true number once."""
    left = Counter(part for text in truth.numbers for part in papers.numbers_in(text))
    printed = Counter(part for text in truth.printed for part in papers.numbers_in(text))
    found = []
    for number in sorted(numbers, key=lambda one: -one.confidence):
        for part in papers.numbers_in(number.text):
            if left[part]:
                left[part] -= 1
                found.append((number.confidence, True))
            elif printed[part]:
                printed[part] -= 1
            else:
                found.append((number.confidence, False))
    return found


def line(revision: str, name: str, numbers: list[tuple[float, bool]]) -> str:
    """A row of the table."""
    chances = np.array([confidence for confidence, _ in numbers], np.float64)
    right = np.array([is_right for _, is_right in numbers], bool)
    perfect = by_chance(error, chances)
    sure = chances >= SURE
    wrong = int(np.count_nonzero(~right[sure]))
    share = f"{wrong} ({wrong / sure.sum():.1%})" if sure.any() else "0"
    return (
        f"| {revision} | {name} | {len(right):,} | {right.mean() if len(right) else 0:.1%} | "
        f"{error(chances, right):.3f} | {perfect:.3f} | {int(sure.sum())} | {share} |"
    )


if __name__ == "__main__":
    sys.exit(main())
