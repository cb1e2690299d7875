"""Lay 20 sheets under `digitlens serve`, two of them twice, kill it on the way, and count the rows.

    .venv/3.11-test/bin/python deploy/checks/sheets/film.py --mnist mnist.npz [--kills 3] [--film FILE.avi]

A film of exam papers, each with a serial number, is drawn with digits of MNIST: a hand lays them on top of
each other. The service takes them from the film into a journal; it is killed (SIGKILL) at random moments and
started again, on the same film from its start, and in the end it runs through. Then the journal must hold
each of the 20 sheets as one row, none of what was announced on stdout may be missing, and the values must be
those that were written. The exit status is 1 if not.
"""

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import msgspec
import numpy as np

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from digitlens.outlets.entries import Entry  # noqa: E402
from digitlens.outlets.history import History  # noqa: E402
from digitlens.sheets.template import load  # noqa: E402
from tests.edge.sheets import filled, laid  # noqa: E402

TEMPLATE = ROOT / "examples" / "sheets" / "exam_marks.toml"
SHEETS = 20
TWICE = (4, 11)
"""Serial numbers that are laid down a second time."""


def main() -> int:
    """Film, serve, kill, count."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mnist", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--film", type=Path, help="keep the film there, or take the one that is there")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = options.film or folder / "film.avi"
        written = {serial: _values(serial) for serial in range(1, SHEETS + 1)}
        if not film.exists():
            _draw(film, options.mnist, written)
        return _check(folder, film, written, options)


def _values(serial: int) -> dict[str, str]:
    """What is written on a sheet, a sign a cell."""
    random = np.random.default_rng(serial)
    with (TEMPLATE.parent / "students.csv").open() as file:
        members = [row["number"] for row in csv.DictReader(file)]
    points = random.integers(0, 13, 10).tolist()
    texts = {
        "student": members[serial % len(members)], "date": f"{serial % 28 + 1:02}112026", "paper": " x ",
        "total": f"{sum(points):3}", "mark": "42", "absent": " ",
    }  # fmt: skip
    return texts | {f"questions.{place}.points": f"{one:2}" for place, one in enumerate(points, 1)}


def _draw(film: Path, mnist: Path, written: dict[int, dict[str, str]]) -> None:
    template = load(TEMPLATE)
    with np.load(mnist, allow_pickle=False) as arrays:
        hand = filled.clear_digits((arrays["x_test"], arrays["y_test"]))
    order = [*written, *TWICE]
    np.random.default_rng(0).shuffle(order)
    video = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"MJPG"), laid.RATE, laid.SIZE, True)
    for frame in laid.film([filled.page(template, written[one], hand, one) for one in order]):
        video.write(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
    video.release()


def _check(folder: Path, film: Path, written: dict[int, dict[str, str]], options: argparse.Namespace) -> int:
    random = np.random.default_rng(options.seed)
    journal, announced = folder / "journal.db", list[Entry]()
    command = [
        sys.executable, "-m", "digitlens", "serve", "--sheet", str(TEMPLATE), "--camera", str(film),
        "--journal", str(journal), "--json", "--repeat", "1", "--hold", "1", "--rate", "0",
    ]  # fmt: skip
    for run in range(options.kills + 1):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            if run < options.kills:
                for _ in range(int(random.integers(1, SHEETS))):
                    announced += _entries(process.stdout.readline())
                time.sleep(float(random.uniform(0, 0.5)))
                process.kill()
            announced += _entries(process.stdout.read())
            status = process.wait()
        print(f"run {run + 1}: {len(announced)} entries announced so far, exit status {status}")
    history = History(journal)
    entries = list(history.each(kind="sheet"))
    history.close()
    rows = {entry.number: entry for entry in entries}
    new = [entry.number for entry in entries if not entry.before]
    wrong = [
        f"serial {one}: {bad}" for one, texts in written.items() if (bad := _wrong(rows.get(one), texts))
    ]
    lost = {entry.id for entry in announced} - {entry.id for entry in entries}
    print(f"{len(rows)} rows, {len(entries)} entries, {len(entries) - len(new)} of them updates")
    print(f"announced, and not in the journal: {len(lost)}")
    for line in wrong:
        print(line)
    good = sorted(rows) == sorted(written) and len(new) == len(set(new)) and not lost and not wrong
    print("ok" if good else "NOT as it must be")
    return 0 if good else 1


def _entries(lines: bytes) -> list[Entry]:
    return [msgspec.json.decode(line, type=Entry) for line in lines.splitlines() if line.endswith(b"}")]


def _wrong(entry: Entry | None, texts: dict[str, str]) -> str:
    """The fields whose value is sure, and another than what is written; "missing" without a row."""
    if entry is None or entry.sheet is None:
        return "missing"
    bad = []
    for name, text in texts.items():
        field = entry.sheet.fields[name]
        digits = "".join(sign for sign in str(field.value) if sign.isdigit())
        if name == "date":
            digits = digits[6:] + digits[4:6] + digits[:4]
        if name in ("paper", "absent"):
            right = field.value == ("B" if name == "paper" else False)
        else:
            right = digits == text.strip()
        if not right and field.state == "sure":
            bad.append(f"{name} {field.value}, not {text.strip()}")
    return "; ".join(bad)


if __name__ == "__main__":
    sys.exit(main())
