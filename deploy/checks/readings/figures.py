"""Print the reader's regression figures of one or more revisions in one table, and which goals they miss.

    .venv/3.11-test/bin/python deploy/checks/readings/figures.py [REVISION|CHECKOUT ...] [--quick] [--seed 7]

Without a revision it takes the working tree, which `.` means, too. Of several, each is compared with the
first: `figures.py 9f06b60 .`. A revision's code is taken out of git; a checkout is a folder with edge/. All
read the same pictures with `digitlens read --json`, one thread each, one after the other: the photos and
validation sets of ../shared, its papers, the faults that its draw.py draws from --seed, pages without a
digit and sheets of MNIST's test digits. A set that is missing is left out.

Drawn pictures are kept in build/figures, as are the readings of committed revisions, and used again: remove
that folder after a change to how pages are drawn. The exit status is 1 if a goal is missed.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from compare import ROOT, git

from digitlens.core.alignment import edit_distance
from digitlens.images import pictures
from digitlens_convert import pages, papers
from digitlens_convert.stats import ratio_interval, wilson
from digitlens_train import synthetic
from digitlens_train.data import load_mnist
from digitlens_train.pages import Paper, compose

KEPT = ROOT / "build" / "figures"
ROWS = ("photos", "orand_car_a", "strings_lined", "strings_8digits", "single_pen", "single_cells")
"""Sets of which the digits are compared, all rows of a picture joined."""
BLANK: tuple[synthetic.Kind, ...] = ("words", "scribbles", "squared", "table")
"""Kinds of generated pages without a digit."""
BLANK_PAGES = 200
"""Pages of each of these kinds."""
NO_DIGITS = [], np.zeros(0, np.uint8)
SEED = 2026
"""Of the pages and sheets."""
SHEETS = 40
"""Sheets of MNIST's test digits, every other one on ruled paper."""
ROW = 16
"""Most digits and spaces that fit into a row of a sheet."""
QUICK = 4
"""Step between the pictures of the largest sets with --quick."""
POINT = 0.01
"""How far a figure may fall behind the first revision's, as a fraction."""

Readings = dict[str, dict[str, Any]]
"""JSON readings by the picture's path."""


@dataclass(frozen=True)
class Set:
    """A folder of labeled pictures, and how it is scored: "rows", "blank" or "papers"."""

    name: str
    folder: Path
    score: str


class Figure(NamedTuple):
    """A fraction, its 95 % interval, and which pictures are right, where it counts pictures."""

    value: float
    interval: tuple[float, float] | None
    right: list[bool] | None = None


Goal = Callable[[float, float], bool]
"""Of a figure of the first revision, and of another: whether the other is good enough."""


def main() -> int:
    """Draw what is missing, read with each revision, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("revisions", nargs="*", default=["."], help="revisions, or folders of checkouts")
    parser.add_argument("--seed", type=int, default=7, help="of the drawn faults (default: %(default)s)")
    parser.add_argument("--each", type=int, default=4, help="faults of each kind (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help=f"every {QUICK}th picture of the largest sets")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="default: %(default)s")
    parser.add_argument("--only", nargs="+", metavar="SET", help="only these sets")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    options = parser.parse_args()
    sets = [
        one
        for one in all_sets(options.shared.resolve(), options.seed, options.each, options.only)
        if (one.folder / "labels.json").exists()
    ]
    files = [file for one in sets for file in files_of(one, options.quick)]
    print(f"{len(files)} pictures of {', '.join(one.name for one in sets)}", flush=True)
    readings = {revision: readings_of(revision, files) for revision in options.revisions}
    found = {revision: figures(sets, said) for revision, said in readings.items()}
    lines, missed = table(found)
    print("\n".join(lines))
    print(f"{missed} goals missed")
    if options.json is not None:
        report = {
            revision: [
                {"set": name, "figure": what, "value": figure.value, "interval": figure.interval}
                for (name, what), figure in of_revision.items()
            ]
            for revision, of_revision in found.items()
        }
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 1 if missed else 0


def files_of(one: Set, quick: bool) -> list[Path]:
    """The labeled pictures of a set, or some of them."""
    names = list(json.loads(read(one.folder / "labels.json")))
    step = QUICK if quick and one.name in (*BLANK, "single_pen", "single_cells") else 1
    return [one.folder / name for name in names[::step]]


def read(path: Path) -> str:
    """A file's text."""
    return path.read_text(encoding="utf-8")


def all_sets(shared: Path, seed: int, each: int, only: Sequence[str] | None = None) -> Iterator[Set]:
    """The sets, those that are drawn drawn."""
    validation, mnist = shared / "data" / "validation", shared / "data" / "mnist.npz"

    def wanted(name: str) -> bool:
        return only is None or name in only

    for name in filter(wanted, ROWS):
        yield Set(name, shared / name if name == "photos" else validation / name, "rows")
    if mnist.exists():
        for name in BLANK:
            if not wanted(name):
                continue
            folder = KEPT / f"{name}-{BLANK_PAGES}"
            yield Set(name, drawn(folder, partial(draw_blank, name, mnist)), "blank")
        if wanted("sheets"):
            yield Set("sheets", drawn(KEPT / f"sheets-{SHEETS}", partial(draw_sheets, mnist)), "papers")
    if wanted("papers"):
        yield Set("papers", validation / "papers", "papers")
    script = shared / "faults" / "draw.py"
    if script.exists() and mnist.exists() and wanted("faults"):
        code = hashlib.sha256(script.read_bytes()).hexdigest()[:8]
        command = [sys.executable, str(script), "--each", str(each), "--seed", str(seed)]
        command += ["--mnist", str(mnist)]
        folder = KEPT / f"faults-{code}-{each}-seed-{seed}"
        yield Set("faults", drawn(folder, lambda out: run([*command, str(out)])), "papers")


def drawn(folder: Path, draw: Callable[[Path], object]) -> Path:
    """The folder, drawn if it is missing."""
    if not folder.exists():
        print(f"drawing {folder.name}", flush=True)
        unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        draw(unfinished)
        unfinished.rename(folder)
    return folder


def draw_blank(kind: synthetic.Kind, mnist: Path, out: Path) -> None:
    """Pages of a kind without digits: those of `python -m digitlens_train pages --kind KIND --data ...`."""
    out.mkdir()
    with np.load(mnist.with_name("omniglot.npz")) as data:
        letters = list(data["x"])
    names = [f"{kind}_{count:04}.png" for count in range(BLANK_PAGES)]
    for count, name in enumerate(names):
        random = np.random.default_rng((SEED, count))
        pictures.save(out / name, synthetic.page(kind, NO_DIGITS, letters, random)[0])
    (out / "labels.json").write_text(json.dumps(dict.fromkeys(names, ""), indent=1))


def draw_sheets(mnist: Path, out: Path) -> None:
    """Sheets of MNIST's test digits, labeled like papers."""
    out.mkdir()
    data, labels = load_mnist(mnist), {}
    for count in range(SHEETS):
        random = np.random.default_rng((SEED, count))
        rows = []
        for _ in range(int(random.integers(1, 6))):
            lengths = [int(random.integers(1, 7)) for _ in range(int(random.integers(1, 4)))]
            texts = ["".join(map(str, random.integers(0, 10, length))) for length in lengths]
            rows.append(" ".join(texts)[:ROW].strip())
        name, kind = f"sheet_{count:03}.png", "ruled" if count % 2 else "blank"
        paper = Paper() if count % 2 else Paper(rule=None)
        pictures.save(out / name, compose(rows, data.x_test, data.y_test, count, paper))
        labels[name] = {"numbers": " ".join(rows).split(), "kind": kind}
    (out / "labels.json").write_text(json.dumps(labels, indent=1))


def run(command: Sequence[str], path: str | None = None) -> "subprocess.CompletedProcess[str]":
    """Run a command with one thread and, with `path`, this PYTHONPATH.

    Raises:
        SystemExit: it fails; what it said is printed.
    """
    environment = os.environ | {"OPENCV_FOR_THREADS_NUM": "1", "OMP_NUM_THREADS": "1"}
    environment |= {"PYTHONPATH": path} if path else {}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:6])}: exit status {done.returncode}\n{done.stderr[-3000:]}")
    return done


def readings_of(revision: str, files: Sequence[Path]) -> Readings:
    """What a revision reads; of a committed one kept for later runs."""
    checkout = ROOT if revision == "." else Path(revision).resolve()
    if (checkout / "edge").is_dir():
        return read_with(checkout / "edge", files)
    tree = git("rev-parse", f"{revision}:edge").decode().strip()
    asked = hashlib.sha256("\n".join(f"{path} {path.stat().st_size}" for path in files).encode())
    kept = KEPT / f"{tree[:16]}-{asked.hexdigest()[:16]}.json"
    if kept.exists():
        found: Readings = json.loads(read(kept))
        return found
    source = KEPT / f"code-{tree[:16]}"
    if not source.exists():
        with tarfile.open(fileobj=BytesIO(git("archive", revision, "edge"))) as archive:
            archive.extractall(source, filter="data")
    said = read_with(source / "edge", files)
    kept.write_text(json.dumps(said))
    return said


def read_with(edge: Path, files: Sequence[Path]) -> Readings:
    """What the code in a folder reads."""
    done = run([sys.executable, "-m", "digitlens", "read", "--json", *map(str, files)], str(edge))
    found = {reading["source"]: reading for reading in map(json.loads, done.stdout.splitlines())}
    return {str(file): found[str(file)] for file in files}


def figures(sets: Sequence[Set], readings: Readings) -> dict[tuple[str, str], Figure]:
    """All figures of one revision by set and name."""
    found: dict[tuple[str, str], Figure] = {}
    for one in sets:
        scored = of_papers(one, readings) if one.score == "papers" else of_digits(one, readings)
        found |= {(name, what): figure for name, what, figure in scored}
    return found


def of_digits(one: Set, readings: Readings) -> Iterator[tuple[str, str, Figure]]:
    """The figures of a set whose digits are compared, or that has none."""
    truths, errors = [], []
    for name, truth in pages.labels(one.folder):
        reading = readings.get(str(one.folder / name))
        if reading is None:  # --quick
            continue
        said = papers.handwritten(reading)
        text = "".join(digits for number in said for digits in papers.numbers_in(number.text))
        truths.append(truth)
        errors.append(edit_distance(truth, text))
    right = [not count for count in errors]
    exact = sum(right)
    if one.score == "blank":
        wrong = len(right) - exact
        yield one.name, "with a number", Figure(wrong / len(right), wilson(wrong, len(right)), right)
        return
    digits = [len(truth) for truth in truths]
    yield one.name, "exact", Figure(exact / len(right), wilson(exact, len(right)), right)
    yield (
        one.name,
        "digit error rate",
        Figure(sum(errors) / max(1, sum(digits)), ratio_interval(errors, digits)),
    )


def of_papers(one: Set, readings: Readings) -> Iterator[tuple[str, str, Figure]]:
    """The figures of a set whose numbers are compared."""
    score = papers.score(one.folder, one.name, lambda path: papers.handwritten(readings[str(path)]))
    whole = papers.summary(score.pages)
    yield one.name, "found", Figure(whole["found_share"], whole["over_pictures"])
    yield one.name, "precision", Figure(whole["precision"] or 0.0, whole["precision_interval"])
    for what in ("empty", "exact"):
        right = [page.is_exact if what == "exact" else not page.is_empty for page in score.pages]
        share = whole[what] / whole["pictures"]
        yield one.name, what, Figure(share, whole[f"{what}_interval"], right)
    if (mean := score.mean_of_sources()) is not None:
        yield one.name, "found, mean of sources", Figure(mean, None)
    for kind, group in score.groups()["kind"].items() if one.name == "faults" else ():
        part = papers.summary(group)
        yield f"faults: {kind}", "found", Figure(part["found_share"], part["found_interval"])


def goal(name: str, what: str) -> tuple[str, Goal] | None:
    """What issue 21 asks of a figure, in words and as a check."""
    if name in BLANK:
        return "at most 2 %", lambda base, head: head <= 0.02
    if name in ROWS or name == "sheets":
        if what in ("digit error rate", "empty"):
            return "at most 1 point more", lambda base, head: head <= base + POINT
        return "at most 1 point less", lambda base, head: head >= base - POINT
    least = {("papers", "found"): 0.85, ("papers", "precision"): 0.88, ("faults", "found"): 0.95}
    least |= {(name, "found"): 0.90} if name.startswith("faults:") else {}
    if (name, what) in least:
        return f"at least {least[name, what]:.0%}", lambda base, head: head >= least[name, what]
    if (name, what) == ("papers", "empty"):
        return "at most 2 %", lambda base, head: head <= 0.02
    return None


def table(found: dict[str, dict[tuple[str, str], Figure]]) -> tuple[list[str], int]:
    """The figures as lines of Markdown, and how many goals the last revision misses."""
    names = list(found)
    heads = [f"{name} | 95 % interval" for name in names]
    lines = [
        f"| set | figure | {' | '.join(heads)} | pictures lost, won | goal | |",
        f"|---|---|{'---:|---|' * len(names)}---|---|---|",
    ]
    missed = 0
    for key in found[names[0]]:
        row = [found[name][key] for name in names]
        cells = [f"{figure.value:.1%} | {papers.between(figure.interval)}" for figure in row]
        aim, verdict = "", ""
        if asked := goal(*key):
            aim, is_met = asked
            met = is_met(row[0].value, row[-1].value)
            verdict = "" if met else "missed"
            missed += not met
        lines.append(f"| {' | '.join([*key, *cells, changed(row[0], row[-1]), aim, verdict])} |")
    return lines, missed


def changed(first: Figure, last: Figure) -> str:
    """How many pictures only the first has right, and only the last."""
    if first is last or first.right is None or last.right is None:
        return ""
    pairs = list(zip(first.right, last.right, strict=True))
    return f"{sum(was and not now for was, now in pairs)}, {sum(now and not was for was, now in pairs)}"


if __name__ == "__main__":
    sys.exit(main())
