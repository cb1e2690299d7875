"""Every page of a document; what is broken, too large or hostile is one line."""

import io
import os
import signal
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, TiffImagePlugin

from digitlens import DependencyError, PictureError, Reader
from digitlens.images import documents, pdf
from digitlens.images.document_page import DocumentPage, Limits
from tests.edge import pdfs
from tests.edge.pages import write

Digits = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]
TEXTS = ("314", "27", "90", "58", "16")


@pytest.fixture(scope="module")
def images(digits: Digits) -> list[Image.Image]:
    """Five pages of one size."""
    canvas = np.full((len(TEXTS), 120, 300), 220, np.uint8)
    for page, text in zip(canvas, TEXTS, strict=True):
        strip = write(text, digits)
        page[:, : strip.shape[1]] = strip
    return [Image.fromarray(page) for page in canvas]


def saved(images: Sequence[Image.Image], kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    images[0].save(file, kind, save_all=True, append_images=images[1:], **options)
    return file.getvalue()


def heic(images: Sequence[Image.Image]) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    return saved([image.convert("RGB") for image in images], "HEIF", quality=90)


def pages(content: bytes | Path, **options: object) -> list[DocumentPage]:
    return list(documents.pages(content, "doc", color=False, **options))  # type: ignore[arg-type]


def texts(found: Sequence[DocumentPage], reader: Reader) -> list[list[str]]:
    readings = [reader.read(page.image) for page in found if page.image is not None]
    return [[number.text for number in reading.numbers] for reading in readings]


@pytest.mark.parametrize(
    ("kind", "count"), [("TIFF", 3), ("GIF", 5), ("WEBP", 2), ("HEIF", 1), ("AVIF", 1), ("PDF scan", 2)]
)
def test_the_numbers_of_every_page(images: list[Image.Image], reader: Reader, kind: str, count: int) -> None:
    some = images[:count]
    if kind == "HEIF":
        content = heic(some)
    elif kind == "PDF scan":
        sheets = [Image.new("L", (600, 849), 220) for _ in some]
        for sheet, image in zip(sheets, some, strict=True):
            sheet.paste(image, (90, 120))
        content = pdfs.pdf([pdfs.SCAN] * count, [pdfs.picture(np.asarray(sheet)) for sheet in sheets])
    else:
        content = saved(some, kind, **({"quality": 90} if kind in ("WEBP", "AVIF") else {}))
    found = pages(content)
    assert [page.page for page in found] == list(range(1, count + 1))
    assert texts(found, reader) == [[text] for text in TEXTS[:count]]
    assert {page.several for page in found} == {count > 1}


def test_a_scan_has_its_own_resolution_and_is_reduced_as_pictures_are() -> None:
    large = np.full((3508, 2480), 230, np.uint8)
    (page,) = pages(pdfs.pdf([pdfs.SCAN], [pdfs.picture(large)]))
    assert page.size == pytest.approx((2480, 3508), abs=3)
    assert page.image is not None
    assert page.image.shape == pytest.approx((1754, 1240), abs=3)
    assert not page.several


def test_vector_digits_are_drawn_as_fine_as_wanted(digits: Digits, reader: Reader) -> None:
    content = pdfs.pdf([pdfs.outlines(write("40716", digits, 30, 35))])
    for dpi, size in ((200, (1653, 2339)), (100, (826, 1169))):
        found = pages(content, limits=Limits(dpi=dpi))
        assert found[0].size == pytest.approx(size, abs=2)
        assert texts(found, reader) == [["40716"]]


def test_colors_are_kept_in_order() -> None:
    red = pdfs.pdf([b"1 0 0 rg 0 0 595 842 re f"])
    tiff = saved([Image.new("RGB", (9, 9), "red")] * 2, "TIFF")
    for content in (red, tiff):
        page = next(documents.pages(content, "doc"))
        assert page.image is not None
        assert page.image[4, 4].tolist() == [0, 0, 255]


def test_a_broken_page_is_an_error_and_the_others_follow(images: list[Image.Image], reader: Reader) -> None:
    content = bytearray(saved(images[:3], "TIFF", compression="tiff_lzw"))
    with Image.open(io.BytesIO(content)) as image:
        image.seek(1)
        start = image.tag_v2[273][0]  # type: ignore[attr-defined]
    content[start : start + 40] = bytes(40)
    found = pages(bytes(content))
    assert [(page.page, page.image is None) for page in found] == [(1, False), (2, True), (3, False)]
    assert (found[1].error or "").startswith("page 2: ")
    assert texts(found, reader) == [["314"], ["90"]]


def test_every_page_is_turned_as_it_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.tif"
    with TiffImagePlugin.AppendingTiffWriter(path, new=True) as file:
        Image.new("L", (30, 20)).save(file, "TIFF")
        file.newFrame()
        Image.new("L", (30, 20)).save(file, "TIFF", exif=exif)
    assert [page.size for page in pages(path)] == [(30, 20), (20, 30)]


def test_a_preview_is_no_page(images: list[Image.Image]) -> None:
    content = bytearray(saved(images[:3], "TIFF"))
    place = struct.unpack_from("<I", content, 4)[0]
    (count,) = struct.unpack_from("<H", content, place)
    (place,) = struct.unpack_from("<I", content, place + 2 + 12 * count)
    assert struct.unpack_from("<H", content, place + 2)[0] == 256  # its width: made the kind of picture
    second = bytes(content)
    struct.pack_into("<HHII", content, place + 2, 254, 4, 1, 1)
    assert len(pages(second)) == 3
    assert [page.page for page in pages(bytes(content))] == [1, 2]


def test_directories_in_a_circle_end(images: list[Image.Image]) -> None:
    content = bytearray(saved(images[:2], "TIFF"))
    first = struct.unpack_from("<I", content, 4)[0]
    (count,) = struct.unpack_from("<H", content, first)
    (second,) = struct.unpack_from("<I", content, first + 2 + 12 * count)
    (count,) = struct.unpack_from("<H", content, second)
    struct.pack_into("<I", content, second + 2 + 12 * count, first)
    assert len(pages(bytes(content))) == 2


@pytest.mark.parametrize("kind", ["TIFF", "PDF"])
def test_more_pages_than_are_read_are_an_error(images: list[Image.Image], kind: str) -> None:
    content = saved(images, "TIFF") if kind == "TIFF" else pdfs.pdf([b""] * 5)
    found = pages(content, limits=Limits(pages=3, dpi=50))
    assert [page.error for page in found] == [None, None, None, "page 4: more than 3 pages: split it"]


def test_a_pdf_with_a_huge_picture_is_refused_page_by_page() -> None:
    huge = pdfs.picture(np.zeros((9, 9), np.uint8), (100_000, 100_000))
    found = pages(pdfs.pdf([pdfs.SCAN, b"0 0 9 9 re f"], [huge]), limits=Limits(dpi=50))
    assert found[0].error == (
        "page 1: a picture of 100000 x 100000 pixels on it is too large; at most 50 million pixels are read: "
        "scale it down"
    )
    assert found[1].image is not None


def test_a_pdf_with_a_password_is_one_line() -> None:
    encrypt = b"<</Filter/Standard/V 1/R 2/P -1/O(%s)/U(%s)>>" % (b"o" * 32, b"u" * 32)
    content = pdfs.pdf([b""], [encrypt], b"/Encrypt 3 0 R/ID[(a)(a)]")
    with pytest.raises(PictureError, match=r"^doc: it has a password: save it without one$"):
        pages(content)


def test_a_pdf_that_is_none_is_one_line() -> None:
    with pytest.raises(PictureError, match=r"^doc: not a PDF that can be opened$"):
        pages(b"%PDF-1.7\nnothing")


def test_a_page_that_ends_the_drawing_is_an_error_and_the_others_follow() -> None:
    found = documents.pages(pdfs.pdf([b"0 0 9 9 re f"] * 3), "doc", limits=Limits(dpi=50))
    assert next(found).image is not None
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    drawing = [int(child) for child in children if is_drawing(int(child))]
    (process,) = drawing
    os.kill(process, signal.SIGSEGV)
    second, third = found
    assert second.error == f"page 2: {pdf.GONE}"
    assert third.image is not None


def test_a_pdf_whose_pages_all_take_too_long_is_given_up() -> None:
    slow = b"0 0 595 842 re f " * 60_000
    found = pages(pdfs.pdf([slow] * 9), limits=Limits(seconds=0.05))
    assert [page.page for page in found] == [1, 2, 3, 4]
    assert found[3].error == "page 4: given up, as all pages behind it: the 3 before could not be drawn"


def is_drawing(process: int) -> bool:
    return b"pdf_process" in Path(f"/proc/{process}/cmdline").read_bytes()


def test_a_page_that_takes_too_long_is_given_up() -> None:
    slow = b"0 0 595 842 re f " * 60_000
    (page,) = pages(pdfs.pdf([slow]), limits=Limits(seconds=0.2))
    assert page.error == "takes more than 0.2 s to draw"


def test_a_heic_beyond_a_phone_is_refused_before_it_is_decoded(images: list[Image.Image]) -> None:
    """24 million pixels are read within 300 MB, 48 million would not be."""
    photo = bytearray(heic(images[:1]))
    place = photo.index(b"ispe") + 8
    for size, width in (((5712, 4284), 5712), ((8064, 6048), 8064)):
        struct.pack_into(">II", photo, place, *size)
        (page,) = pages(bytes(photo))
        assert page.image is None
        assert ("too large; at most" in str(page.error)) == (width == 8064)


def test_what_needs_an_extra_names_it(images: list[Image.Image], monkeypatch: pytest.MonkeyPatch) -> None:
    photo = heic(images[:1])
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(DependencyError, match=r"^doc: HEIC needs pillow-heif: pip install 'digitlens"):
        pages(photo)
    with pytest.raises(
        DependencyError, match=r"^doc: PDF needs pypdfium2: pip install 'digitlens\[documents"
    ):
        pages(pdfs.pdf([b""]))


def test_a_reader_takes_a_path(tmp_path: Path, images: list[Image.Image], reader: Reader) -> None:
    one, several = tmp_path / "one.png", tmp_path / "several.tif"
    images[0].save(one)
    several.write_bytes(saved(images[:2], "TIFF"))
    assert [number.text for number in reader.read(one).numbers] == ["314"]
    assert reader.read(str(one)).source == str(one)
    second = reader.read(several, page=2)
    assert ([number.text for number in second.numbers], second.page) == (["27"], 2)
    with pytest.raises(PictureError, match=r"several\.tif: has several pages: "):
        reader.read(several)
    with pytest.raises(PictureError, match=r"several\.tif: has no page 3$"):
        reader.read(several, page=3)
    with pytest.raises(PictureError, match=r"none\.png: no such file"):
        reader.read(tmp_path / "none.png")
