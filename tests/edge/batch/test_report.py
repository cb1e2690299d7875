"""The report, the sample that a person checks, and the error rate that comes of it."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlens.batch.checking import to_check
from digitlens.batch.manifest import Manifest, begin
from digitlens.batch.report import write_report
from digitlens.batch.rows import Page, PageResult, Row, failure
from digitlens.batch.sample import draw
from digitlens.batch.score import is_same, load, score
from digitlens.batch.survey import survey
from digitlens.batch.tables import Tables
from digitlens.core.errors import BatchError
from tests.edge.batch.archive import picture


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """200 numbers of one picture, a quarter of them at 0.6, the others at 0.97; two that failed."""
    source = str(picture(tmp_path / "<in>.png", 200))
    folder = tmp_path / "out"
    folder.mkdir()
    begin(folder, Manifest("jsonl", {"model": "gray"}, (source,)))
    written = Tables(folder, "jsonl")
    rows = [
        Row(None, f"{count:04}", float(count), 0.97 if count % 4 else 0.6, 1, 1, 1 + count, 4, "read", None)
        for count in range(200)
    ]
    written.add(PageResult(Page(source, source, 1, True, 200, 20.0, 8, 8, 100, None), rows))
    for name in ("a.pdf", "b.pdf"):
        written.add(failure(name, name, "it has a <password>"))
    written.commit()
    return folder


def fill(out: Path, wrong: int) -> None:
    """Fill the sheet in, as a spreadsheet does: so many of the unsure numbers are wrong."""
    key = load_key(out)
    with (out / "sample" / "check.csv").open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(["crop", "truth"])
        for crop, drawn in key.items():
            is_wrong = drawn["confidence"] < 0.7 and wrong > 0
            wrong -= is_wrong
            rows.writerow([crop, "9999" if is_wrong else str(int(drawn["text"]))])


def load_key(out: Path) -> dict[str, dict[str, Any]]:
    drawn: dict[str, dict[str, Any]] = json.loads((out / "sample" / "key.json").read_text())["drawn"]
    return drawn


def test_the_report_has_counts_reasons_and_crops_and_nothing_from_outside(out: Path) -> None:
    assert write_report(out).endswith("report.html")
    text = (out / "report.html").read_text()
    assert "<dd>200</dd>" in text
    assert "2 &times; it has a &lt;password&gt;" in text
    assert text.count("<img") == 100
    assert "Not measured" in text
    assert not re.search(r'(src|href)="(?!data:)', text)
    assert "<in>" not in text


def test_the_least_sure_come_first(out: Path) -> None:
    found = survey(out)
    assert (found.pages, found.documents, found.failed, found.rows) == (3, 3, 2, 200)
    assert [one.confidence for one in found.least_sure] == [0.6] * 50 + [0.97] * 50


def test_a_sample_is_drawn_across_the_confidences_and_scored(out: Path) -> None:
    assert draw(out, 40).startswith("40 crops")
    key = load_key(out)
    assert len(list((out / "sample" / "crops").glob("*.png"))) == 40
    assert sum(one["confidence"] < 0.7 for one in key.values()) == 20
    fill(out, wrong=10)
    line = score(out)
    found = load(out)
    assert found is not None
    assert found.rate == pytest.approx(0.125)  # half of a quarter
    assert found.interval[0] < 0.125 < found.interval[1]
    assert line.startswith("40 checked: 12.50% of the numbers are wrong")
    write_report(out)
    text = (out / "report.html").read_text()
    assert "<b>12.50%</b> of the numbers are wrong" in text
    assert "<tr><td>5.0%</td><td class=n>30</td>" in text  # 15 of the 25 wrong ones are among these
    with pytest.raises(BatchError, match="is filled in"):
        draw(out, 40)


def test_a_sample_without_a_run_or_an_answer_is_one_line(out: Path, tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="no run is here"):
        draw(tmp_path, 10)
    with pytest.raises(BatchError, match="no sample is drawn"):
        score(out)
    draw(out, 10)
    with pytest.raises(BatchError, match="nothing is filled in"):
        score(out)


def test_how_many_to_look_at() -> None:
    counts, errors = np.array([10.0, 90.0]), np.array([5.0, 1.0])
    assert to_check(counts, errors, (0.1, 0.03, 0.01, 0.0)) == [(0.1, 0), (0.03, 6), (0.01, 10), (0.0, 100)]


def test_leading_zeros_are_not_compared() -> None:
    assert is_same("007", "7")
    assert is_same("12.50", "12.50")
    assert not is_same("12", "-")
    assert not is_same("12.50", "1250")
