"""Regions and their rules: what is published, and which value stays in force."""

from typing import Literal

import pytest

from digitlens.config.settings import RegionSettings
from digitlens.core.errors import SettingsError
from digitlens.core.tracking import Event
from digitlens.outlets.entries import Draft
from digitlens.outlets.regions import HOUR, Regions

SIZE = (1000, 500)
INSIDE, OUTSIDE = (450, 200, 100, 50), (10, 10, 50, 20)


def event(
    text: str,
    id_: int = 1,
    time: float = 1e9,
    kind: Literal["appeared", "changed", "gone"] = "changed",
    box: tuple[int, int, int, int] = INSIDE,
) -> Event:
    return Event(kind, id_, time, text, 0.9, box)


def regions(**rules: object) -> Regions:
    return Regions({"water": RegionSettings(corners=(0.4, 0.3, 0.6, 0.7), **rules)})  # type: ignore[arg-type]


def only(drafts: list[Draft]) -> tuple[str, str, float | None, str]:
    (draft,) = drafts
    return draft.region, draft.text, draft.value, draft.reason


def test_a_number_outside_has_no_region_and_no_value() -> None:
    assert only(regions().apply(event("12", box=OUTSIDE), SIZE)) == ("", "12", None, "")


def test_decimal_places_are_put_in() -> None:
    assert only(regions(decimals=1).apply(event("1234"), SIZE)) == ("water", "1234", 123.4, "")
    assert only(regions(decimals=1).apply(event("123.4"), SIZE)) == ("water", "123.4", 123.4, "")
    assert only(regions().apply(event("123,4"), SIZE)) == ("water", "123,4", 123.4, "")
    assert only(regions().apply(event("007"), SIZE)) == ("water", "007", 7.0, "")


@pytest.mark.parametrize(
    ("rules", "text", "reason"),
    [
        ({"digits": 5}, "1234", "digits: 4, not 5"),
        ({"smallest": 100.0}, "99", "smallest: 99 is below 100"),
        ({"largest": 500.0}, "501", "largest: 501 is above 500"),
        ({"decimals": 2}, "12.345", "decimals: not 2"),
        ({}, "1.2.3", "decimals: not 0"),
        ({}, "1234567890123456", "digits: 16, more than 15"),
        ({}, "9" * 400, "digits: 400, more than 15"),
    ],
)
def test_a_broken_rule_is_reported_and_leaves_the_last_good_value(
    rules: dict[str, object], text: str, reason: str
) -> None:
    one = regions(**rules)
    one.restore({"water": (321.0, 1e9)})
    assert only(one.apply(event(text), SIZE)) == ("water", text, 321.0, reason)
    assert one.values == {"water": 321.0}


def test_before_the_first_good_value_there_is_none() -> None:
    assert only(regions(digits=5).apply(event("1"), SIZE)) == ("water", "1", None, "digits: 1, not 5")


def test_all_broken_rules_are_reported() -> None:
    assert only(regions(digits=3, largest=10.0).apply(event("1234"), SIZE))[3] == (
        "digits: 4, not 3; largest: 1234 is above 10"
    )


def test_rising_takes_equal_and_more() -> None:
    one = regions(rising=True)
    values = [only(one.apply(event(text), SIZE))[2:] for text in ("100", "100", "99", "101")]
    assert values == [(100.0, ""), (100.0, ""), (100.0, "rising: 99 is below 100"), (101.0, "")]


def test_the_change_within_any_hour_is_limited() -> None:
    one = regions(change_per_hour=10.0)

    def at(minutes: float, text: str) -> str:
        return only(one.apply(event(text, time=1e9 + minutes * 60), SIZE))[3]

    assert at(0, "100") == ""
    assert at(1, "106") == ""  # at once: within the hour it is no more than 10
    assert at(20, "110") == ""
    # Ten in each step, but twenty in the hour.
    assert at(40, "116") == "change_per_hour: from 100 to 116 within 1 h, at most 10 an hour"
    assert at(70, "116") == ""  # 100 is more than an hour ago: 106 counts, and 110
    assert at(70 + 180, "146") == ""  # three hours, thirty
    assert at(70 + 360, "100")  # down is a change, too
    assert at(70 + 360, "117") == ""


def test_a_clock_that_goes_back_blocks_the_rule_for_no_longer_than_an_hour() -> None:
    one = regions(change_per_hour=10.0)
    assert only(one.apply(event("100", time=2e9), SIZE))[3] == ""  # the clock was wrong then
    assert only(one.apply(event("115", time=1e9), SIZE))[3]
    assert only(one.apply(event("115", time=1e9 + 2 * HOUR), SIZE))[2:] == (115.0, "")


def test_of_several_numbers_none_is_taken_until_one_is_alone() -> None:
    one = regions()
    assert only(one.apply(event("500", 1), SIZE))[2:] == (500.0, "")
    assert only(one.apply(event("7", 2, kind="appeared"), SIZE))[2:] == (
        500.0,
        "numbers: 2 stand in the region",
    )
    assert only(one.apply(event("501", 1), SIZE))[2:] == (500.0, "numbers: 2 stand in the region")
    gone, left = one.apply(event("7", 2, time=2e9, kind="gone"), SIZE)
    assert (gone.kind, gone.text, gone.value) == ("gone", "7", 500.0)
    assert (left.kind, left.number, left.text, left.value, left.reason) == ("changed", 1, "501", 501.0, "")
    assert left.time == 2e9


def test_with_digits_a_stray_stroke_blocks_no_number() -> None:
    one = regions(digits=3)
    assert only(one.apply(event("7", 2), SIZE))[2:] == (None, "digits: 1, not 3")
    assert only(one.apply(event("500", 1), SIZE))[2:] == (500.0, "")


def test_a_rival_that_gets_another_digit_or_moves_away_is_none_any_more() -> None:
    one = regions(digits=3)
    one.apply(event("500", 1), SIZE)
    assert only(one.apply(event("777", 2), SIZE))[3] == "numbers: 2 stand in the region"
    assert only(one.apply(event("501", 1), SIZE))[3] == "numbers: 2 stand in the region"
    longer, left = one.apply(event("7777", 2), SIZE)
    assert longer.reason == "digits: 4, not 3"
    assert (left.text, left.value) == ("501", 501.0)
    one.apply(event("777", 2), SIZE)
    away, left = one.apply(event("777", 2, box=OUTSIDE), SIZE)
    assert (away.region, left.text, left.value) == ("", "501", 501.0)


def test_gone_leaves_the_value_in_force() -> None:
    one = regions()
    one.apply(event("12"), SIZE)
    assert only(one.apply(event("12", kind="gone", box=OUTSIDE), SIZE)) == ("water", "12", 12.0, "")
    assert one.values == {"water": 12.0}


def test_the_smallest_region_has_it() -> None:
    one = Regions(
        {"all": RegionSettings(corners=(0, 0, 1, 1)), "part": RegionSettings(corners=(0.4, 0.3, 0.6, 0.7))}
    )
    assert only(one.apply(event("1"), SIZE))[0] == "part"
    assert only(one.apply(event("1", 2, box=OUTSIDE), SIZE))[0] == "all"


def test_a_name_that_is_no_topic_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"region\.a/b: a region's name"):
        Regions({"a/b": RegionSettings(corners=(0, 0, 1, 1))})
