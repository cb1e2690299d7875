"""Patches of generated paper: seeded, of the right shapes, their classes where the picture shows ink."""

import cv2
import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra train")

from digitlens_train.paper import geometry, patches
from digitlens_train.paper.camera import photograph, take
from digitlens_train.paper.canvas import Canvas
from digitlens_train.paper.classes import IGNORED, Kind
from digitlens_train.paper.material import Material

CLASSES = {*(int(kind) for kind in Kind), IGNORED}
SIDE = 128


@pytest.fixture(scope="module")
def material() -> Material:
    return Material.load(None)


@pytest.fixture
def cross() -> Canvas:
    """A thick digit's stroke, a hairline from edge to edge, and half a hairline."""
    canvas = Canvas(170, 170)
    canvas.polyline(Kind.DIGIT, np.array([[60.0, 40.0], [60.0, 120.0]]), 8, 0.9)
    for y, pen in ((85.0, 1.0), (140.5, 0.5)):
        canvas.polyline(Kind.LINE, np.array([[-5.0, y], [175.0, y]]), pen, 0.8)
    return canvas


def test_patches_have_their_shapes_and_classes(material: Material) -> None:
    shown = set()
    for seed in range(24):
        gray, classes = patches.patch(np.random.default_rng(seed), material, SIDE)
        assert gray.shape == (SIDE, SIDE)
        assert classes.shape == (SIDE // 2, SIDE // 2)
        assert gray.dtype == classes.dtype == np.uint8
        assert gray.flags.c_contiguous
        assert set(np.unique(classes).tolist()) <= CLASSES
        shown |= set(np.unique(classes).tolist())
    assert {Kind.PAPER, Kind.DIGIT, Kind.LINE} <= shown


def test_patches_are_seeded(material: Material) -> None:
    first, again, other = (patches.patch(np.random.default_rng(s), material, SIDE) for s in (3, 3, 4))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert np.any(first[0] != other[0])


def test_what_is_ignored_lies_around_one_small_picture(material: Material) -> None:
    ignored = 0
    for seed in range(40):
        _, classes = patches.patch(np.random.default_rng(seed), material, SIDE)
        learnt = (classes != IGNORED).astype(np.uint8)
        x, y, width, height = cv2.boundingRect(learnt)
        assert learnt[y : y + height, x : x + width].all()
        ignored += int(not learnt.all())
    assert 1 <= ignored <= 15


def test_several_patches_of_one_canvas_differ(material: Material) -> None:
    first, second = patches.several(np.random.default_rng(5), material, 2, SIDE)
    assert np.any(first[0] != second[0])


def test_digits_are_where_the_page_is_dark(material: Material) -> None:
    """On mild pages ink is darker than the paper around it, and the numbers' boxes hold digits."""
    for seed in range(4):
        random = np.random.default_rng(seed)
        gray, classes, numbers = patches.page(random, material, "free_rows", (400, 300), 24)
        assert gray.shape == (400, 300)
        assert classes.shape == (200, 150)
        half = cv2.resize(gray, (150, 200), interpolation=cv2.INTER_AREA).astype(float)
        paper = cv2.blur(cv2.dilate(gray, np.ones((31, 31))), (31, 31))[::2, ::2].astype(float)
        digit = classes == Kind.DIGIT
        assert (paper - half)[digit].mean() > 3 * np.abs(paper - half)[classes == Kind.PAPER].mean()
        assert numbers
        for number in numbers:
            x, y, width, height = (round(value / 2) for value in number.box)
            assert digit[max(y, 0) : y + height + 1, max(x, 0) : x + width + 1].any()


def test_numbers_of_pages_before_a_camera_are_in_the_picture(material: Material) -> None:
    """Those beyond its border or beyond the sheet's edge count no more."""
    seen, written = 0, 0
    for seed in range(12):
        random = np.random.default_rng(seed)
        _, _, numbers = patches.page(random, material, "columns", (400, 300), 24, neat=True, mild=False)
        _, _, others = patches.page(
            np.random.default_rng(seed), material, "columns", (400, 300), 24, neat=True
        )
        seen, written = seen + len(numbers), written + len(others)
        for number in numbers:
            x, y, width, height = number.box
            assert -0.1 * width < x < x + width < 300 + 0.1 * width
            assert -0.1 * height < y < y + height < 400 + 0.1 * height
    assert 0.3 * written < seen < written


@pytest.mark.parametrize("seed", range(6))
def test_truth_lies_on_the_ink_within_a_pixel(cross: Canvas, seed: int) -> None:
    """The stroke in the picture and the stroke in the class map have one middle, row by row."""
    photo = take(cross, np.random.default_rng(seed), (SIDE, SIDE), geometry.PATCH, mild=True)
    digit = cv2.resize(
        (photo.classes == Kind.DIGIT).astype(np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_NEAREST
    )
    dark = 255.0 - photo.gray
    apart = []
    for truth, ink in zip(digit, dark, strict=True):
        places = np.flatnonzero(truth)
        if len(places) < 6 or places[0] < 8 or places[-1] > SIDE - 9:
            continue
        near = slice(places[0] - 4, places[-1] + 5)
        weights = np.maximum(ink[near] - ink[near].min() - 40, 0)
        apart.append(np.arange(SIDE)[near] @ weights / weights.sum() - places.mean())
    assert len(apart) > 20
    assert abs(np.mean(apart)) < 1


@pytest.mark.parametrize("seed", range(6))
def test_hairlines_stay_in_the_class_map(cross: Canvas, seed: int) -> None:
    _, classes = photograph(cross, np.random.default_rng(seed), (SIDE, SIDE))
    view = take(cross, np.random.default_rng(seed), (SIDE, SIDE)).view
    for y in (85.0, 140.5):
        points = view.in_picture(np.stack([np.arange(5.0, 165.0), np.full(160, y)], -1)) / 2
        inside = ((points > 2) & (points < SIDE / 2 - 3)).all(1)
        places = points[inside].astype(int)
        shown = cv2.dilate(np.isin(classes, (Kind.LINE, Kind.DIGIT)).astype(np.uint8), np.ones((3, 3)))
        shown = shown[places[:, 1], places[:, 0]]
        if view.sheet is None and len(shown):
            assert shown.mean() > 0.9


def test_a_view_knows_the_way_back() -> None:
    for seed in range(20):
        view = geometry.View.draw(np.random.default_rng(seed), (300, 300), (200, 200), geometry.PATCH)
        points = np.random.default_rng(seed).uniform(20, 180, (30, 2))
        np.testing.assert_allclose(view.in_picture(view.on_canvas(points)), points, atol=0.05)
