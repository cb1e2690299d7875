"""Documents -> pages: every page of TIFF, GIF, WebP, HEIC, AVIF and PDF, and the one of other pictures."""

from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from digitlens.core.arrays import Pixels
from digitlens.core.errors import DependencyError, PictureError, reason
from digitlens.core.paths import SPECIAL, as_text, is_special
from digitlens.images import stills
from digitlens.images.document_page import DEFAULT, Limits
from digitlens.images.document_page import DocumentPage as DocumentPage
from digitlens.images.pictures import PICTURES

SUFFIXES = PICTURES | {".pdf", ".heic", ".heif", ".hif", ".avif"}
"""Suffixes of files that may be documents."""
EXTRA = "pip install 'digitlens[documents]'"
HEAD = 1024
"""Length at the beginning of a file within which it says that it is a PDF, in bytes."""
HEIF = frozenset([b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"mif2"])
AVIF = frozenset([b"avif", b"avis"])


def pages(
    data: bytes | Path, name: str, *, color: bool = True, limits: Limits = DEFAULT
) -> Generator[DocumentPage, None, None]:
    """Each page of a document, one in memory at a time; a broken one has an error, and the others follow.

    Args:
        data: the file's content, or where it is.
        name: what errors call it.
        color: (H, W, 3) BGR; else (H, W) gray.
        limits: what it may cost.

    Raises:
        PictureError: nothing in it can be read, in one line that names it.
        DependencyError: it is of a kind that needs the extra `documents`.
    """
    head = _head(data, name)
    if b"%PDF-" in head:
        from digitlens.images import pdf

        yield from pdf.pages(data, name, color, limits)
        return
    formats: tuple[str, ...] = stills.FORMATS
    if head[4:8] == b"ftyp":
        brands = {head[place : place + 4] for place in (8, *range(16, 48, 4))}
        formats = ("AVIF",) if brands & AVIF else ("HEIF",) if brands & HEIF else formats
        _register(formats[0], name)
    yield from stills.pages(data, name, color, limits.pages, formats)


def one_page(path: Path, page: int | None = None) -> tuple[Pixels, DocumentPage]:
    """The picture of a document's page, (H, W) gray, and the page; from 1, None for its only one.

    Raises:
        PictureError: it cannot be read, has no such page, or several where None was asked for.
        DependencyError: it is of a kind that needs the extra `documents`.
    """
    name = as_text(path)
    with closing(pages(path, name, color=False)) as found:
        for one in found:
            if one.page == (page or 1):
                if one.image is None:
                    raise PictureError(f"{name}: {one.error}")
                if page is None and next(found, None) is not None:
                    raise PictureError(
                        f"{name}: has several pages: say which, or read them all by documents.pages"
                    )
                return one.image, one
    raise PictureError(f"{name}: has no page {page or 1}")


def _head(data: bytes | Path, name: str) -> bytes:
    if isinstance(data, bytes):
        return data[:HEAD]
    if is_special(data):
        raise PictureError(f"{name}: {SPECIAL}")
    try:
        with data.open("rb") as file:
            return file.read(HEAD)
    except OSError as error:
        raise PictureError(f"{name}: {reason(error)}") from error


def _register(kind: str, name: str) -> None:
    """Make Pillow know HEIC, or see whether it knows AVIF.

    Raises:
        DependencyError: it does not.
    """
    if kind == "HEIF":
        try:
            from pillow_heif import register_heif_opener
        except ImportError as error:
            raise DependencyError(f"{name}: HEIC needs pillow-heif: {EXTRA}") from error
        # One thread, and none of what hangs on a picture: previews, depth, masks.
        register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)
    elif kind == "AVIF":
        from PIL import features

        if not features.check("avif"):
            raise DependencyError(f"{name}: AVIF needs Pillow 11.3 or newer: {EXTRA}")
