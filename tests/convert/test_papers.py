"""How readers are scored on other people's paper."""

import json
from pathlib import Path

import cv2
import pytest

from digitlens_convert import papers
from digitlens_convert.__main__ import main
from digitlens_convert.pages import LabelsError
from digitlens_convert.papers import Page, Said, Score, Truth
from tests.edge.pages import Gray, write


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("8/12/2025", ["8", "12", "2025"]),
        ("20.5", ["205"]),
        ("1,000.50", ["100050"]),
        ("3.", ["3"]),
        ("-12+7=", ["12", "7"]),
        ("№ 5 . , x", ["5"]),
        ("1 000", ["1", "000"]),
        ("", []),
    ],
)
def test_texts_are_parted_at_all_but_points_and_commas(text: str, numbers: list[str]) -> None:
    assert papers.numbers_in(text) == numbers


def compared(numbers: list[str], read: list[str], printed: tuple[str, ...] = ()) -> Page:
    return papers.compare("a.png", Truth(numbers, list(printed), "sum"), [Said(text) for text in read])


def test_a_number_is_found_as_often_as_it_is_written() -> None:
    page = compared(["5", "5", "7"], ["7", "5", "5", "5"])
    assert (page.found, page.missed, page.false) == (3, (), (Said("5"),))
    assert not page.is_exact
    page = compared(["5", "5"], ["5"])
    assert (page.found, page.missed, page.false) == (1, ("5",), ())


def test_order_does_not_count_and_grouping_does() -> None:
    assert compared(["12", "3"], ["3", "12"]).is_exact
    page = compared(["12", "3"], ["123"])
    assert (page.found, page.false) == (0, (Said("123"),))
    assert sorted(page.missed) == ["12", "3"]


def test_signs_part_the_label_and_the_reading() -> None:
    assert compared(["8/12/2025", "20.5"], ["8", "12/2025", "205"]).is_exact


def test_printed_numbers_are_no_fault_and_not_found() -> None:
    page = compared(["3"], ["3", "3", "4"], printed=("3", "4", "5"))
    assert page.is_exact
    assert page.found == page.numbers == 1
    page = compared(["6"], ["4", "4"], printed=("4",))
    assert (page.found, page.false, page.is_empty) == (0, (Said("4"),), False)


def test_a_page_is_empty_where_something_is_written_and_nothing_read() -> None:
    assert compared(["6"], []).is_empty
    assert compared(["6"], ["x ="]).is_empty
    assert not compared([], []).is_empty
    assert compared([], []).is_exact


def test_numbers_marked_as_printed_are_left_out() -> None:
    numbers = [
        {"text": "12", "confidence": 0.5},
        {"text": "13", "confidence": 0.6, "printed": False},
        {"text": "14", "confidence": 0.7, "printed": True},
    ]
    assert papers.handwritten({"numbers": numbers}) == [Said("12", 0.5), Said("13", 0.6)]


def test_figures_and_their_intervals() -> None:
    table = Truth(["1", "2", "3"], kind="table")
    pages = [
        papers.compare("a.png", table, [Said("1", 0.99), Said("2", 0.5), Said("9", 0.95)], "x/y"),
        papers.compare("b.png", Truth(["4"], kind="sum"), [Said("4"), Said("44"), Said("45", 0.2)], "x/y"),
        papers.compare("c.png", Truth(["5"], kind="sum"), [], "z"),
    ]
    score = Score("folder", "reader", pages)
    found = papers.summary(pages)
    assert (found["pictures"], found["numbers"], found["found"]) == (3, 5, 3)
    assert (found["false"], found["false_confident"]) == (3, 1)
    assert found["precision"] == 0.5
    assert (found["empty"], found["exact"]) == (1, 0)
    assert found["found_interval"] == pytest.approx((0.231, 0.882), abs=1e-3)
    low, high = found["over_pictures"]
    assert 0 <= low < 0.6 < high <= 1
    assert score.mean_of_sources() == pytest.approx((3 / 4 + 0) / 2)
    groups = score.groups()
    assert {name: len(group) for name, group in groups["kind"].items()} == {"sum": 2, "table": 1}
    assert list(groups["source"]) == ["x/y", "z"]
    alone = papers.summary(groups["source"]["z"])
    assert alone["over_pictures"] is alone["precision_interval"] is alone["precision"] is None
    lines = papers.table([score]).splitlines()
    assert lines[2].startswith("| folder | reader | 3 | 5 | 60.0% | 23.1% to 88.2% |")
    assert any(line.startswith("| z | reader | 1 | 1 | 0.0% |") for line in lines)


@pytest.fixture
def folder(tmp_path: Path, digits: tuple[Gray, Gray]) -> Path:
    """Two pages: one of a number, one on which a number and a printed one stand."""
    folder = tmp_path / "papers"
    folder.mkdir()
    cv2.imwrite(str(folder / "one.png"), write("314", digits))
    cv2.imwrite(str(folder / "two.png"), write("27   40", digits))
    labels = {
        "one.png": {"numbers": ["314"], "kind": "list"},
        "two.png": {"numbers": ["27"], "printed": ["40"], "kind": "form"},
    }
    (folder / "labels.json").write_text(json.dumps(labels))
    return folder


def test_the_command(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "sources.json").write_text(json.dumps({"one.png": {"repo": "a/b", "licence": "none"}}))
    assert main(["papers", str(folder), "--json", str(tmp_path / "out.json")]) == 0
    (found,) = json.loads((tmp_path / "out.json").read_text())
    assert (found["folder"], found["reader"]) == ("papers", "digitlens")
    assert (found["all"]["found"], found["all"]["false"], found["all"]["exact"]) == (2, 0, 2)
    assert list(found["kind"]) == ["form", "list"]
    assert list(found["source"]) == ["a/b"]
    assert [page["name"] for page in found["pages"]] == ["one.png", "two.png"]
    said = capsys.readouterr().out
    assert "| papers | digitlens | 2 | 2 | 100.0% |" in said
    assert "papers, by kind" in said


def test_a_folder_without_proper_labels(folder: Path) -> None:
    def read(path: Path) -> list[Said]:
        raise AssertionError(path)

    (folder / "labels.json").write_text('{"one.png": ["314"]}')
    with pytest.raises(LabelsError, match=r"labels\.json"):
        papers.score(folder, "reader", read)
    (folder / "labels.json").unlink()
    with pytest.raises(LabelsError, match="no such file"):
        papers.score(folder, "reader", read)


def test_a_labeled_picture_that_is_missing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "one.png").unlink()
    assert main(["papers", str(folder)]) == 1
    assert "a labeled picture cannot be read" in capsys.readouterr().err
