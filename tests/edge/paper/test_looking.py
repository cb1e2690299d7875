"""Look: the network is asked where a picture shows anything and, of a film, where it has changed."""

import numpy as np
import pytest

from digitlens.config.parameters.paper import PaperParameters
from digitlens.core.arrays import Gray
from digitlens.paper.looking import Look
from digitlens.paper.network import CLASSES, PAPER, STEP, Logits
from tests.edge.ink import network
from tests.edge.pages import put

Digits = tuple[Gray, Gray]


class Counting:
    """The shipped network, and how many pixels it was asked for."""

    def __init__(self) -> None:
        self.pixels = 0

    @property
    def scale(self) -> float:
        return network().scale

    def logits(self, gray: Gray) -> Logits:
        self.pixels += gray.size
        return network().logits(gray)

    def asked(self) -> int:
        """The pixels since the last time."""
        asked, self.pixels = self.pixels, 0
        return asked


def _sheet(
    digits: Digits, text: str = "27", noise: float = 1.0, seed: int = 0, corners: bool = False
) -> Gray:
    """Two numbers, the second of which is `text`, and two in the corners."""
    page = np.full((720, 1280), 225, np.uint8)
    put(page, "3519", digits, 500, 250)
    if text:
        put(page, text, digits, 560, 400)
    if corners:
        put(page, "40", digits, 40, 40)
        put(page, "61", digits, 1100, 600)
    grain = np.random.default_rng(seed).normal(0, noise, page.shape)
    gray: Gray = (page + grain).clip(0, 255).astype(np.uint8)
    return gray


def _same(one: Logits, other: Logits) -> float:
    return float(np.mean(one.argmax(axis=2) == other.argmax(axis=2)))


def test_a_sheets_margins_cost_nothing(digits: Digits) -> None:
    counting = Counting()
    page = _sheet(digits)
    found = Look(counting, PaperParameters()).logits(page)
    assert counting.asked() < 0.4 * page.size
    assert found.shape == (360, 640, CLASSES)
    inked = slice(240 // STEP, 480 // STEP), slice(490 // STEP, 780 // STEP)
    assert _same(found[inked], network().logits(page)[inked]) > 0.97
    assert (found[: 180 // STEP].argmax(axis=2) == PAPER).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (3, 3), (33, 31), (97, 101)])
@pytest.mark.parametrize("film", [False, True])
def test_pictures_of_any_shape(shape: tuple[int, int], film: bool) -> None:
    look = Look(Counting(), PaperParameters(), film)
    random = np.random.default_rng(1)
    for page in (np.full(shape, 200, np.uint8), random.integers(0, 256, shape).astype(np.uint8)) * 2:
        assert look.logits(page).shape == (-(-shape[0] // STEP), -(-shape[1] // STEP), CLASSES)


def test_an_empty_picture_is_not_asked_for() -> None:
    counting = Counting()
    found = Look(counting, PaperParameters()).logits(np.full((480, 640), 200, np.uint8))
    assert counting.asked() == 0
    assert (found.argmax(axis=2) == PAPER).all()


def test_a_film_that_stands_still_is_asked_for_once(digits: Digits) -> None:
    counting = Counting()
    look = Look(counting, PaperParameters(), film=True)
    first = look.logits(_sheet(digits))
    assert counting.asked() > 0
    for seed in range(1, 5):
        np.testing.assert_array_equal(look.logits(_sheet(digits, seed=seed)), first)
    assert counting.asked() == 0


def test_a_change_is_looked_at_and_the_rest_stands(digits: Digits) -> None:
    counting = Counting()
    look = Look(counting, PaperParameters(), film=True)
    look.logits(_sheet(digits, corners=True))
    whole = counting.asked()
    after = _sheet(digits, "84", seed=1, corners=True)
    found = look.logits(after)
    assert 0 < counting.asked() < 0.3 * whole
    assert _same(found, Look(Counting(), PaperParameters()).logits(after)) > 0.995


def test_small_changes_add_up(digits: Digits) -> None:
    """A number that fades in over a hundred frames is seen in the end."""
    look = Look(Counting(), PaperParameters(), film=True)
    before, after = _sheet(digits, "", noise=0), _sheet(digits, noise=0)
    for part in np.linspace(0, 1, 101):
        found = look.logits((before * (1 - part) + after * part).round().astype(np.uint8))
    assert _same(found, Look(Counting(), PaperParameters()).logits(after)) > 0.99


def test_another_sheet_is_looked_at_whole(digits: Digits) -> None:
    look = Look(Counting(), PaperParameters(), film=True)
    look.logits(_sheet(digits))
    other = np.ascontiguousarray(_sheet(digits, "84", corners=True)[::-1]) // np.uint8(2)
    np.testing.assert_array_equal(look.logits(other), Look(Counting(), PaperParameters()).logits(other))
    small = other[:400, :500]
    np.testing.assert_array_equal(look.logits(small), Look(Counting(), PaperParameters()).logits(small))


def test_a_film_is_remembered_at_every_scale_that_it_is_read_at(digits: Digits) -> None:
    counting = Counting()
    look = Look(counting, PaperParameters(), film=True)
    page = _sheet(digits)
    scales = [page, np.ascontiguousarray(page[::2, ::2])]
    first = [look.logits(one) for one in scales]
    assert counting.asked() > 0
    for one, found in zip(scales, first, strict=True):
        np.testing.assert_array_equal(look.logits(one), found)
    assert counting.asked() == 0
    for side in (200, 204, 208, 212):  # other sizes take the place of the oldest
        look.logits(np.ascontiguousarray(page[200 : 200 + side, 480:800]))
    counting.asked()
    look.logits(page)
    assert counting.asked() > 0
