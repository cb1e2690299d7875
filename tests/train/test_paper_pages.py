"""Pages of generated paper with their labels: seeded, of the chosen layouts, scored by digitlens_convert."""

import json
from pathlib import Path
from typing import Any

import cv2
import pytest

pytest.importorskip("matplotlib", reason="needs the extra train")

from digitlens_convert import papers
from digitlens_train.__main__ import main
from digitlens_train.paper.layouts import HELD_OUT, LAYOUTS
from digitlens_train.paper.pages import SIDES


def drawn(out: Path, *arguments: str) -> dict[str, Any]:
    assert main(["paper", "--out", str(out), *arguments]) == 0
    labels: dict[str, Any] = json.loads((out / "labels.json").read_text())
    assert sorted([*labels, "labels.json"]) == sorted(path.name for path in out.iterdir())
    return labels


def test_pages_of_the_layouts_that_training_leaves_out(tmp_path: Path) -> None:
    labels = drawn(tmp_path / "pages", "--pages", "4", "--held-out")
    assert [label["kind"] for label in labels.values()] == [*HELD_OUT, HELD_OUT[0]]
    assert any(label["numbers"] for label in labels.values())
    for name, label in labels.items():
        page = cv2.imread(str(tmp_path / "pages" / name), cv2.IMREAD_UNCHANGED)
        assert page is not None
        assert page.ndim == 2
        for side in page.shape:
            assert SIDES[0] <= side <= SIDES[1]
            assert side % 2 == 0
        assert all(any(sign.isdigit() for sign in text) for text in label["numbers"] + label["printed"])


def test_pages_are_seeded(tmp_path: Path) -> None:
    chosen = ["--pages", "2", "--layout", "tally", "printed_numbers", "--seed"]
    first, again, other = (
        drawn(tmp_path / name, *chosen, seed) for name, seed in (("a", "3"), ("b", "3"), ("c", "4"))
    )
    assert list(first) == ["tally_0000.png", "printed_numbers_0001.png"]
    assert first == again
    assert first != other
    for name in first:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_printed_numbers_are_told_apart(tmp_path: Path) -> None:
    (label,) = drawn(tmp_path / "pages", "--pages", "1", "--layout", "printed_numbers").values()
    assert label["printed"]
    assert not label["numbers"]


def test_a_reader_is_scored_by_layout(tmp_path: Path) -> None:
    labels = drawn(tmp_path / "pages", "--pages", "2", "--layout", "single_row", "words")
    score = papers.score(tmp_path / "pages", "a reader", lambda _: [papers.Said("7")])
    groups = score.groups()["kind"]
    assert list(groups) == ["single_row", "words"]
    written = labels["single_row_0000.png"]["numbers"]
    numbers = sum(len(papers.numbers_in(text)) for text in written)
    assert papers.summary(groups["single_row"])["numbers"] == numbers > 0
    assert papers.summary(groups["words"])["false"] == 1


def test_what_cannot_be_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = ["paper", "--out", str(tmp_path)]
    for arguments, said in (
        (["--pages", "1"], "exists already"),
        (["--pages", "1", "--layout", "forms"], "no such layout; there are free_rows"),
        (["--held-out"], "--pages N"),
        (["--layout", "table"], "--pages N"),
    ):
        assert main([*there, *arguments]) == 1
        assert said in capsys.readouterr().err
    for arguments in (["--pages", "1", "--count", "1"], ["--pages", "1", "--held-out", "--layout", "table"]):
        with pytest.raises(SystemExit):
            main([*there, *arguments])
    assert list(tmp_path.iterdir()) == []


def test_all_layouts_in_turn(tmp_path: Path) -> None:
    labels = drawn(tmp_path / "pages", "--pages", "2")
    assert [label["kind"] for label in labels.values()] == list(LAYOUTS)[:2]
