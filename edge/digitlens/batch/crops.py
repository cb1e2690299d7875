"""Crops of rows, from their sources again: for a person to look at."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import cv2
import numpy as np

from digitlens.batch.item import Item
from digitlens.core.arrays import Pixels
from digitlens.core.readings import Box, scaled
from digitlens.images.documents import pages

MARGIN = 0.35
"""Paper that is shown around a box, in its heights."""
LARGEST = 480
"""Longer side of a crop, in pixels."""


class Place(NamedTuple):
    """Where a row was read; its box is in pixels of the page, None for a page as it is."""

    id: str
    source: str
    page: int
    box: Box | None


def crops(places: Iterable[Place], suffix: str = ".png") -> Iterator[tuple[Place, bytes]]:
    """Each place with its crop as a PNG or JPEG; those whose source is gone or broken are left out.

    A document is opened once; the crops come in no order.
    """
    documents: dict[tuple[str, str], list[Place]] = defaultdict(list)
    for place in places:
        documents[place.id, place.source].append(place)
    for (name, source), wanted in documents.items():
        last = max(place.page for place in wanted)
        try:
            for page in pages(Item(name, source).document(), source):
                for place in wanted:
                    if place.page == page.page and page.image is not None:
                        yield place, _coded(page.image, place.box, page.size, suffix)
                if page.page >= last:
                    break
        except Exception:  # noqa: S112  # it was read before; now it is gone, or broken
            continue


def _coded(image: Pixels, box: Box | None, size: tuple[int, int], suffix: str) -> bytes:
    """The crop of a box in pixels of a page of this size (width, height)."""
    high, wide = image.shape[:2]
    if box is not None:
        x, y, width, height = scaled(box, size, (wide, high)) if all(size) else box
        margin = round(MARGIN * height) + 2
        image = image[max(0, y - margin) : y + height + margin, max(0, x - margin) : x + width + margin]
    longer = max(image.shape[:2])
    if longer > LARGEST:
        image = cv2.resize(
            image, None, fx=LARGEST / longer, fy=LARGEST / longer, interpolation=cv2.INTER_AREA
        ).astype(np.uint8)
    ok, content = cv2.imencode(suffix, image)
    if not ok:
        raise ValueError("the crop is empty")
    return content.tobytes()
