"""The process that draws a PDF's pages: requests on stdin, pages on stdout. pdf.py starts it and talks to it.

It runs by itself and imports nothing of digitlens, so that it starts fast. A PDF may crash it, or take more
than it may have: then it ends, and the one that asked starts another.
"""

import json
import math
import resource
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

import pypdfium2
from pypdfium2 import raw

COVERED = 0.85
"""Part of a page that its pictures cover if it is a scan."""
SMALL = 0.05
"""Part of a page below which a picture's resolution does not count: a stamp, a logo."""
MOST_OBJECTS = 5000
"""Objects of a page that are looked at to find out whether it is a scan."""
LEAST_DPI = 36


class Refused(Exception):  # noqa: N818
    """A document or page that is not drawn, and why, in one line."""


def main(source: BinaryIO, out: BinaryIO) -> None:
    """Answer requests until stdin ends.

    A request is a line of JSON: {"path"}, or {"length"} with so many bytes behind it, to open; or {"page"},
    from 0. An answer is one, too: {"pages"}, {"error"}, or {"width", "height", "stride", "size"} and pixels.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    document: Any = None
    settings: dict[str, Any] = {}
    while line := source.readline():
        request = json.loads(line)
        pixels: Any = b""
        try:
            if "page" in request:
                signal.setitimer(signal.ITIMER_PROF, settings["seconds"])  # SIGPROF ends the process
                answer, pixels = draw(document, request["page"], settings)
                signal.setitimer(signal.ITIMER_PROF, 0)
            else:
                if document is not None:
                    document.close()
                settings = request
                content = None if "path" in request else source.read(request["length"])
                limit(settings["memory"])
                signal.setitimer(signal.ITIMER_PROF, settings["seconds"])
                document = opened(content if content is not None else Path(request["path"]))
                signal.setitimer(signal.ITIMER_PROF, 0)
                answer = {"pages": len(document)}
        except Refused as refused:
            answer = {"error": str(refused)}
        except pypdfium2.PdfiumError as error:
            answer = {"error": str(error).splitlines()[0]}
        except (OSError, ValueError, MemoryError) as error:
            answer = {"error": (str(error).splitlines() or [type(error).__name__])[0]}
        signal.setitimer(signal.ITIMER_PROF, 0)
        out.write(json.dumps(answer).encode() + b"\n")
        out.write(pixels)
        out.flush()


def limit(memory: int) -> None:
    """Let this process have so much more memory than it has now, in bytes."""
    fields = Path("/proc/self/status").read_text()
    data = next(int(line.split()[1]) for line in fields.splitlines() if line.startswith("VmData"))
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (data * 1024 + memory, hard))


def opened(content: bytes | Path) -> Any:
    """The document, with the fields of its forms."""
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == raw.FPDF_ERR_PASSWORD:
            raise Refused("it has a password: save it without one") from error
        raise Refused("not a PDF that can be opened") from error
    if document.get_formtype() in (raw.FORMTYPE_ACRO_FORM, raw.FORMTYPE_XFA_FOREGROUND):
        document.init_forms()
    return document


def draw(document: Any, number: int, settings: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """A page -> its width and height at its own resolution, and its pixels, which may be fewer."""
    page = document[number]
    try:
        width, height = page.get_size()
        if not (width > 0 and height > 0):
            raise Refused("it has no size")
        size = own_size(page, width, height, settings)
        step = max(size) // settings["enough"]
        reduce = size[0] * size[1] > settings["large"] and step >= 2
        drawn = max(1, size[0] // step if reduce else size[0])
        scale = (drawn - 0.5) / width  # pypdfium2 rounds up
        bitmap = page.render(scale=scale, grayscale=not settings["color"], limit_image_cache=True)
        answer = {"width": bitmap.width, "height": bitmap.height, "stride": bitmap.stride, "size": size}
        return answer, memoryview(bitmap.buffer).cast("B")
    finally:
        page.close()


def own_size(page: Any, width: float, height: float, settings: dict[str, Any]) -> tuple[int, int]:
    """A scan's own width and height in pixels, or those of a page of `width` by `height` points as wanted.

    Raises:
        Refused: the page, or a picture on it, has too many pixels.
    """
    best, covered, only = 0.0, 0.0, True
    for count, one in enumerate(page.get_objects(max_depth=4)):
        if count >= MOST_OBJECTS:
            only = False
            break
        if one.type != raw.FPDF_PAGEOBJ_IMAGE:
            only &= is_unseen(one)
            continue
        across, down = one.get_px_size()
        if across * down > settings["pixels"]:
            raise Refused(too_large(f"a picture of {across} x {down} pixels on it", settings))
        matrix = one.get_matrix()
        wide, high = math.hypot(matrix.a, matrix.b), math.hypot(matrix.c, matrix.d)
        share = wide * high / (width * height)
        covered += share
        if share >= SMALL:
            best = max(best, across / wide, down / high)
    dots = settings["dpi"] / 72
    if covered >= COVERED and best >= LEAST_DPI / 72:
        dots = best if only else max(best, dots)
        if width * height * dots * dots > settings["pixels"] * 1.01:
            raise Refused(too_large("it", settings))
    dots = min(dots, math.sqrt(settings["pixels"] / (width * height)))
    return max(1, round(width * dots)), max(1, round(height * dots))


def is_unseen(one: Any) -> bool:
    """Whether it is text that is there to be found and copied, behind a scan, or a group of objects."""
    if one.type == raw.FPDF_PAGEOBJ_TEXT:
        return bool(raw.FPDFTextObj_GetTextRenderMode(one) == raw.FPDF_TEXTRENDERMODE_INVISIBLE)
    return bool(one.type == raw.FPDF_PAGEOBJ_FORM)


def too_large(what: str, settings: dict[str, Any]) -> str:
    """The reason why it is refused."""
    most = settings["pixels"] // 1_000_000
    return f"{what} is too large; at most {most} million pixels are read: scale it down"


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
