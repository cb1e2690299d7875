"""PDFs that the tests write by hand."""

import zlib
from collections.abc import Sequence

import cv2
import numpy as np

from tests.edge.pages import Gray

A4 = (595, 842)
"""Points."""


def pdf(contents: Sequence[bytes], objects: Sequence[bytes] = (), trailer: bytes = b"") -> bytes:
    """A PDF with a page for each content stream; `objects` are numbered from 3, /I of the first page is 3."""
    count = len(contents)
    first = 3 + len(objects)
    pages = [first + 2 * place for place in range(count)]
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (count, b" ".join(b"%d 0 R" % page for page in pages)),
        *objects,
    ]
    for place, content in enumerate(contents):
        image = b"/XObject<</I %d 0 R>>" % (3 + min(place, len(objects) - 1)) if objects else b""
        bodies.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Contents %d 0 R/Resources<<%s>>>>"
            % (*A4, pages[place] + 1, image)
        )
        bodies.append(b"<</Length %d>>stream\n%s\nendstream" % (len(content), content))
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(bodies, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer<</Root 1 0 R/Size %d%s>>\nstartxref\n%d\n%%%%EOF" % (len(bodies) + 1, trailer, start)
    return bytes(out)


SCAN = b"q %d 0 0 %d 0 0 cm /I Do Q" % A4
"""A picture over the page."""


def picture(pixels: Gray, size: tuple[int, int] | None = None) -> bytes:
    """A gray picture as an object; `size` is what it says of itself."""
    height, width = pixels.shape
    data = zlib.compress(pixels.tobytes())
    return (
        b"<</Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceGray"
        b"/Filter/FlateDecode/Length %d>>stream\n%s\nendstream"
        % (*(size or (width, height)), len(data), data)
    )


def outlines(page: Gray) -> bytes:
    """The ink of a page as filled outlines: a content stream of vector digits, one point a pixel."""
    large = cv2.resize(page, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    contours, _ = cv2.findContours((large < 130).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    parts: list[str] = []
    for contour in contours:
        points = [(50 + x / 4, 700 - y / 4) for x, y in contour[:, 0].tolist()]
        parts.append(
            " ".join(f"{x} {y} {'l' if place else 'm'}" for place, (x, y) in enumerate(points)) + " h"
        )
    return f"0.15 g {' '.join(parts)} f*".encode()
