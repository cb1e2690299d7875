"""A run: every page once, whatever fails, ends or is stopped."""

from pathlib import Path
from time import monotonic

import pytest

from digitlens.batch import tables
from digitlens.batch.documents import read_document
from digitlens.batch.item import Item
from digitlens.batch.manifest import Lock
from digitlens.core.errors import BatchError
from tests.edge.batch.archive import ENDS, FAILS, STICKS, GrayOptions, picture, read, table, texts


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Three pictures, a TIFF of four pages, and two files that are no pictures."""
    folder = tmp_path / "archive"
    for count in range(3):
        picture(folder / f"{count}.png", 10 + count)
    picture(folder / "four.tif", 20, FAILS, 22, 23)
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    (folder / "empty.tif").write_bytes(b"")
    return folder


def test_every_page_is_a_row_and_what_cannot_be_read_has_its_reason(archive: Path, tmp_path: Path) -> None:
    totals = read(tmp_path / "out", archive, workers=2)
    assert (totals.documents, totals.pages, totals.numbers, totals.failed) == (6, 9, 6, 3)
    found = texts(tmp_path / "out")
    assert found[:3] == [("0.png", 1, "10"), ("1.png", 1, "11"), ("2.png", 1, "12")]
    assert [row[0] for row in found[3:5]] == ["broken.png", "empty.tif"]
    assert found[5:] == [
        ("four.tif", page, text) for page, text in enumerate(["20", "no digits", "22", "23"], 1)
    ]
    pages = table(tmp_path / "out", "pages")
    assert [row["last"] for row in pages] == [True] * 5 + [False] * 3 + [True]
    assert pages[0]["width"] == pages[0]["height"] == 8
    assert pages[0]["bytes"] == (archive / "0.png").stat().st_size


def test_a_file_that_has_gone_is_one_line_without_its_name(tmp_path: Path) -> None:
    (result,) = read_document(Item("a", str(tmp_path / "a.png")), GrayOptions().open())
    assert result.page.error == "no such file or folder"


def test_run_again_it_reads_nothing_and_new_files_alone(archive: Path, tmp_path: Path) -> None:
    read(tmp_path / "out", archive)
    before = texts(tmp_path / "out")
    again = read(tmp_path / "out", archive)
    assert (again.pages, again.before, again.failed_before, again.skipped) == (0, 9, 3, 6)
    picture(archive / "3.png", 13)
    assert read(tmp_path / "out", archive).pages == 1
    assert sorted(texts(tmp_path / "out")) == sorted([*before, ("3.png", 1, "13")])


def test_a_stopped_run_goes_on_within_a_document(tmp_path: Path) -> None:
    many = picture(tmp_path / "many.tif", *range(200))
    first = read(tmp_path / "out", many, workers=1, stop_after=1)
    assert first.stopped
    assert 0 < first.pages < 200
    second = read(tmp_path / "out", many)
    assert (second.before, second.pages) == (first.pages, 200 - first.pages)
    assert [row[1:] for row in texts(tmp_path / "out")] == [(page, str(page - 1)) for page in range(1, 201)]


def test_numbers_without_their_pages_are_removed_and_read_again(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    read(out, archive)
    wanted = texts(out)
    last = tables.shards(out, "jsonl", "pages")[-1]
    last.unlink()  # as a kill between the two renames leaves it
    (out / "pages" / ".part-000009.jsonl.tmp").write_text("half a li")
    read(out, archive)
    assert texts(out) == wanted
    assert not list(out.glob("*/.*"))


def test_a_page_that_ends_workers_is_given_up_and_no_other(tmp_path: Path) -> None:
    source = picture(tmp_path / "archive" / "a.tif", 1, 2, ENDS, 4)
    picture(source.with_name("b.png"), 5)
    totals = read(tmp_path / "out", source.parent, workers=1)
    assert totals.failed == 1
    assert [row[2] for row in texts(tmp_path / "out")] == [
        "1", "2", "reading it has ended 3 workers (SIGKILL)", "4", "5",
    ]  # fmt: skip


def test_a_page_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    source, stuck = picture(tmp_path / "a.tif", 1, STICKS, 3), tmp_path / "stuck"

    def clock() -> float:
        if not stuck.exists():
            return monotonic()
        stuck.unlink()
        return monotonic() + 301

    read(tmp_path / "out", source, options=GrayOptions(stuck=stuck), workers=1, clock=clock)
    assert [row[2] for row in texts(tmp_path / "out")] == ["1", "reading it takes longer than 300 s", "3"]


def test_models_that_cannot_be_loaded_end_the_run_in_one_line(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(BatchError, match=r"^gray.tflite: no such model$"):
        read(tmp_path / "out", archive, options=GrayOptions(broken=True), workers=1)


def test_another_fingerprint_or_format_is_refused(archive: Path, tmp_path: Path) -> None:
    read(tmp_path / "out", archive)

    class Other(GrayOptions):
        def fingerprint(self) -> dict[str, str]:
            return {"model": "other"}

    with pytest.raises(BatchError, match=r"was read otherwise .model gray, now other.: take another --out"):
        read(tmp_path / "out", archive, options=Other())
    with pytest.raises(BatchError, match="format jsonl, now csv"):
        read(tmp_path / "out", archive, kind="csv")


def test_two_runs_never_write_into_one_folder(archive: Path, tmp_path: Path) -> None:
    with Lock(tmp_path / "out"), pytest.raises(BatchError, match="another run is writing here"):
        read(tmp_path / "out", archive)


def test_parts_are_apart_and_together_all(archive: Path, tmp_path: Path) -> None:
    read(tmp_path / "all", archive)
    parts = []
    for count in (1, 2):
        read(tmp_path / f"part{count}", archive, part=(count, 2))
        parts += texts(tmp_path / f"part{count}")
    assert sorted(parts) == sorted(texts(tmp_path / "all"))
    assert len(texts(tmp_path / "part1")) < len(parts)
