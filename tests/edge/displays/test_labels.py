"""Labels on live pictures: readable on every paper and screen, steady and unsteady apart without color."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digitlens.core.boxes import intersections
from digitlens.core.readings import Digit, Number, Reading, number
from digitlens.core.tracking import Tracked
from digitlens.displays.labels import draw_labels
from digitlens.images import labels, overlay
from digitlens.images.label_layout import frame, thickness
from digitlens.images.labels import Planner
from tests.edge.pages import put

Pixels = npt.NDArray[np.uint8]
Gray = npt.NDArray[np.uint8]
SCREENS = [(480, 320), (800, 480), (1280, 720), (1920, 1080)]
SIZE = (640, 480)


def tracked(
    text: str, steady: bool, at: tuple[int, int] = (120, 150), id_: int = 1, confidence: float = 0.99
) -> Tracked:
    """A number with digits 26 x 40 in a picture of 640 x 480."""
    digits = [
        Digit(int(sign), confidence, (at[0] + 32 * place, at[1], 26, 40)) for place, sign in enumerate(text)
    ]
    return Tracked(id_, number(tuple(digits)), steady, 9)


def paper(screen: tuple[int, int], level: int) -> Pixels:
    return np.full((screen[1], screen[0], 3), level, np.uint8)


def label(canvas: Pixels, numbers: list[Tracked]) -> Pixels:
    """The pixels of the only number's label, as gray."""
    plan = Planner().plan((canvas.shape[1], len(canvas)), numbers, SIZE)
    (found,) = plan.labels.values()
    x, y, width, height = found.box
    gray = np.asarray(cv2.cvtColor(canvas, cv2.COLOR_BGR2GRAY), np.uint8)
    return gray[y : y + height, x : x + width]


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("level", [255, 128, 10])
@pytest.mark.parametrize("confidence", [0.99, 0.8])
@pytest.mark.parametrize("steady", [True, False])
def test_labels_are_readable(screen: tuple[int, int], level: int, steady: bool, confidence: float) -> None:
    canvas = paper(screen, level)
    numbers = [tracked("4071", steady, confidence=confidence)]
    draw_labels(canvas, numbers, SIZE)
    seen = label(canvas, numbers)
    assert len(seen) >= max(12, screen[1] / 40)
    ink = seen > np.median(seen) + 60  # light letters on a dark ground, whatever the paper
    assert 0.05 < ink.mean() < 0.5
    assert np.median(seen) < 100


@pytest.mark.parametrize("screen", SCREENS)
def test_doubt_shows_without_color(screen: tuple[int, int]) -> None:
    """A solid line, dashes or dots around the number; a question mark, and the value of the doubt."""
    numbers = {
        "sure": tracked("4071", True),
        "doubtful": tracked("4071", True, confidence=0.8),
        "unsteady": tracked("4071", False),
    }
    drawn, texts = {}, {}
    for look, one in numbers.items():
        canvas = paper(screen, 255)
        plan = Planner().plan(screen, [one], SIZE)
        labels.draw(canvas, plan)
        texts[look] = plan.texts[1]
        x, y, _, height = frame(plan.marks[1].box, thickness(*screen))
        left = np.asarray(cv2.cvtColor(canvas, cv2.COLOR_BGR2GRAY), np.uint8)[y : y + height, x] < 250
        drawn[look] = float(left.mean())
    assert texts == {
        "sure": ("4071", ()),
        "doubtful": ("4071? 40 %", (0, 1, 2, 3)),
        "unsteady": ("4071 ?", ()),
    }
    assert drawn["sure"] == 1.0
    assert 0.3 < drawn["doubtful"] < 0.9
    assert 0 < drawn["unsteady"] < 1


def test_the_doubtful_digit_is_marked() -> None:
    one = tracked("407", True)
    digits = list(one.number.digits)
    digits[1] = Digit(0, 0.6, digits[1].box)
    one = Tracked(1, number(tuple(digits)), True, 9)
    plan = Planner().plan(SIZE, [one], SIZE)
    assert plan.texts[1] == ("407? 58 %", (1,))
    assert plan.marks[1].doubts == (digits[1].box,)
    canvas = paper(SIZE, 255)
    labels.draw(canvas, plan)
    y = 150 + 40 + 2 * thickness(*SIZE) + 2  # below the frame
    columns = np.flatnonzero((canvas[y : y + 3] == labels.DOUBTFUL).all(axis=2).any(axis=0))
    assert 152 - 6 < columns[-1] - 26 < 152 + 6


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
    plan = Planner().plan((640, 455), [tracked("88", steady, at)], SIZE, place=(0, 0, *SIZE))
    x, y, width, height = plan.labels[1].box
    assert 0 <= x <= x + width <= 640
    assert 0 <= y <= y + height <= 455


def test_labels_do_not_hide_each_other() -> None:
    """Rows as close as on a sheet, and the numbers below are free."""
    rows = [tracked("4071", True, (150, 60 + 70 * row), row + 1) for row in range(5)]
    plan = Planner().plan((1280, 720), rows, SIZE)
    boxes = np.array([one.box for one in plan.labels.values()], np.float64)
    shared = intersections(boxes, boxes)
    np.fill_diagonal(shared, 0)
    assert not shared.any()
    assert not intersections(boxes, np.array([one.box for one in plan.marks.values()], np.float64)).any()


def test_labels_stay_in_their_places() -> None:
    """A neighbor that comes a little nearer and goes again does not make a label jump; labels move along."""
    planner = Planner()
    seen = set()
    for step in range(40):
        near = tracked("55", True, (120, 90 + round(4 * np.sin(step))), 2)
        plan = planner.plan((1280, 720), [tracked("4071", True), near], SIZE)
        x, y, _, _ = plan.labels[2].box
        seen.add((x - plan.marks[2].box[0], y - plan.marks[2].box[1], plan.labels[1].box))
    assert len(seen) == 1
    assert planner.plan((1280, 720), [], SIZE).labels == {}


def test_a_far_label_has_a_leader() -> None:
    """A number amid ink, in which no label has room."""
    page = np.full((480, 640), 255, np.uint8)
    page[100:260:3, 60:400] = 0
    page[100:260, 60:400:3] = 0
    one = tracked("4071", True)
    label = Planner().plan(SIZE, [one], SIZE, page).labels[1]
    assert label.leader is not None
    x, y, width, height = label.box
    assert not 60 < x + width / 2 < 400 or not 100 < y + height / 2 < 260


def test_the_legend_stands_where_nothing_is() -> None:
    """Only where there is doubt, and only where there is room."""
    page = np.full((480, 640), 255, np.uint8)
    doubtful, sure = (tracked("4071", True, confidence=confidence) for confidence in (0.8, 0.99))
    drawn = [overlay.draw_tracked(page, [one], SIZE)[300:] for one in (doubtful, sure)]
    assert (drawn[0] != 255).any()
    assert (drawn[1] == 255).all()
    full = page.copy()
    full[::2] = 0
    drawn = [overlay.draw_tracked(full, [doubtful], SIZE), overlay.draw_tracked(full, [sure], SIZE)]
    assert (drawn[0][300:] == drawn[1][300:]).all()


@pytest.mark.parametrize(("rows", "columns", "most"), [(6, 3, 0.01), (10, 5, 0.05)])
@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_covered_ink(digits: tuple[Gray, Gray], rows: int, columns: int, most: float, scale: float) -> None:
    """Pages of 18 and 50 numbers, also of twelve megapixels: the part of the ink under frames and labels."""
    page, numbers = written(digits, rows, columns, scale)
    reading = Reading("", 0.0, (page.shape[1], page.shape[0]), tuple(numbers), {})
    drawn = overlay.draw(page, reading)
    ink = page < 128
    hidden = (drawn != page[..., np.newaxis]).any(axis=2) & ink
    assert hidden.sum() <= most * ink.sum()


def written(digits: tuple[Gray, Gray], rows: int, columns: int, scale: float) -> tuple[Gray, list[Number]]:
    """A page of numbers in rows and columns, every seventh of them in doubt."""
    random = np.random.default_rng((rows, columns))
    size = round(34 * scale)
    leading, step = 2 * size, round(1280 * scale / columns)
    page = np.full((rows * leading + 3 * size, columns * step + size), 235, np.uint8)
    numbers = []
    for place in range(rows * columns):
        text = "".join(str(value) for value in random.integers(0, 10, int(random.integers(2, 5))))
        left, top = place % columns * step + size, place // columns * leading + size
        x, y, wide, high = put(page, text, digits, left, top, size)
        share, sure = wide / len(text), 0.99 if place % 7 else 0.7
        found = [
            Digit(int(sign), sure, (round(x + share * count), y, round(share), high))
            for count, sign in enumerate(text)
        ]
        numbers.append(number(tuple(found)))
    return page, numbers


def test_a_picture_that_does_not_fill_the_screen() -> None:
    """Boxes stand where the picture stands."""
    canvas = paper((1920, 1080), 0)
    draw_labels(canvas, [tracked("4071", True)], SIZE, "", (240, 0, 1440, 1080))
    columns = np.flatnonzero((canvas == (40, 120, 0)).all(axis=2).any(axis=0))
    assert columns.min() == pytest.approx(240 + 120 * 2.25, abs=12)
