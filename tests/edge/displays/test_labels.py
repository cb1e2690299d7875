"""Labels on live pictures: readable on every paper and screen, steady and unsteady apart without color."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digitlens.core.readings import Digit, number
from digitlens.core.tracking import Tracked
from digitlens.displays.labels import draw_labels

Pixels = npt.NDArray[np.uint8]
SCREENS = [(480, 320), (800, 480), (1280, 720), (1920, 1080)]
SIZE = (640, 480)


def tracked(text: str, steady: bool, at: tuple[int, int] = (120, 150), id_: int = 1) -> Tracked:
    """A number with digits 26 x 40 in a picture of 640 x 480."""
    digits = [Digit(int(sign), 0.99, (at[0] + 32 * place, at[1], 26, 40)) for place, sign in enumerate(text)]
    return Tracked(id_, number(tuple(digits)), steady, 9)


def paper(screen: tuple[int, int], level: int) -> Pixels:
    return np.full((screen[1], screen[0], 3), level, np.uint8)


def label(canvas: Pixels, level: int) -> Pixels:
    """The pixels drawn above the number's box, as gray."""
    height = len(canvas)
    gray = np.asarray(cv2.cvtColor(canvas, cv2.COLOR_BGR2GRAY), np.uint8)
    above = gray[: round(146 / 480 * height) - 2 * max(1, round(height / 400)) - 2]
    rows, columns = np.nonzero(above != level)
    found = above[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return found.astype(np.uint8)


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("level", [255, 128, 10])
@pytest.mark.parametrize("steady", [True, False])
def test_labels_are_readable(screen: tuple[int, int], level: int, steady: bool) -> None:
    canvas = paper(screen, level)
    draw_labels(canvas, [tracked("4071", steady)], SIZE)
    seen = label(canvas, level)
    assert len(seen) >= max(12, screen[1] / 34)
    ink = seen > np.median(seen) + 60  # light letters on a dark ground, whatever the paper
    assert 0.05 < ink.mean() < 0.5
    assert np.median(seen) < 100


@pytest.mark.parametrize("screen", SCREENS)
def test_steady_and_unsteady_are_apart_without_color(screen: tuple[int, int]) -> None:
    """A solid line against dots around the number, and the question mark makes the label wider."""
    boxes = []
    widths = []
    for steady in (True, False):
        canvas = paper(screen, 255)
        draw_labels(canvas, [tracked("4071", steady)], SIZE)
        widths.append(label(canvas, 255).shape[1])
        gray = np.asarray(cv2.cvtColor(canvas, cv2.COLOR_BGR2GRAY), np.uint8)
        x, y, down = 120 * screen[0] // 640, 150 * screen[1] // 480, 40 * screen[1] // 480
        edge = gray[y + down // 4 : y + 3 * down // 4, : x + 1] < 250
        boxes.append(edge.any(axis=1).mean() if steady else edge.sum(axis=0).max() / len(edge))
    assert boxes[0] == 1.0
    assert 0 < boxes[1] < 1
    assert widths[1] > widths[0]


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("status", ["30.0 frames/s", "29.8 frames/s   read 18.2 ms   age 41 ms   " * 3])
def test_the_status_line_fits(screen: tuple[int, int], status: str) -> None:
    canvas = paper(screen, 200)
    draw_labels(canvas, [], SIZE, status)
    drawn = (canvas != 200).any(axis=2)
    strip = np.flatnonzero(drawn.any(axis=1))
    assert strip[-1] == screen[1] - 1
    assert len(strip) < 0.15 * screen[1]
    assert drawn[strip].mean() > 0.98
    assert not (canvas[strip, -2:] > 128).any()  # the text ends before the edge


@pytest.mark.parametrize("at", [(0, 0), (560, 0), (0, 440), (560, 440), (250, 2), (-40, 200), (630, 470)])
@pytest.mark.parametrize("steady", [True, False])
def test_labels_at_the_edges_are_complete(at: tuple[int, int], steady: bool) -> None:
    canvas, middle = paper((640, 480), 255), paper((640, 480), 255)
    draw_labels(canvas, [tracked("88", steady, at)], SIZE, "status")
    draw_labels(middle, [tracked("88", steady, (250, 200))], SIZE, "status")
    ground = (40, 120, 0) if steady else (20, 20, 20)
    area, complete = ((picture[:455] == ground).all(axis=2).sum() for picture in (canvas, middle))
    assert area > 0.5 * complete  # of its box, much is beyond the edge


def test_labels_do_not_hide_each_other() -> None:
    """Rows as close as on a sheet: each label's own ground is seen."""
    canvas = paper((1280, 720), 255)
    rows = [tracked("4071", True, (150, 60 + 70 * row), row + 1) for row in range(5)]
    alone = paper((1280, 720), 255)
    draw_labels(alone, rows[2:3], SIZE)
    draw_labels(canvas, rows, SIZE)
    area, complete = ((picture == (40, 120, 0)).all(axis=2).sum() for picture in (canvas, alone))
    assert area > 4.6 * complete


def test_labels_stay_on_their_side() -> None:
    """A neighbor that comes a little nearer and goes again does not make a label jump."""
    sides: dict[int, int] = {}
    seen = set()
    for frame in range(40):
        canvas = paper((1280, 720), 255)
        near = tracked("55", True, (120, 118 - 24 + round(4 * np.sin(frame))), 2)
        draw_labels(canvas, [tracked("4071", True), near], SIZE, "", None, sides)
        seen.add(tuple(sides.items()))
    assert len(seen) == 1
    draw_labels(paper((1280, 720), 255), [], SIZE, "", None, sides)
    assert seen
    draw_labels(paper((1280, 720), 255), [near], SIZE, "", None, sides)
    assert sides.keys() == {2}


def test_a_picture_that_does_not_fill_the_screen() -> None:
    """Boxes stand where the picture stands."""
    canvas = paper((1920, 1080), 0)
    draw_labels(canvas, [tracked("4071", True)], SIZE, "", (240, 0, 1440, 1080))
    columns = np.flatnonzero((canvas == (40, 120, 0)).all(axis=2).any(axis=0))
    assert columns.min() == pytest.approx(240 + 120 * 2.25, abs=12)
