"""One page of a document, as a reader takes it."""

from dataclasses import dataclass

from digitlens.core.arrays import Pixels


@dataclass(frozen=True)
class DocumentPage:
    """A page, or why there is none.

    Args:
        page: its number, from 1.
        image: (H, W, 3) BGR or (H, W) gray uint8, upright and on white; None if it is broken.
        error: why, in one line that does not name the document; None if it is not broken.
        size: the page's own width and height, in pixels; `image` may be smaller.
        several: the document has more pages than one.
    """

    page: int
    image: Pixels | None
    error: str | None = None
    size: tuple[int, int] = (0, 0)
    several: bool = False


@dataclass(frozen=True)
class Limits:
    """What a document may cost.

    Args:
        pages: the most that are read of one document; one more is an error.
        dpi: resolution at which a PDF's page is drawn that is not a single scan, in dots an inch.
        seconds: CPU time that a PDF's page may take.
        memory: that the process which draws a PDF's pages may take beside its libraries, in bytes.
    """

    pages: int = 20_000
    dpi: int = 200
    seconds: float = 30.0
    memory: int = 200_000_000


DEFAULT = Limits()
