"""Make blank forms by other people's programs, and take them from field definition to checked values.

    .venv/3.11-test/bin/python deploy/checks/sheets/blanks.py --data DIR [--sheets 4] [--keep DIR]

An examination by the LaTeX package of Auto Multiple Choice (pdflatex, auto-multiple-choice), a PDF form with
combs by ReportLab (`pip install reportlab`), a table by LibreOffice (soffice). Of each, `digitlens sheet
from` offers fields; they are named, as a person would, by where the form's author put them; the form is
filled in by hands that taught nothing, photographed (tilted by up to 20 degrees, some bent, some turned) and
once scanned flat; `digitlens sheet read` reads the pictures. DIR has the data that the networks learn from:
its held-out part writes. A kind whose program is missing is skipped, and the reason named.

The exit status is 1 if a sheet is not aligned, a field is not offered, or a value stands in the place of
another field's; 77 if all kinds are skipped.
"""

import argparse
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "train"), str(ROOT / "convert"), str(Path(__file__).parent)]

from made_blanks import MAKERS, Blank, MissingToolError, Place  # noqa: E402

from digitlens.core.arrays import Doubles  # noqa: E402
from digitlens.core.boxes import iou  # noqa: E402
from digitlens.core.errors import SheetError  # noqa: E402
from digitlens.sheets.reader import SheetReader  # noqa: E402
from digitlens.sheets.template import load  # noqa: E402
from digitlens_convert.sheets import same  # noqa: E402
from digitlens_train.paper.material import Material  # noqa: E402
from digitlens_train.sheets import examples, filling, pictures  # noqa: E402
from digitlens_train.sheets.pictures import SheetPicture  # noqa: E402

TILT = 20.0
"""Largest tilt of the camera, degrees."""
PER_MM = (2.5, 10.0)
"""Least and largest resolution of the pictures, drawn log-uniformly, pixels a millimeter."""
OVERLAP = 0.6
"""Intersection over union from which an offered field is the author's."""
TELLING = 3
"""Signs from which a value that stands in another field tells that it was taken from there."""
SKIPPED = 77


@dataclass
class Count:
    """What became of a kind's sheets.

    Attributes:
        offered: fields that `sheet from` found; `named` of the form's `fields` are among them, whose sides
            lie at most `beside` mm from the author's.
        away: how far from its place each cell's middle was looked for, mm, a sheet an array.
        elsewhere: values read from the place of another field's.
        wrong: a line for each field that is sure and wrong.
    """

    offered: int = 0
    fields: int = 0
    named: int = 0
    beside: float = 0.0
    sheets: int = 0
    away: list[Doubles] = field(default_factory=list)
    values: int = 0
    right: int = 0
    sure: int = 0
    wrong: list[str] = field(default_factory=list)
    elsewhere: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether every field is offered, every sheet aligned, and every value in its place."""
        return self.named == self.fields and len(self.away) == self.sheets and not self.elsewhere


def main() -> int:
    """Make, define, fill in, read, count."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--sheets", type=int, default=4, metavar="N", help="photos of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", action="append", choices=list(MAKERS), help="only this; may be repeated")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave forms, templates and pictures there")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    material = Material.load(options.data, "held_out")
    counts: dict[str, Count] = {}
    with tempfile.TemporaryDirectory() as name:
        for kind in options.kind or MAKERS:
            folder = (options.keep or Path(name)) / kind
            folder.mkdir(parents=True, exist_ok=True)
            try:
                blank = MAKERS[kind](folder)
            except MissingToolError as missing:
                print(f"{kind}: skipped: {missing}")
                continue
            counts[kind] = _run(kind, blank, folder, material, options)
    if not counts:
        return SKIPPED
    _table(counts)
    good = all(count.is_good for count in counts.values())
    print("ok" if good else "NOT as it must be")
    return 0 if good else 1


def _run(kind: str, blank: Blank, folder: Path, material: Material, options: argparse.Namespace) -> Count:
    """A kind from its blank to its values."""
    count = Count(fields=len(blank.fields))
    named, truth = folder / "named.toml", folder / "truth.toml"
    offered = folder / "offered.toml"
    offered.unlink(missing_ok=True)
    _digitlens("sheet", "from", str(blank.path), "--out", str(offered))
    named.write_text(_named(tomllib.loads(offered.read_text()), blank, count))
    _digitlens("sheet", "check", str(named))
    head = f'title = "Truth"\nblank = "{blank.path.name}"\npaper = [210.0, 297.0]\n'
    each = [_section(one, place, place.box) for one, place in blank.fields.items()]
    truth.write_text(head + "".join(each))
    if not count.named:
        return count
    drawn: dict[str, SheetPicture] = {}
    for number in range(options.sheets + 1):
        path = folder / f"{number}.png"
        drawn[str(path)] = _picture(truth, material, (options.seed, number), is_scanned=number == 0)
        cv2.imwrite(str(path), drawn[str(path)].gray)
    count.sheets = len(drawn)
    lines = _digitlens("sheet", "read", str(named), *drawn, "--json", statuses=(0, 1)).splitlines()
    read = {one["source"]: one for one in map(msgspec.json.decode, lines)}
    reader = SheetReader.load(load(named))
    layout = load_layout(truth)
    for source, picture in drawn.items():
        if source not in read:
            count.problems.append(f"{kind} {Path(source).name}: not read")
            continue
        try:
            away = examples.offsets(picture, layout, reader.seen(picture.gray).page)
        except SheetError as error:
            count.problems.append(f"{kind} {Path(source).name}: {error}")
            continue
        widths = np.array([cell[2] for placed in layout.on_page(1) for cell in placed.cells])
        count.away.append(away)
        count.elsewhere += int((away > widths / 2).sum())
        _compare(f"{kind} {Path(source).name}", picture, read[source]["fields"], count)
    return count


def load_layout(path: Path) -> Any:
    """Where the fields of a template stand."""
    from digitlens.sheets.layout import lay_out

    return lay_out(load(path))


def _digitlens(*arguments: str, statuses: tuple[int, ...] = (0,)) -> str:
    """What the command prints; its complaints are shown."""
    done = subprocess.run(
        [sys.executable, "-m", "digitlens", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode not in statuses:
        raise SystemExit(f"digitlens {' '.join(arguments)}: status {done.returncode}\n{done.stderr}")
    for line in done.stderr.splitlines():
        print(line)
    return done.stdout


def _named(offered: dict[str, Any], blank: Blank, count: Count) -> str:
    """The offered template with the author's names and kinds; what is not to be read is deleted."""
    lines = [f"{key} = {msgspec.json.encode(offered[key]).decode()}" for key in ("title", "blank", "paper")]
    text = "\n".join(lines) + "\n"
    boxes = [_box(one) for one in offered["field"]]
    count.offered = len(boxes)
    for name, place in blank.fields.items():
        shared = iou(np.array(boxes), np.array([place.box]))[:, 0]
        best = boxes[int(shared.argmax())]
        if shared.max() < OVERLAP:
            count.problems.append(f"{name}: not offered")
            continue
        count.named += 1
        count.beside = max(count.beside, _beside(best, place.box))
        own = offered["field"][boxes.index(best)]
        if own.get("comb", True) != place.keys.get("comb", True):
            count.problems.append(f"{name}: offered {'with' if own.get('comb', True) else 'without'} cells")
        text += _section(name, place, best)
    return text


def _section(name: str, place: Place, box: Sequence[float]) -> str:
    x, y, wide, tall = box
    keys = {"name": name, **place.keys, "at": [x, y], "cell": [round(wide / place.cells, 3), tall]}
    return "\n[[field]]\n" + "".join(
        f"{key} = {msgspec.json.encode(value).decode()}\n" for key, value in keys.items()
    )


def _box(section: dict[str, Any]) -> tuple[float, float, float, float]:
    cells = 1 if section["kind"] == "tick" else section["cells"]
    return (*section["at"], cells * section["cell"][0], section["cell"][1])


def _beside(box: Sequence[float], other: Sequence[float]) -> float:
    """The largest distance of two boxes' sides."""
    return max(
        abs(one - two)
        for k in (0, 1)
        for one, two in ((box[k], other[k]), (box[k] + box[k + 2], other[k] + other[k + 2]))
    )


def _picture(truth: Path, material: Material, seed: tuple[int, int], is_scanned: bool) -> SheetPicture:
    """A sheet filled in by one hand, and its picture."""
    template = load(truth)
    cell = float(np.median([placed.field.cell_mm[1] for placed in load_layout(truth).on_page(1)]))
    digit = float(np.mean(filling.HEIGHTS)) * cell
    digits = (PER_MM[0] * digit, PER_MM[1] * digit)
    return pictures.draw(
        np.random.default_rng(seed), material, template, "writer", digits=digits, tilt=TILT,
        is_scanned=is_scanned,
    )  # fmt: skip


def _compare(sheet: str, picture: SheetPicture, fields: dict[str, Any], count: Count) -> None:
    written = {name: one.value for name, one in picture.written.items() if name in fields}
    count.values += len(picture.written)
    for name, truth in written.items():
        one = fields[name]
        is_right = same(truth, one["value"])
        is_sure = one["state"] in ("sure", "empty")
        count.right += is_right
        count.sure += is_sure
        if is_right:
            continue
        others = {str(value) for other, value in written.items() if other != name}
        if len(str(one["value"])) >= TELLING and one["value"] is not None and str(one["value"]) in others:
            count.elsewhere += not isinstance(one["value"], bool)
        if is_sure:
            count.wrong.append(
                f"{sheet} ({picture.per_mm:.1f} px/mm): {name}: {one['value']}, not {truth}, "
                f"{one['confidence']:.1%}"
            )


def _table(counts: dict[str, Count]) -> None:
    print(
        f"\n{'kind':<10}{'offered':>9}{'named':>9}{'beside mm':>11}{'aligned':>9}{'median mm':>11}"
        f"{'p99 mm':>8}{'right':>13}{'sure':>13}{'wrong':>7}{'elsewhere':>11}"
    )
    for kind, one in counts.items():
        away = np.concatenate(one.away) if one.away else np.full(1, np.nan)
        print(
            f"{kind:<10}{one.offered:>9}{f'{one.named}/{one.fields}':>9}{one.beside:>11.2f}"
            f"{f'{len(one.away)}/{one.sheets}':>9}{np.median(away):>11.3f}{np.percentile(away, 99):>8.3f}"
            f"{f'{one.right}/{one.values}':>13}{f'{one.sure}/{one.values}':>13}{len(one.wrong):>7}"
            f"{one.elsewhere:>11}"
        )
    for one in counts.values():
        for line in (*one.wrong, *one.problems):
            print(line)


if __name__ == "__main__":
    sys.exit(main())
