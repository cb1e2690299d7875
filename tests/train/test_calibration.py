"""The network calibration: which numbers count as right, a tiny fit, and its card."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="needs the extra train")
pytest.importorskip("sklearn", reason="needs the extra train")

from digitlens.core.readings import Digit, Number, number
from digitlens.models import cards
from digitlens.numbers.calibration import FEATURES, Calibration
from digitlens_train import calibration
from digitlens_train.page_scores import ScoresConfig
from digitlens_train.paper.canvas import Truth

pytestmark = pytest.mark.slow

PAGES = ScoresConfig(rows=(260, 400), columns=(300, 500), hidden=(3,), epochs=3)


def _number(text: str, x: int = 0, y: int = 0) -> Number:
    return number(tuple(Digit(int(sign), 0.9, (x + 20 * k, y, 18, 30)) for k, sign in enumerate(text)))


@pytest.mark.parametrize(
    ("read", "written", "right"),
    [
        (["1500"], "1500", [True]),
        (["500"], "1500", [False]),
        (["12", "34"], "1234", [True, True]),
        (["12", "4"], "1234", [False, False]),
        (["12", "99", "34"], "1234", [True, False, True]),
        (["7"], "", [False]),
        ([], "12", []),
    ],
)
def test_numbers_of_a_row(read: list[str], written: str, right: list[bool]) -> None:
    assert calibration.of_row([_number(text) for text in read], written) == right


def test_numbers_of_a_page_count_once() -> None:
    written = [Truth("12", (0, 0, 40, 30)), Truth("7", (200, 0, 20, 30))]
    read = [_number("12"), _number("12", 1), _number("1", 200), _number("5", 400)]
    assert calibration.of_page(read, written) == [True, False, False, False]


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_boxes_turn_with_their_page(turns: int) -> None:
    page = np.zeros((50, 90), np.uint8)
    page[10:15, 20:50] = 1
    turned = np.rot90(page, turns)
    (found,) = calibration._turned([Truth("1", (20, 10, 30, 5))], 90, 50, turns)
    x, y, width, height = (int(side) for side in found.box)
    assert turned[y : y + height, x : x + width].all()
    assert turned.sum() == width * height


def test_the_error_of_a_calibration() -> None:
    right = np.array([True, True, True, False])
    assert calibration.error(np.full(4, 0.75), right) == pytest.approx(0)
    assert calibration.error(np.full(4, 0.95), right) == pytest.approx(0.2)


def test_a_run(tmp_path: Path, mnist: Path) -> None:
    config = calibration.CalibrationConfig(pages=8, held_out_pages=3, strips=0.5, fit=PAGES)
    calibration.run(config, tmp_path, mnist, None, processes=1)
    card, _ = cards.load(tmp_path / "calibration.npz")
    assert card.input.shape == (-1, len(FEATURES))
    assert "calibration" in card.make_again[0]
    Calibration.load(0.2, tmp_path / "calibration.npz")
