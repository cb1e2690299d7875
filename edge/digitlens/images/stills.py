"""Picture files by Pillow: decoded as a viewer shows them, page by page, and written."""

import io
import stat
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from digitlens.core.arrays import Pixels
from digitlens.core.errors import PictureError, reason
from digitlens.images.document_page import DocumentPage
from digitlens.images.still_limits import MOST_PIXELS, Directory, check_size, directories

# Named, because Pillow starts other programs for some formats. The frequent ones come first: for the last
# two it imports all its plugins.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "PPM", "WEBP", "TIFF")
PAGED = ("TIFF", "GIF", "WEBP", "HEIF", "AVIF")
"""Formats whose files may have more than one page."""
ENOUGH = 1280
"""Longer side that is enough: a JPEG of at least twice this is decoded at half or less; in pixels."""
LARGE = 6_000_000
"""Size above which other formats are reduced once decoded, before they are copied; in pixels."""
REDUCIBLE = ("JPEG", "MPO")
"""Formats that can be decoded at half their size or less."""

MARK = b"written by digitlens"
"""Text in the pictures that we write, by which they are known again."""
MARK_WITHIN = 1024
"""Length at the beginning of a file that holds it, in bytes."""


def decoded(path: Path, color: bool) -> tuple[Pixels, tuple[int, int]]:
    """The first page (H, W) gray or (H, W, 3) BGR, and the file's own width and height.

    Raises:
        PictureError: it cannot be read.
    """
    label = f"{path}: "
    with _opened(path, label) as image, _one_line(label):
        return _frame(image, color)


def pages(
    file: Path | bytes, name: str, color: bool, most: int, formats: tuple[str, ...] = FORMATS
) -> Iterator[DocumentPage]:
    """Each page of a picture file, one in memory at a time.

    Raises:
        PictureError: it is not a picture.
    """
    with _opened(file, f"{name}: ", formats) as image:
        several = image.format in PAGED and _is_animated(image)
        if not several:
            page = _page(image, color, 1, "")
        else:
            yield from _several(image, file, color, most)
    if not several:
        yield page


def _is_animated(image: Image.Image) -> bool:
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # a GIF's second frame is broken: it will be a page with that error
        return True


def _several(image: Image.Image, file: Path | bytes, color: bool, most: int) -> Iterator[DocumentPage]:
    """The pages of a file that has more than one."""
    frame = number = 0
    with _bytes(file) as again:
        follow = directories(again)
        while True:
            label = f"page {number + 1}: "
            try:
                with _one_line(label, may_end=True):
                    directory = next(follow, Directory(False, True))
                    if directory.long:
                        raise Image.DecompressionBombError
                    if image.tell() != frame:
                        image.seek(frame)
            except EOFError:
                return
            except PictureError as error:  # nothing behind it can be found
                yield DocumentPage(number + 1, None, str(error), several=True)
                return
            frame += 1
            if not directory.page and (number or frame > 1):
                continue
            number += 1
            if number > most:
                yield DocumentPage(number, None, f"{label}more than {most} pages: split it", several=True)
                return
            page = _page(image, color, number, label)
            if image.format == "TIFF":
                image.im = None  # type: ignore[assignment]  # its memory, while the page is read
            yield page
            if page.error is not None and image.format in ("GIF", "WEBP"):
                return  # a frame there is a change of the one before


def _page(image: Image.Image, color: bool, number: int, label: str) -> DocumentPage:
    try:
        with _one_line(label):
            pixels, size = _frame(image, color)
    except PictureError as error:
        return DocumentPage(number, None, str(error), several=label != "")
    return DocumentPage(number, pixels, None, size, label != "")


def _bytes(file: Path | bytes) -> BinaryIO:
    return io.BytesIO(file) if isinstance(file, bytes) else file.open("rb")


@contextmanager
def _opened(file: Path | bytes, label: str, formats: tuple[str, ...] = FORMATS) -> Iterator[Image.Image]:
    """A picture file, not yet decoded; errors of opening it are PictureErrors behind `label`."""
    with ExitStack() as stack:
        with _one_line(label):
            with _bytes(file) as start:
                first = next(directories(start), None)
            if first is not None and first.long:
                raise Image.DecompressionBombError
            # Given a path, Pillow 12 maps the rows of an uncompressed TIFF that lies on its side wrongly.
            by_path = isinstance(file, Path) and first is None
            source = file if by_path else stack.enter_context(_bytes(file))
            image = stack.enter_context(Image.open(source, formats=formats))
        yield image


@contextmanager
def _one_line(label: str, may_end: bool = False) -> Iterator[None]:
    """Any error of Pillow as a PictureError in one line behind `label`; EOFErrors stay if it `may_end`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about size, which is checked, and odd metadata
            yield
    except Image.DecompressionBombError as error:
        raise PictureError(
            f"{label}too large; at most {MOST_PIXELS // 1_000_000} million pixels are read, and fewer of a "
            "kind that takes much memory: scale it down"
        ) from error
    except UnidentifiedImageError as error:
        raise PictureError(f"{label}not a picture ({', '.join(FORMATS)})") from error
    except Exception as error:  # Pillow's decoders raise many kinds of errors on broken files
        if may_end and isinstance(error, EOFError):
            raise
        raise PictureError(f"{label}{reason(error)}") from error


def _frame(image: Image.Image, color: bool) -> tuple[Pixels, tuple[int, int]]:
    """The current page (H, W) gray or (H, W, 3) BGR, and its own width and height."""
    mode = "RGB" if color else "L"
    if image.format not in REDUCIBLE:  # looking for a PNG's orientation decodes it
        check_size(image, image.size)
    # By 90 degrees; newer Pillows give a TIFF's size as it is shown.
    turned = image.getexif().get(0x0112, 1) >= 5 and not hasattr(image, "_tile_size")
    size = (image.height, image.width) if turned else image.size
    if image.format in REDUCIBLE:
        shrink = min(1.0, ENOUGH / max(image.size))
        image.draft(mode, (max(1, int(image.width * shrink)), max(1, int(image.height * shrink))))
    check_size(image, size)
    return _pixels(_upright(_reduced(image)), mode), size


def _upright(image: Image.Image) -> Image.Image:
    """The picture as it is shown; itself where it is stored so, for ImageOps would copy it."""
    image.load()  # a TIFF is turned by this, and then says so
    return image if image.getexif().get(0x0112, 1) == 1 else ImageOps.exif_transpose(image)


def _reduced(image: Image.Image) -> Image.Image:
    """A large picture at half its size or less, as a JPEG is decoded; others unchanged."""
    step = max(image.size) // ENOUGH
    if image.width * image.height <= LARGE or step < 2:
        return image
    image.load()  # a TIFF is turned by this, and then says so
    orientation = image.getexif().get(0x0112, 1)
    if image.mode.startswith("I;16"):
        size = max(1, image.width // step), max(1, image.height // step)
        small = Image.fromarray(cv2.resize(np.asarray(image), size, interpolation=cv2.INTER_AREA))
    elif image.mode in ("1", "P"):
        opaque = not image.has_transparency_data
        small = image.convert(("L" if image.mode == "1" else "RGB") if opaque else "RGBA").reduce(step)
    else:
        small = image.reduce(step)
    small.getexif()[0x0112] = orientation
    return small


def _pixels(image: Image.Image, mode: str) -> Pixels:
    """Any of Pillow's modes -> gray, or BGR for mode RGB."""
    if image.mode.startswith(("I", "F")):  # 16 bits, which convert() would clip; or floating point
        values = np.asarray(image).astype(np.float32)
        top = max(float(np.max(values)), 1.0) if image.mode == "F" else 65535.0
        image = Image.fromarray((values.clip(0, top) * (255 / top)).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    pixels = np.asarray(image if image.mode == mode else image.convert(mode))
    return pixels if mode == "L" else np.ascontiguousarray(pixels[..., ::-1])


def save(path: Path, pixels: Pixels) -> None:
    """Write (H, W) gray or (H, W, 3) BGR by the suffix of `path`; of what is there, only our own is replaced.

    Raises:
        PictureError: it cannot be written, or something else is there.
    """
    image = Image.fromarray(pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., ::-1]))
    mark = PngImagePlugin.PngInfo()
    mark.add_text("Software", MARK.decode())
    try:
        if _is_ours(path):
            path.unlink()
        with path.open("x+b") as file:  # follows no symlink
            try:
                image.save(file, pnginfo=mark, comment=MARK)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
    except FileExistsError as error:
        raise PictureError(
            f"{path}: is there already, and not ours; move it, or name another folder"
        ) from error
    except (OSError, ValueError) as error:
        raise PictureError(f"{path}: cannot be written: {reason(error)}") from error


def _is_ours(path: Path) -> bool:
    """Whether it is a picture that `save` has written, under its own name alone."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            return False
        with path.open("rb") as file:
            return MARK in file.read(MARK_WITHIN)
    except OSError:
        return False
