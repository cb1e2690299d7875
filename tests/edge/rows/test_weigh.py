"""A row in doubt: the ways to read it, its slices, and what both networks say of them."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digitlens import Classifier, Reader
from digitlens.core.readings import Digit, Number, number
from digitlens.paper.ink import find_ink
from digitlens.rows import ctc, decision, reading, rescoring
from digitlens.rows.recognizer import BLANK, CLASSES, HEIGHT, RowOutput, RowRecognizer, slanted, to_strip
from digitlens.rows.slices import Slices, upright
from digitlens.rows.view import RowView
from tests.edge.pages import touch, write

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Digits = tuple[Gray, Gray]


def _strip(text: str, digits: Digits) -> Gray:
    page = write(text, digits)
    return to_strip(find_ink(page).contrast, 0, len(page), 0, page.shape[1])


def _columns(*columns: dict[int, float]) -> Floats:
    """What a network says of columns that are blank but for these classes, with a silent one between."""
    told = np.zeros((2 * len(columns), CLASSES), np.float32)
    told[:, BLANK] = 1
    for row, said in zip(told[::2], columns, strict=True):
        for label, p in said.items():
            row[label] = p
        row[BLANK] = 1 - sum(said.values())
    return told


def _numbers_of(signs: list[ctc.Sign]) -> list[Number]:
    own = [sign for sign in signs if sign.label < 10]
    return [number(tuple(Digit(s.label, s.confidence, (20 * at, 0, 16, 24)) for at, s in enumerate(own)))]


def _whole(first: Floats, looks: list[Floats], slices: Slices | None = None) -> rescoring.RowReading:
    heard = RowOutput(ctc.search(first, BLANK), first, look=lambda: looks)
    ask = None if slices is None else lambda: slices
    return rescoring.RowReading(_numbers_of(heard.signs), heard, heard.signs, ask, _numbers_of)


DOUBT = _columns({7: 0.99}, {3: 0.55, 8: 0.4}, {4: 0.99})


def test_without_doubt_nothing_more_is_asked() -> None:
    def look() -> list[Floats]:
        raise AssertionError("looked at again")

    columns = _columns({7: 0.99}, {3: 0.97, 8: 0.02}, {4: 0.99})
    heard = RowOutput(ctc.search(columns, BLANK), columns, look=look)
    found, scores = rescoring.rescore([], rescoring.RowReading(_numbers_of(heard.signs), heard, heard.signs))
    assert found[int(scores.argmax())].text == "734"


@pytest.mark.parametrize(("again", "text"), [(0.9, "784"), (0.2, "734")])
def test_further_looks_are_heard(again: float, text: str) -> None:
    other = _columns({7: 0.99}, {3: 1 - again, 8: again - 0.01}, {4: 0.99})
    found, scores = rescoring.rescore([], _whole(DOUBT, [other, other]))
    assert found[int(scores.argmax())].text == text
    assert {"734", "784"} <= {way.text for way in found}


def test_what_only_a_further_look_sees_is_weighed_too() -> None:
    other = _columns({7: 0.99}, {9: 0.98}, {4: 0.99})
    assert "794" in {way.text for way in rescoring.rescore([], _whole(DOUBT, [other]))[0]}


@pytest.mark.parametrize("seen", [3, 8])
def test_the_network_of_single_digits_is_asked_about_slices(seen: int, digits: Digits) -> None:
    def ask(pictures: Gray) -> Floats:
        assert pictures.shape[1:] == (28, 28)
        likely = np.full((len(pictures), 10), 0.01, np.float32)
        likely[:, [7, 4, seen]] = 0.9
        return likely

    whole = _whole(DOUBT, [DOUBT], Slices(_strip("734", digits), ask))
    found, scores = rescoring.rescore([], whole)
    assert found[int(scores.argmax())].text == f"7{seen}4"


def test_what_was_cut_has_a_lead(digits: Digits) -> None:
    cut = _numbers_of(
        [sign._replace(label=label) for sign, label in zip(ctc.search(DOUBT, BLANK), (7, 8, 4), strict=True)]
    )
    whole = _whole(DOUBT, [DOUBT])
    assert [found.text for found in decision.choose(cut, whole, {}, near=True)] == ["784"]
    sure = _columns({7: 0.99}, {3: 0.98, 8: 0.01}, {4: 0.99})
    assert [found.text for found in decision.choose(cut, _whole(sure, [sure]), {}, near=True)] == ["734"]


def test_a_digit_is_believed_as_far_as_all_ways_have_it() -> None:
    found, scores = rescoring.rescore([], _whole(DOUBT, [DOUBT]))
    best = int(scores.argmax())
    first, second, third = (sign.confidence for sign in rescoring.posterior(best, found, scores))
    assert first == pytest.approx(third, abs=0.02)
    assert first > 0.95
    assert 0.5 < second < 0.7  # 0.55 of 0.95 that are any digit


def test_of_scribbles_what_fits_nowhere_is_not_taken(digits: Digits) -> None:
    def none(pictures: Gray) -> Floats:
        return np.full((len(pictures), 10), 1e-4, np.float32)

    doubt = _columns({7: 0.97}, {3: 0.55, 8: 0.4}, {4: 0.97})
    again = _columns({7: 0.3}, {3: 0.3, 8: 0.2}, {4: 0.3})  # another look sees little of it
    taken = decision.choose([], _whole(doubt, [again]), {}, alone=True, near=True)
    assert [found.text for found in taken] == ["734"]
    unseen = _whole(doubt, [again], Slices(_strip("734", digits), none))
    assert decision.choose([], unseen, {}, alone=True, near=True) == []


@pytest.mark.parametrize("text", ["40716", "2358", "90"])
def test_slices_are_single_digits(text: str, digits: Digits) -> None:
    strip = _strip(text, digits)
    signs = [sign for sign in RowRecognizer.load().read(strip).signs if sign.label < 10]
    assert "".join(str(sign.label) for sign in signs) == text
    asked: list[int] = []
    classifier = Classifier.load()

    def ask(pictures: Gray) -> Floats:
        asked.append(len(pictures))
        return classifier.probabilities(pictures)

    slices = Slices(strip, ask)
    places = [2 * sign.column + 1 for sign in signs]
    (likely,) = slices.likely([places])
    assert "".join(map(str, likely.argmax(axis=1))) == text
    again, none = slices.likely([places, []])
    assert asked == [len(text)]  # of what is known it is not asked again
    np.testing.assert_array_equal(likely, again)
    assert none.shape == (0, 10)


def test_slices_beyond_the_edges_of_a_strip() -> None:
    """A picture without a pixel would bring OpenCV down."""
    likely = Slices(
        np.zeros((HEIGHT, 30), np.uint8), lambda pictures: np.ones((len(pictures), 10), np.float32)
    )
    (one,) = likely.likely([[-90.0, -50.0, 0.0, 0.5, 29.5, 40.0, 90.0]])
    assert one.shape == (7, 10)


@pytest.mark.parametrize("slant", [-0.4, 0.4])
def test_writing_is_made_upright(slant: float, digits: Digits) -> None:
    strip = _strip("1111", digits)
    straight, back = upright(strip), upright(slanted(strip, slant))

    def columns(picture: Gray) -> int:
        return int(np.count_nonzero(picture.max(axis=0) > 100))

    assert columns(back) < columns(slanted(strip, slant)) - 4
    assert columns(back) == pytest.approx(columns(straight), abs=6)


@pytest.mark.parametrize("slope", [0.0, 0.1])
def test_a_view_leads_into_the_strip_and_back(slope: float) -> None:
    mask = np.zeros((200, 400), np.uint8)
    box = 180, 90 + round(slope * -10), 20, 40
    cv2.rectangle(mask, box[:2], (box[0] + box[2] - 1, box[1] + box[3] - 1), (255,), -1)
    view = RowView(60, 340, 80, 140, slope, 200)
    across = view.across(box)
    assert view.strip(mask)[HEIGHT // 2, round(across)] > 200
    found = view.box(across / 2 - 4, across / 2 + 4, mask)
    assert found[0] == pytest.approx(box[0], abs=2)
    assert found[2] == pytest.approx(box[2], abs=3)
    assert found[3] == pytest.approx(box[3], abs=2)


def test_an_unmoving_row_is_not_weighed_twice(digits: Digits) -> None:
    asked: list[int] = []

    def ask(pictures: Gray) -> Floats:
        asked.append(len(pictures))
        return np.full((len(pictures), 10), 0.1, np.float32)

    whole = _whole(DOUBT, [DOUBT])
    for _ in range(2):
        again = replace(whole, slices=lambda: Slices(_strip("734", digits), ask))
        rescoring.rescore([], again)
    assert len(asked) == 1
    rescoring.rescore(_numbers_of(ctc.search(DOUBT, BLANK)), again)  # what was cut is another question
    assert len(asked) == 2


def test_only_where_the_writing_is_near_there_is_time_to_weigh(
    digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    near: list[bool] = []

    def choose(*arguments: Any) -> list[Number]:
        near.append(arguments[-1])
        return decision.choose(*arguments)

    monkeypatch.setattr(reading, "choose", choose)
    close = touch("4071", digits, 3)
    reader = Reader()
    reader.read(close)
    far = cv2.copyMakeBorder(close, 200, 200, 0, 0, cv2.BORDER_CONSTANT, value=(220,))
    reader.read(np.asarray(far, np.uint8))
    assert near == [True, False]
