"""PDF -> pages, by pdfium."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from digitlens.core.errors import DependencyError, PictureError, first_line
from digitlens.images.document_page import DocumentPage, Limits


def pages(data: bytes | Path, name: str, color: bool, limits: Limits) -> Iterator[DocumentPage]:
    """Each page of a PDF.

    Raises:
        PictureError: it cannot be opened.
        DependencyError: pypdfium2 is missing.
    """
    try:
        import pypdfium2
    except ImportError as error:
        raise DependencyError(f"{name}: PDF needs pypdfium2: pip install 'digitlens[documents]'") from error
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise PictureError(f"{name}: {first_line(error)}") from error
    with document:
        for number in range(1, len(document) + 1):
            if number > limits.pages:
                yield DocumentPage(number, None, f"more than {limits.pages} pages: split it")
                return
            try:
                page = document[number - 1]
                bitmap = page.render(scale=limits.dpi / 72, grayscale=not color)
                pixels = np.asarray(bitmap.to_numpy(), np.uint8)
            except pypdfium2.PdfiumError as error:
                yield DocumentPage(number, None, f"page {number}: {first_line(error)}")
                continue
            image = pixels[..., :3] if color else pixels
            yield DocumentPage(number, np.ascontiguousarray(image), None, (bitmap.width, bitmap.height))
