"""How long a sheet takes on a 12-megapixel photo, file to row, on one thread, and how much memory.

    .venv/3.11-test/bin/python deploy/checks/sheets/speed.py [--data DIR] [--photo FILE] [--rounds N]

It draws a photo of the inventory form (70 fields) with the training's generator, fills it in by a hand that
taught nothing, and enlarges it to 12 megapixels; --data has the training's arrays. Without them, give a photo
of your own by --photo, with its form by --template. A process of its own then reads the file as `digitlens
sheet read` does. The times are the process's own CPU times: of the first reading, which draws the blank form,
and the least of those after it. The peak is of the process once it has read the photo once.

The exit status is 1 if the least is more than 500 ms, or the peak more than 200 MB.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
INVENTORY = ROOT / "examples" / "sheets" / "inventory_count.toml"
MEGAPIXELS = 12
DIGITS = (44.0, 46.0)
"""Heights of digits in the drawn picture, before it is enlarged; pixels."""
MOST_MS, MOST_MB = 500, 200
"""Least CPU time and peak memory that are asked for, milliseconds and megabytes."""
DOT_PRODUCTS = ("asimddp", "avx512_vnni", "avx_vnni")
"""Features of a processor that multiplies and adds int8 in one step, as Linux names them."""


def main() -> int:
    """Draw, read in another process, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--photo", type=Path, help="read this one, and draw none")
    parser.add_argument("--template", type=Path, default=INVENTORY, help="its form (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--step", choices=("draw", "read"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step == "read":
        return _read(options.template, options.photo, options.rounds)
    if options.step == "draw":
        if problem := _draw(options.photo, options):
            print(problem, file=sys.stderr)
        return 2 if problem else 0
    with tempfile.TemporaryDirectory() as folder:
        # This process stays small: a process's peak begins with that of the one that started it.
        status = 0
        if options.photo is None:
            options.photo = Path(folder) / "photo.jpg"
            status = _step("draw", options)
        return status or _step("read", options)


def _step(step: str, options: argparse.Namespace) -> int:
    """The exit status of a process that draws or reads the photo."""
    command = [sys.executable, __file__, "--step", step]
    for name in ("data", "photo", "template", "rounds", "seed"):
        command += [f"--{name}", str(getattr(options, name))]
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(command, env=os.environ | threads, check=False).returncode


def _draw(photo: Path, options: argparse.Namespace) -> str:
    """Write the photo; why it cannot be drawn, in one line."""
    try:
        import cv2

        from digitlens_train.data import DataError
        from digitlens_train.sheets import examples
    except ImportError as error:
        return f"{error}: drawing a photo needs the extra train; or give one by --photo"
    try:
        draw = examples.Draw((options.template,), "held_out", None, options.seed, DIGITS, 0.0)
        examples.prepare(draw, options.data, "digits")
        drawn, _ = examples.picture(0)
    except DataError as error:
        return f"{error}: give its folder by --data, or a photo by --photo"
    zoom = (MEGAPIXELS * 1e6 / drawn.gray.size) ** 0.5
    large = cv2.resize(drawn.gray, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(photo), large, [cv2.IMWRITE_JPEG_QUALITY, 90])
    return ""


def _read(template: Path, photo: Path, rounds: int) -> int:
    """Read the photo so many times; print times, peak memory and the processor."""
    import resource
    from time import process_time

    import cv2

    from digitlens.core.errors import DigitLensError
    from digitlens.images import documents
    from digitlens.sheets.reader import SheetReader
    from digitlens.sheets.template import load

    def peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 / 1e3)

    cv2.setNumThreads(1)
    try:
        reader = SheetReader.load(load(template))
        loaded, peaks, times, fields = peak(), [], [], 0
        for _ in range(max(1, rounds) + 1):
            started = process_time()
            for page in documents.pages(photo, str(photo), color=False):
                if page.image is None:
                    raise SystemExit(f"{photo}: {page.error}")
                fields = len(reader.read(page.image, size=page.size).fields)
            times.append(1000 * (process_time() - started))
            peaks.append(peak())
    except DigitLensError as error:
        print(error, file=sys.stderr)
        return 2
    least = min(times[1:])
    print(f"{photo.name}: {page.size[0]} x {page.size[1]} pixels, {fields} fields")
    print(f"CPU time, file to row: {least:.0f} ms; the first, which draws the blank: {times[0]:.0f} ms")
    print(f"peak memory: {peaks[0]:.0f} MB, {loaded:.0f} MB of it before the photo; later {peaks[-1]:.0f} MB")
    print(f"processor: {platform.machine()}, {_dot_product()}")
    return int(least > MOST_MS or peaks[0] > MOST_MB)


def _dot_product() -> str:
    """Whether the processor has an int8 dot product."""
    try:
        known = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        return "int8 dot product unknown"
    found = [name for name in DOT_PRODUCTS if name in known]
    return f"int8 dot product ({found[0]})" if found else "no int8 dot product"


if __name__ == "__main__":
    sys.exit(main())
