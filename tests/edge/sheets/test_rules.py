"""The decision on fields: what it says of what people write."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from digitlens.config.parameters.sheets import RuleParameters
from digitlens.core.arrays import Doubles
from digitlens.sheets.decisions import EMPTY, OTHER, FieldDecision
from digitlens.sheets.fields import Template
from digitlens.sheets.rules import ALL, decide
from digitlens.sheets.template import load


def cells(text: str, sure: float = 0.99, **others: dict[str, float]) -> Doubles:
    """Cells that look like a text, a sign each; `c0` and so on say of a cell what it looks like instead."""
    signs = "0123456789 ?"
    found = np.full((len(text), 12), (1 - sure) / 11)
    for place, sign in enumerate(text):
        found[place, signs.index(sign)] = sure
    for name, looks in others.items():
        found[int(name[1:])] = 1e-6
        for sign, probability in looks.items():
            found[int(name[1:]), signs.index(sign)] = probability
    return found


FORM = """
title = "Form"

[[field]]
name = "number"
kind = "digits"
cells = 6
check = "luhn"

[[field]]
name = "member"
kind = "digits"
list = "members.csv:number"

[[field]]
name = "age"
kind = "integer"
smallest = 18
largest = 99
required = true

[[field]]
name = "height"
kind = "decimal"
cells = 3
decimals = 2

[[field]]
name = "born"
kind = "date"

[[field]]
name = "start"
kind = "time"

[[field]]
name = "end"
kind = "time"

[[field]]
name = "fit"
kind = "tick"

[[field]]
name = "team"
kind = "choice"
choices = ["red", "green", "blue"]

[[table]]
name = "rounds"
rows = 3

[[table.column]]
name = "points"
kind = "integer"
cells = 2
required = true

[[table.column]]
name = "fouls"
kind = "integer"
cells = 1

[[field]]
name = "total"
kind = "integer"
cells = 3

[rules]
total = "sum(rounds.points)"
order = "end >= start"
"""


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Template:
    folder = tmp_path_factory.mktemp("form")
    (folder / "members.csv").write_text("name;number\nA;40171\nB;40289\nC;51630\n")
    (folder / "form.toml").write_text(FORM)
    return load(folder / "form.toml")


def decided(form: Template, **fields: Doubles | list[tuple[str, float]]) -> dict[str, FieldDecision]:
    return decide({name.replace("__", "."): value for name, value in fields.items()}, form)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("number", "182352", "182352"), ("number", "082354", "082354"), ("member", "40171", "40171"),
        ("age", "42", 42), ("height", "178", 1.78), ("height", " 95", 0.95), ("height", "2  ", 2.0),
        ("born", "31012001", "2001-01-31"), ("born", " 3 12001", "2001-01-03"),
        ("born", "3 1 2001", "2001-01-03"),
        ("start", "0830", "08:30"), ("start", " 830", "08:30"), ("total", "12 ", 12), ("total", " 12", 12),
        ("total", "012", 12),
    ],
)  # fmt: skip
def test_what_is_written_well_is_sure(form: Template, name: str, text: str, value: object) -> None:
    found = decided(form, **{name: cells(text, 0.9999)})[name]
    assert (found.value, found.state, found.reason) == (value, "sure", "")
    assert found.confidence > 0.99


@pytest.mark.parametrize(
    ("name", "text", "raw", "problem"),
    [
        ("number", "182353", "182353", "its check digit (luhn) is wrong"),
        ("number", "18235 ", "18235", "has 5 of 6 digits"),
        ("number", "18 352", "18_352", "has an empty cell between digits"),
        ("member", "77777", "77777", "is not in members.csv:number"),
        ("age", "12", "12", "is less than 18"),
        ("born", "31022001", "31.02.2001", "is not a date"),
        ("start", "2561", "25:61", "is not a time"),
    ],
)
def test_what_breaks_something_known_is_not_mended(
    form: Template, name: str, text: str, raw: str, problem: str
) -> None:
    found = decided(form, **{name: cells(text, 0.99999)})[name]
    assert (found.raw, found.state, found.reason) == (raw, "rule", f"{raw} {problem}")


@pytest.mark.parametrize("name", ["number", "member", "age", "height", "born", "start", "total"])
def test_nothing_written_is_empty_and_unreadable_ink_is_not(form: Template, name: str) -> None:
    count = form.fields[name].cells
    empty = decided(form, **{name: cells(" " * count, 0.9999)})[name]
    assert (empty.value, empty.state, empty.raw) == (None, "empty", "")
    struck = decided(form, **{name: cells("1" * (count - 1) + "?", 0.9999)})[name]
    assert (struck.value, struck.state, struck.raw[-1]) == (None, "unreadable", "?")


def test_only_required_fields_say_so(form: Template) -> None:
    found = decided(
        form, age=cells("  ", 0.9999), total=cells("   ", 0.9999), rounds__1__points=cells("  ", 0.9999),
        rounds__1__fouls=cells("2", 0.9999), rounds__2__points=cells("  ", 0.9999),
        rounds__2__fouls=cells(" ", 0.9999),
    )  # fmt: skip
    reasons = {name: one.reason for name, one in found.items() if one.state == "empty"}
    assert reasons == {
        "age": "is required", "total": "", "rounds.1.points": "is required", "rounds.2.points": "",
        "rounds.2.fouls": "",
    }  # fmt: skip


def test_what_is_known_of_a_field_decides_between_two_readings(form: Template) -> None:
    found = decided(
        form, number=cells("182352", c5={"7": 0.6, "2": 0.4}), age=cells("42", c0={"1": 0.7, "4": 0.3})
    )
    assert (found["number"].value, found["number"].raw) == ("182352", "182357")
    assert found["number"].reason.startswith("182352, for 182357 its check digit (luhn) is wrong")
    assert (found["age"].value, found["age"].raw) == (42, "12")


def test_a_list_finds_the_member(form: Template) -> None:
    found = decided(form, member=cells("40?71", 0.999, c2={"7": 0.6, "1": 0.35, "?": 0.05}))["member"]
    assert (found.value, found.raw) == ("40171", "40771")


def test_a_sum_decides_between_two_readings(form: Template) -> None:
    looks = {
        "rounds__1__points": cells("12", 0.999),
        "rounds__2__points": cells(" 7", 0.999, c1={"1": 0.6, "7": 0.4}),
        "rounds__3__points": cells("  ", 0.999), "total": cells(" 19", 0.999),
    }  # fmt: skip
    found = decided(form, **looks)
    one = found["rounds.2.points"]
    assert (one.value, one.raw, found["total"].state) == (7, "1", "sure")
    assert "7, not 1, by total = sum(rounds.points)" in one.reason
    without = decide(
        {name.replace("__", "."): value for name, value in looks.items()}, form, use=ALL - {"sum"}
    )
    assert without["rounds.2.points"].value == 1


def test_a_wrong_sum_is_named_and_left_as_it_is(form: Template) -> None:
    found = decided(
        form, rounds__1__points=cells("12", 0.99999), rounds__2__points=cells(" 7", 0.99999),
        rounds__3__points=cells("  ", 0.99999), total=cells(" 29", 0.99999), start=cells("0830", 0.99999),
        end=cells("0815", 0.99999), fit=np.array([[0.001, 0.998, 0.001]]),
    )  # fmt: skip
    assert {name: (one.value, one.state) for name, one in found.items()} == {
        "start": ("08:30", "rule"), "end": ("08:15", "rule"), "fit": (True, "sure"),
        "rounds.1.points": (12, "rule"), "rounds.2.points": (7, "rule"), "rounds.3.points": (None, "rule"),
        "total": (29, "rule"),
    }  # fmt: skip
    assert found["total"].reason == "total = sum(rounds.points) does not hold: 29 and 19"
    assert found["end"].reason == "end >= start does not hold"


def test_a_rule_never_fills_in_what_cannot_be_read(form: Template) -> None:
    found = decided(
        form, rounds__1__points=cells("12", 0.9999), rounds__2__points=cells(" ?", 0.9999),
        rounds__3__points=cells("  ", 0.9999), total=cells(" 19", 0.9999),
    )  # fmt: skip
    assert (found["rounds.2.points"].value, found["rounds.2.points"].state) == (None, "unreadable")
    assert found["total"].state == "sure"


def test_what_fits_speaks_against_ink_that_is_no_digit(form: Template) -> None:
    odd = {f"c{place}": {sign: 0.96, "?": 0.04} for place, sign in enumerate("182352")}
    checked = decided(form, number=cells("182352", 0.99, **odd))["number"]
    plain = decided(form, height=cells("178", 0.99, c0=odd["c0"]))["height"]
    assert 1 - 0.96**6 > 0.2  # what the cells alone say
    assert (checked.value, checked.confidence > 0.96) == ("182352", True)
    assert plain.confidence < 0.965
    empty = decided(form, number=cells("      ", 0.999, c0={" ": 0.1, "?": 0.9}))["number"]
    assert (empty.value, empty.state) == (None, "unreadable")  # no check digit was written that could fit


def test_a_sum_that_holds_speaks_against_ink_that_is_no_digit(form: Template) -> None:
    found = decided(
        form, rounds__1__points=cells("12", 0.999, c1={"2": 0.95, "?": 0.05}),
        rounds__2__points=cells(" 7", 0.999), rounds__3__points=cells("30", 0.999), total=cells(" 49", 0.999),
    )  # fmt: skip
    assert found["rounds.1.points"].confidence > 0.99
    assert found["rounds.1.points"].state == "sure"


def test_ink_beside_a_struck_digit_is_doubt(form: Template) -> None:
    found = decided(form, age=cells("42", 0.999, c1={"2": 0.6, "?": 0.4}))["age"]
    assert (found.value, found.state) == (42, "doubt")
    assert found.reason == "may be ink that is no digit (35%)"  # 81 in 100 digits keep to its range


@pytest.mark.parametrize(
    ("marks", "value", "state", "raw"),
    [
        ((0, 1, 0), "green", "sure", "green"), ((0, 0, 0), None, "empty", ""),
        ((1, 1, 0), None, "rule", "red + green"), ((0, 2, 0), None, "unreadable", "?"),
    ],
)  # fmt: skip
def test_of_a_choice_one_is_marked(
    form: Template, marks: tuple[int, ...], value: str | None, state: str, raw: str
) -> None:
    looks = np.full((3, 3), 0.0005)
    for place, mark in enumerate(marks):
        looks[place, mark] = 0.999
    found = decided(form, team=looks)["team"]
    assert (found.value, found.state, found.raw) == (value, state, raw)


def test_readings_do_as_well_as_cells(form: Template) -> None:
    found = decided(
        form, height=[("1.78", 0.995), ("1.73", 0.004)], age=[("42", 0.6), ("47", 0.4)], fit=[("", 0.999)],
        team=[("blue", 0.999)], total=[("1234", 0.999)], born=[("31.01.2001", 0.4)], number=[("", 0.9999)],
    )  # fmt: skip
    assert {name: (one.value, one.state) for name, one in found.items()} == {
        "height": (1.78, "sure"), "age": (42, "doubt"), "fit": (False, "sure"), "team": ("blue", "sure"),
        "total": (None, "rule"), "born": ("2001-01-31", "doubt"), "number": (None, "empty"),
    }  # fmt: skip
    assert found["total"].reason == "1234 has 4 digits in 3 cells"


def test_every_kind_of_what_is_known_can_be_left_out(form: Template) -> None:
    looks: Mapping[str, Doubles] = {
        "count": cells("18 352", 0.99999), "check": cells("182353", 0.99999), "range": cells("12", 0.99999),
        "list": cells("77777", 0.99999),
    }  # fmt: skip
    names = {"count": "number", "check": "number", "range": "age", "list": "member"}
    for kind, look in looks.items():
        assert decide({names[kind]: look}, form)[names[kind]].state == "rule"
        use = frozenset(one for one in ALL if one != kind and (kind, one) != ("count", "check"))
        assert decide({names[kind]: look}, form, use=use)[names[kind]].state == "sure"


def test_random_looks_never_fail_and_never_contradict(form: Template) -> None:
    random = np.random.default_rng(2)
    parameters = replace(RuleParameters(), most_states=100, most_readings=200)
    for _ in range(6):
        looks = {
            name: random.dirichlet(
                np.full(3 if field.is_marked else 12, random.choice([0.03, 0.3])), field.cells
            )
            for name, field in form.fields.items()
        }
        found = decide(looks, form, parameters)
        assert list(found) == list(form.fields)
        for name, one in found.items():
            assert 0 <= one.confidence <= 1 + 1e-9
            assert 0 <= one.posterior <= 1 + 1e-9
            assert (one.value is None) >= (one.state in ("empty", "unreadable")), name
            assert one.reason or one.state in ("sure", "empty"), name
            if one.state == "sure":
                assert one.confidence >= parameters.sure
        points = [found[f"rounds.{row}.points"] for row in (1, 2, 3)]
        if all(one.state in ("sure", "doubt", "empty") for one in (*points, found["total"])):
            values = [one.value for one in points if one.value is not None]
            assert not values or found["total"].value in (None, sum(int(one) for one in values))


def test_wrong_numbers_of_cells_and_unknown_fields_are_refused(form: Template) -> None:
    with pytest.raises(ValueError, match="age"):
        decide({"age": cells("123")}, form)
    with pytest.raises(ValueError, match="has no field nobody"):
        decide({"nobody": cells("123")}, form)
    with pytest.raises(ValueError, match="finite"):
        decide({"age": np.full((2, 12), np.nan)}, form)


def test_constants_are_columns_of_a_cells_probabilities() -> None:
    assert cells(" ").argmax() == EMPTY
    assert cells("?").argmax() == OTHER


def test_the_shipped_form_is_decided_on_in_time_for_a_camera(root: Path) -> None:
    """All fields of the largest shipped form at once: no field is left out."""
    template = load(root / "examples" / "sheets" / "inventory_count.toml")
    looks = {
        name: np.array([[0.999, 0.0005, 0.0005]]) if field.is_marked else cells(" " * field.cells, 0.9999)
        for name, field in template.fields.items()
    }
    found = decide(looks, template)
    assert {one.state for name, one in found.items() if not template.fields[name].is_marked} == {"empty"}
