"""A folder of hostile documents through `digitlens batch`: one row each, and how much memory at most?

    python deploy/checks/batch/bounded.py [--most 300]

A zip bomb, nested archives, a PDF of 5,000 pages, a PNG and a PDF of 100,000 x 100,000 pixels, a PDF with a
password, a TIFF of 10,000 pages, `..` in a tar, a symlink out of the folder. Prints what became of each
and the most memory that the run, its worker and the process that draws PDFs have had, each for itself and
together, in MB. The exit status is 1 if one of them takes more than --most, or a row is missing.
"""

import argparse
import io
import os
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / "edge"), str(ROOT)]
from cluster import family  # noqa: E402

from digitlens.batch import tables  # noqa: E402
from tests.edge import pdfs  # noqa: E402

HUGE = 100_000
TIFF_PAGES, PDF_PAGES = 10_000, 5_000
WATCHED = 0.1
"""How often memory is looked at, seconds; the peaks of each process are the kernel's."""


def chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG's chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def tiff(pixels: npt.NDArray[np.uint8], pages: int) -> bytes:
    """A TIFF of so many pages that share their pixels (Pillow takes hours for it)."""
    height, width = pixels.shape
    content = struct.pack("<2sHI", b"II", 42, 8 + pixels.size) + pixels.tobytes()
    tags = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: pixels.size}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    size = 2 + len(entries) + 4
    directories = []
    for page in range(1, pages + 1):
        following = len(content) + size * page if page < pages else 0
        directories.append(struct.pack("<H", len(tags)) + entries + struct.pack("<I", following))
    return content + b"".join(directories)


def draw(folder: Path) -> dict[str, int]:
    """The documents in the folder, and how many pages each has, failed ones included."""
    page = Image.fromarray(np.full((60, 60), 220, np.uint8))
    (folder / "in").mkdir()
    page.save(folder / "in" / "good.png")
    page.save(folder / "outside.png")
    (folder / "in" / "link.png").symlink_to(folder / "outside.png")
    with zipfile.ZipFile(folder / "in" / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(12):
            archive.writestr(f"{number}.png", bytes(90_000_000))
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.png", b"x")
    with zipfile.ZipFile(folder / "in" / "nested.zip", "w") as archive:
        archive.writestr("deep.zip", inner.getvalue())
    with tarfile.open(folder / "in" / "out.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("../../etc/passwd.png"), io.BytesIO())
    (folder / "in" / "huge.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", HUGE, HUGE, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(bytes(1 << 20)))
    )
    (folder / "in" / "huge.pdf").write_bytes(
        pdfs.pdf([pdfs.SCAN], [pdfs.picture(np.zeros((9, 9), np.uint8), (HUGE, HUGE))])
    )
    encrypt = b"<</Filter/Standard/V 1/R 2/P -1/O(%s)/U(%s)>>" % (b"o" * 32, b"u" * 32)
    locked = pdfs.pdf([b""], [encrypt], b"/Encrypt 3 0 R/ID[(a)(a)]")
    (folder / "in" / "locked.pdf").write_bytes(locked)
    long = pdfs.pdf([b"0 0 9 9 re f"] * PDF_PAGES)
    small = b"MediaBox[0 0 080 060]"  # of the same length: offsets hold
    (folder / "in" / "long.pdf").write_bytes(long.replace(b"MediaBox[0 0 595 842]", small))
    (folder / "in" / "long.tif").write_bytes(tiff(np.asarray(page), TIFF_PAGES))
    return {
        "bomb.zip": 1, "nested.zip/deep.zip": 1, "out.tar/../../etc/passwd.png": 1, "huge.png": 1,
        "huge.pdf": 1, "locked.pdf": 1, "long.pdf": PDF_PAGES, "long.tif": TIFF_PAGES, "good.png": 1,
        "link.png": 1,
    }  # fmt: skip


def peaks(pid: int) -> Iterator[tuple[str, int, int]]:
    """A process and its descendants: which it is, its peak and its present memory, MB."""
    for member in family(pid):
        try:
            command = Path(f"/proc/{member}/cmdline").read_text()
            status = Path(f"/proc/{member}/status").read_text()
        except OSError:
            continue
        name = "PDF" if "pdf_process" in command else "worker" if "batch.worker" in command else "run"
        found = dict(line.split(":", 1) for line in status.splitlines())
        if "VmHWM" in found:
            peak, now = (int(found[key].split()[0]) * 1024 // 10**6 for key in ("VmHWM", "VmRSS"))
            yield name, peak, now


def main() -> int:
    """Draw, read and print; 0 if all are there, and within the memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=300, help="memory of one process, in MB")
    options = parser.parse_args()
    most: dict[str, int] = {}
    wrong = 0
    with tempfile.TemporaryDirectory() as place:
        folder, out = Path(place), Path(place) / "out"
        wanted = draw(folder)
        command = [sys.executable, "-m", "digitlens", "batch", "in", "--out", str(out), "--workers", "1"]
        environment = os.environ | {"PYTHONPATH": str(ROOT / "edge")}
        with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None:
                found = list(peaks(process.pid))
                for name, peak, _ in found:
                    most[name] = max(most.get(name, 0), peak)
                most["together"] = max(most.get("together", 0), sum(now for *_, now in found))
                try:
                    process.wait(WATCHED)
                except subprocess.TimeoutExpired:
                    continue
        rows: dict[str, list[str | None]] = {}
        for shard in tables.each(out, "parquet", "pages", ["id", "error"]):
            for one, error in zip(shard["id"], shard["error"], strict=True):
                rows.setdefault(str(one).removeprefix("in/"), []).append(
                    None if error is None else str(error)
                )
    for name, pages in wanted.items():
        errors = rows.pop(name, [])
        reasons = sorted({error for error in errors if error})
        print(f"{name}: {len(errors)} pages, {'; '.join(reasons) or 'read'}")
        wrong += len(errors) != pages
    for name, errors in rows.items():
        print(f"not expected: {name}: {errors[:3]}")
        wrong += 1
    print("memory at most, MB:", ", ".join(f"{name} {peak}" for name, peak in most.items()))
    over = any(peak > options.most for name, peak in most.items() if name != "together")
    return int(bool(wrong) or over)


if __name__ == "__main__":
    sys.exit(main())
