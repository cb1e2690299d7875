"""Documents -> images.documents.pages, and archives -> batch.sources.items."""

import io
import random
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from digitlens.batch.sources import Failure, items
from digitlens.core.errors import DigitLensError
from digitlens.images import documents, pdf
from digitlens.images.document_page import Limits
from fuzz.cases import Found, Ready, mutated, one_line

LIMITS = Limits(pages=8, dpi=60, seconds=0.5)
MOST_DRAWING = 250.0
"""Memory limit of the process that draws PDFs, in MB."""


def pdf_pages(case: random.Random, folder: Path, ready: Ready) -> None:
    """PDFs of scans, vector digits and nested forms: intact, mutated, with lengths and sizes that lie."""
    content = _pdf(case)
    for _ in range(case.choice([0, 1, 1, 2, 8])):
        content = mutated(case, content)
    if content and case.random() < 0.3:  # inside, where objects are
        place = case.randrange(len(content))
        content = content[:place] + case.randbytes(case.randrange(1, 9)) + content[place + 4 :]
    _pages(content, case, folder / "case.pdf", ready)
    for one in pdf._Process.idle:
        status = Path(f"/proc/{one._process.pid}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        if peak * 1024 / 1e6 > MOST_DRAWING:
            raise Found(f"drawing took {peak * 1024 / 1e6:.0f} MB")


def tiff_pages(case: random.Random, folder: Path, ready: Ready) -> None:
    """TIFFs, GIFs, WebPs, HEICs and AVIFs of several pages: intact, mutated, with directories in a circle."""
    kind = case.choice(["TIFF", "TIFF", "TIFF", "TIFF", "GIF", "WEBP", "HEIF", "AVIF"])
    content = _several(case, kind)
    for _ in range(case.choice([0, 1, 1, 2, 8])):
        content = mutated(case, content)
    if content and kind == "TIFF" and case.random() < 0.4:  # directories lie behind their pictures
        data = bytearray(content)
        place = case.randrange(len(data))
        data[place : place + 4] = case.choice([8, 0, place & ~1, len(data), 1 << 31]).to_bytes(4, "little")
        content = bytes(data)
    _pages(content, case, folder / "case.tif", ready)


def archive(case: random.Random, folder: Path, ready: Ready) -> None:
    """Zips and tars: intact, mutated, with paths that lead out, links, and lies about sizes."""
    end = case.choice([".zip", ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2"])
    path = folder / f"case{end}"
    content = _zip(case) if end == ".zip" else _tar(case, end)
    for _ in range(case.choice([0, 1, 1, 2, 8])):
        content = mutated(case, content)
    if content and end == ".zip" and case.random() < 0.5:  # its list lies at the end
        place = len(content) - 1 - case.randrange(min(len(content), 300))
        content = content[:place] + case.randbytes(4) + content[place + 4 :]
    path.write_bytes(content)
    ready()
    ids = set()
    try:
        for one in items([str(path)]):
            if one.id in ids:
                raise Found(f"twice: {one.id}")
            ids.add(one.id)
            if isinstance(one, Failure):
                _is_line(one.reason)
                continue
            try:
                if len(one.read()) > 100_000_000:
                    raise Found("a member beyond the limit")
            except DigitLensError as error:
                one_line(error)
        if not ids:
            raise Found("neither an item nor a failure")
    finally:
        path.unlink()


def _pages(content: bytes, case: random.Random, path: Path, ready: Ready) -> None:
    """Read the pages of a content, as bytes or as a file."""
    color, as_file = case.random() < 0.3, case.random() < 0.5
    if as_file:
        path.write_bytes(content)
    ready()
    count = 0
    try:
        for page in documents.pages(path if as_file else content, "case", color=color, limits=LIMITS):
            count += 1
            if page.page != count:
                raise Found(f"page {page.page} where {count} was due")
            if page.image is None:
                _is_line(page.error or "")
            elif page.image.dtype != np.uint8 or page.image.ndim != (3 if color else 2) or min(page.size) < 1:
                raise Found(f"{page.image.shape} {page.image.dtype}, color={color}, size {page.size}")
            if count > LIMITS.pages + 1:
                raise Found("more pages than the limit")
        if not count:
            raise Found("neither a page nor an error")
    except DigitLensError as error:
        one_line(error)
    finally:
        path.unlink(missing_ok=True)


def _is_line(text: str) -> None:
    if not text or "\n" in text or len(text) > 2000:
        raise Found(f"not one line: {text[:200]!r}")


def _several(case: random.Random, kind: str) -> bytes:
    modes = {"TIFF": ["1", "L", "P", "RGB", "CMYK", "I;16"], "GIF": ["L", "P"]}.get(kind, ["RGB", "L"])
    images = []
    for _ in range(case.choice([1, 2, 3, 9])):
        size = (case.choice([1, 9, 60, 300]), case.choice([1, 8, 70, 200]))
        if kind in ("WEBP", "AVIF", "HEIF") and images:
            size = images[0].size
        mode = case.choice(modes) if kind == "TIFF" else modes[0]
        images.append(Image.new(mode, size, case.choice([0, 1])))
    more: dict[str, object] = {"save_all": True, "append_images": images[1:]}
    if kind == "TIFF":
        more |= {"compression": case.choice([None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])}
        if more["compression"] == "jpeg":
            images = [image.convert("L") for image in images]
            more["append_images"] = images[1:]
        more["big_tiff"] = case.random() < 0.2
    if kind == "HEIF":
        documents._register("HEIF", "")
    file = io.BytesIO()
    images[0].save(file, kind, **more)
    return file.getvalue()


def _pdf(case: random.Random) -> bytes:
    """A PDF by hand, so that every kind of object is in it."""
    wide, high = case.choice([(1, 1), (60, 80), (600, 800)])
    lie = case.choice([(wide, high)] * 4 + [(100_000, 100_000), (wide, 10**6), (7000, 7000), (0, high)])
    samples = zlib.compress(case.randbytes(64) * (wide * high // 64 + 1))
    if case.random() < 0.1:
        samples = zlib.compress(bytes(60_000_000))
    filters, data = b"/FlateDecode", samples
    if case.random() < 0.3:
        picture = io.BytesIO()
        Image.new("L", (wide, high), 200).save(picture, case.choice(["JPEG", "JPEG2000"]))
        data = picture.getvalue()
        filters = b"/DCTDecode" if data[:2] == b"\xff\xd8" else b"/JPXDecode"
    box = case.choice(
        [b"0 0 595 842", b"0 0 595 842", b"0 0 14400 14400", b"0 0 1 1", b"10 10 10 10", b"0 0 1e9 1e9"]
    )
    text = b"BT /F 40 Tf 50 700 Td (40716) Tj ET 50 50 m 100 100 l S " * case.choice([0, 1, 50])
    deep = b"/X Do " * case.choice([0, 1, 3])
    scan = b"q 595 0 0 842 0 0 cm /I Do Q " * case.choice([0, 1, 1, 40])
    pattern = b"/Pattern cs /P scn 0 0 595 842 re f " * case.choice([0, 0, 1])
    pages = case.choice([1, 2, 3, 40])
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, b" ".join(b"%d 0 R" % (8 + n) for n in range(pages))),
        b"<</Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace%s/Filter%s"
        b"/Length %d>>stream\n%s\nendstream"
        % (*lie, case.choice([b"/DeviceGray", b"/DeviceRGB", b"/DeviceCMYK"]), filters, len(data), data),
        _stream(b"", scan + text + deep + pattern),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        _stream(b"/Type/XObject/Subtype/Form/BBox[0 0 600 900]/Resources 9999 0 R", b"q /I Do Q /X Do"),
        _stream(
            b"/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 9 9]/XStep %s/YStep .01/Resources<<>>"
            % case.choice([b"9", b".001", b"1e-9"]),
            b"0 0 5 5 re f",
        ),
    ]
    objects += [
        b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Contents 4 0 R/Rotate %d/Resources"
        b"<</XObject<</I 3 0 R/X 6 0 R>>/Font<</F 5 0 R>>/Pattern<</P 7 0 R>>>>>>"
        % (box, case.choice([0, 90, 45]))
        for _ in range(pages)
    ]
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out + b"trailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start))


def _stream(fields: bytes, content: bytes) -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (fields, len(content), content)


def _members(case: random.Random) -> list[tuple[str, bytes]]:
    names = [
        "a.png",
        "a/b.tif",
        "a.png",
        "../x.png",
        "/x.png",
        "n.zip",
        "n.7z",
        "notes.txt",
        "._a.png",
        "ü.png",
    ]
    many = case.choice([0, 1, 3, 30])
    members = [(case.choice(names), case.randbytes(case.choice([0, 9, 3000]))) for _ in range(many)]
    if case.random() < 0.1:
        members.append(("big.png", bytes(case.choice([90_000_000, 120_000_000]))))
    return members


def _zip(case: random.Random) -> bytes:
    file = io.BytesIO()
    how = case.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
    with zipfile.ZipFile(file, "w", how) as packed:
        for name, content in _members(case):
            info = zipfile.ZipInfo(name)
            info.compress_type = how
            info.external_attr = case.choice([0, 0, 0o120777 << 16])
            packed.writestr(info, content)
    return file.getvalue()


def _tar(case: random.Random, end: str) -> bytes:
    file = io.BytesIO()
    mode = {".tar": "w", ".tar.bz2": "w:bz2"}.get(end, "w:gz")
    style = case.choice([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
    with tarfile.open(fileobj=file, mode=mode, format=style) as packed:  # type: ignore[call-overload]
        for name, content in _members(case):
            info = tarfile.TarInfo(name * case.choice([1, 1, 40]))
            info.size = len(content)
            info.type = case.choice(
                [tarfile.REGTYPE] * 5 + [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE]
            )
            if info.type != tarfile.REGTYPE:
                info.size, info.linkname = 0, "/etc/passwd"
            packed.addfile(info, io.BytesIO(content))
    return file.getvalue()
