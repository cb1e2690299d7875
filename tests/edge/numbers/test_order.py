"""The reading order of tables that are turned, curved, or seen from the side."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from digitlens.core.readings import Box
from digitlens.numbers.order import reading_order
from digitlens.reader import Reader

TABLES = 50
"""Tables of each kind."""
LEAST = 0.98
"""Share of them that must be in order."""


def table(random: np.random.Generator, curved: bool) -> list[list[Box]]:
    """The digits' boxes of a table's numbers in reading order: up to 15 degrees turned, or curved."""
    rows, columns = (int(count) for count in random.integers((3, 2), (11, 8)))
    height = random.uniform(20, 50)
    leading, step = height * random.uniform(1.5, 3), height * random.uniform(3, 6)
    size = np.array([columns * step, rows * leading])
    turn = np.deg2rad(random.uniform(-4, 4) if curved else random.uniform(-15, 15))
    bend = random.uniform(0.02, 0.06) * size[0] if curved else 0.0
    phase, waves, lean = random.uniform(0, np.pi), random.uniform(0.25, 0.6), random.uniform(-0.15, 0.15)
    cosine, sine = np.cos(turn), np.sin(turn)
    numbers = []
    for place in range(rows * columns):
        if random.random() < 0.12:
            continue  # an empty cell
        left = place % columns * step + random.uniform(0, 0.5) * height
        top = place // columns * leading + random.normal(0, 0.08) * height
        boxes = []
        for digit in range(int(random.integers(1, 4 if step < 4 * height else 5))):
            tall = height * random.normal(1, 0.1)
            wide = tall * (0.25 if random.random() < 0.15 else 0.65)
            x = left + 0.7 * height * digit + wide / 2
            y = top + random.normal(0, 0.07) * height
            y += bend * np.sin(2 * np.pi * waves * x / size[0] + phase)
            u, v = np.array([x, y]) - size / 2
            v *= 1 + lean * u / size[0]
            x, y = u * cosine - v * sine + 1000, u * sine + v * cosine + 1000
            boxes.append((round(x - wide / 2), round(y - tall / 2), round(wide), round(tall)))
        numbers.append(boxes)
    return numbers


@pytest.mark.parametrize("curved", [False, True])
def test_tables(curved: bool) -> None:
    right = 0
    for seed in range(TABLES):
        random = np.random.default_rng((seed, curved))
        numbers = table(random, curved)
        shuffled = random.permutation(len(numbers)).tolist()
        found = reading_order([numbers[place] for place in shuffled])
        right += [shuffled[place] for place in found] == list(range(len(numbers)))
    assert right >= LEAST * TABLES


def test_few_numbers() -> None:
    one, other, below = [(10, 10, 20, 30)], [(200, 25, 20, 30)], [(60, 90, 20, 30)]
    assert reading_order([]) == []
    assert reading_order([one]) == [0]
    assert reading_order([below, other, one]) == [2, 1, 0]
    assert reading_order([one, one, other]) in ([0, 1, 2], [1, 0, 2])  # two in one place: any order


def test_a_turned_photo_of_a_table_keeps_its_order(reader: Reader, shared: Callable[[str], Path]) -> None:
    picture = cv2.imread(str(shared("photos/nehal_mldigit.jpg")))
    assert picture is not None
    height, width = picture.shape[:2]
    view = cv2.getRotationMatrix2D((width / 2, height / 2), -10, 1)
    turned = cv2.warpAffine(picture, view, (width, height), borderMode=cv2.BORDER_REPLICATE)
    upright = reader.read(picture.astype(np.uint8)).numbers
    assert [number.text for number in upright[:5]] == ["43", "53", "24", "58", "69"]
    boxes = np.array([number.box for number in upright])
    centers = (boxes[:, :2] + boxes[:, 2:] / 2) @ view[:, :2].T + view[:, 2]
    places = []
    for number in reader.read(turned.astype(np.uint8)).numbers:
        x, y, wide, tall = number.box
        distances = np.hypot(*(centers - (x + wide / 2, y + tall / 2)).T)
        if distances.min() < tall / 2:
            places.append(int(distances.argmin()))
    assert len(places) > 20
    assert places == sorted(places)
