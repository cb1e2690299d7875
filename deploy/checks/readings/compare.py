"""Compare what two revisions read: the full JSON of every picture, and every live event of films.

    .venv/3.11-test/bin/python deploy/checks/readings/compare.py BASE [HEAD] [PATH ...]

HEAD is the working tree if it is left out, or `.`. Without paths it takes examples/, and of ../shared all
photos and the validation sets; it always draws two films of its own. Each revision is built as a wheel and
installed apart, so entry points and package data are its own. Times are left out of the comparison. The
exit status is 1 if a reading differs. A refactoring that must change no reading is checked with this.

Films, and the results of committed revisions, are kept below build/readings and used again.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).parents[3]
KEPT = ROOT / "build" / "readings"
SHOWN = 20
"""Differences that are printed."""
FILMS = {"ruled": ["314 159", "27"], "blank": ["2718 28", "1 4 1", "90210"]}
"""Lines written on the two sheets that are filmed."""
RUNS: dict[str, tuple[str, ...]] = {"plain": (), "separator": ("--separator", ".")}
"""Options of `digitlens read` for each pass over the pictures."""


def main() -> int:
    """Read with both revisions, side by side, and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("base", help="a revision")
    parser.add_argument("head", nargs="?", default=".", help="another one; . is the working tree (default)")
    parser.add_argument("paths", nargs="*", type=Path, help="pictures, or folders of them")
    options = parser.parse_args()
    pictures = collect(options.paths or default_paths())
    print(f"{len(pictures)} pictures, {len(FILMS)} films")
    films = draw_films(KEPT / "films")
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(2) as pool:
        base, head = pool.map(
            lambda revision: results(revision, pictures, films, Path(scratch)), (options.base, options.head)
        )
    return report(base, head)


def default_paths() -> list[Path]:
    """The example, and what there is of the shared pictures."""
    shared = ROOT.parent / "shared"
    validation = shared / "data" / "validation"
    folders = [ROOT / "examples", shared / "photos"]
    folders += sorted(folder for folder in validation.glob("*") if folder.is_dir())
    return [folder for folder in folders if folder.is_dir()]


def collect(paths: Sequence[Path]) -> list[Path]:
    """The picture files of the paths, by name."""
    kinds = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"}
    found: list[Path] = []
    for path in paths:
        files = [path] if path.is_file() else sorted(path.iterdir())
        found += [file.absolute() for file in files if file.suffix.lower() in kinds]
    return found


def draw_films(folder: Path) -> dict[str, Path]:
    """Films of a shaken sheet, on ruled and on blank paper; drawn once."""
    folder.mkdir(parents=True, exist_ok=True)
    films = {name: folder / f"{name}.avi" for name in FILMS}
    for seed, (name, lines) in enumerate(FILMS.items(), 1):
        if films[name].exists():
            continue
        blank = ["--blank"] if name == "blank" else []
        command = [sys.executable, "-m", "digitlens_train", "film", *lines, "--out", str(films[name])]
        command += ["--frames", "120", "--seed", str(seed), *blank]
        environment = os.environ | {"PYTHONPATH": f"{ROOT / 'edge'}:{ROOT / 'train'}"}
        mnist = ROOT.parent / "shared" / "data" / "mnist.npz"
        command += ["--mnist", str(mnist)] if mnist.exists() else []
        subprocess.run(command, check=True, env=environment)
    return films


def results(
    revision: str, pictures: list[Path], films: dict[str, Path], scratch: Path
) -> dict[str, list[str]]:
    """Every pass's lines of JSON, times left out; taken from earlier runs where the same was asked."""
    kept = kept_at(revision, pictures, films)
    if kept is not None and kept.exists():
        found: dict[str, list[str]] = json.loads(kept.read_text())
        return found
    library = install(
        revision, scratch / f"install-{'tree' if revision == '.' else revision.replace('/', '-')}"
    )
    said = {name: read(library, pictures, more) for name, more in RUNS.items()}
    said |= {f"film {name}": play(library, film) for name, film in films.items()}
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(said))
    return said


def kept_at(revision: str, pictures: list[Path], films: dict[str, Path]) -> Path | None:
    """The file of earlier results; None for the working tree."""
    if revision == ".":
        return None
    tree = git("rev-parse", f"{revision}:edge").decode().strip()
    asked = hashlib.sha256("\n".join(f"{path} {path.stat().st_size}" for path in pictures).encode())
    for film in films.values():
        asked.update(film.read_bytes())
    return KEPT / f"{tree[:16]}-{asked.hexdigest()[:16]}.json"


def install(revision: str, place: Path) -> Path:
    """Build the revision's wheel and install it into a folder of its own; that folder."""
    source = place / "source"
    source.mkdir(parents=True)
    if revision == ".":
        names = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").decode().split("\0")
        for name in filter(None, names):
            if (ROOT / name).is_file():
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, source / name)
    else:
        with tarfile.open(fileobj=BytesIO(git("archive", revision))) as archive:
            archive.extractall(source, filter="data")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--no-build-isolation", "--target", str(place / "library"), str(source)]
    subprocess.run(command, check=True)
    return place / "library"


def read(library: Path, pictures: list[Path], more: tuple[str, ...]) -> list[str]:
    """What `digitlens read --json` says of the pictures, and its exit status."""
    done = digitlens(library, "read", "--json", *more, *map(str, pictures))
    lines = [without_times(line) for line in done.stdout.splitlines()]
    return [*lines, *done.stderr.splitlines(), f"exit status {done.returncode}"]


def play(library: Path, film: Path) -> list[str]:
    """The events of `digitlens live` on a film, as fast as possible."""
    done = digitlens(library, "live", "--camera", str(film), "--display", "none", "--rate", "0", "--json")
    return [*done.stdout.splitlines(), f"exit status {done.returncode}"]


def digitlens(library: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the installed revision's command."""
    environment = os.environ | {"PYTHONPATH": str(library)}
    command = [sys.executable, "-m", "digitlens", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, cwd=library)


def without_times(line: str) -> str:
    """A reading's JSON without what its stages took."""
    reading = json.loads(line)
    del reading["milliseconds"]
    return json.dumps(reading)


def report(base: dict[str, list[str]], head: dict[str, list[str]]) -> int:
    """Print what differs; 1 if anything does."""
    differences = 0
    for name in base.keys() | head.keys():
        before, after = base.get(name, []), head.get(name, [])
        for one, other in zip_longest(before, after, fillvalue="nothing"):
            if one != other:
                differences += 1
                if differences <= SHOWN:
                    print(f"{name}:\n  base {one[:600]}\n  head {other[:600]}")
        print(f"{name}: {len(after)} lines")
    print(f"{differences} differ" if differences else "none differs")
    return 1 if differences else 0


def git(*arguments: str) -> bytes:
    """What git prints."""
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True).stdout


if __name__ == "__main__":
    sys.exit(main())
