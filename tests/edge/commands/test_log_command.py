"""digitlens log, as a user calls it, while the journal is written."""

import csv
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from digitlens.commands.log import _when, safe
from digitlens.commands.main import main
from digitlens.outlets.outbox import Outbox
from tests.edge.outlets.brokers import draft


@pytest.fixture
def journal(tmp_path: Path):
    one = Outbox(tmp_path / "journal.db", 1, "pi")
    one.follow("webhook")
    now = time.time()
    entries = one.add(
        [msgspec.structs.replace(draft(count, f"00{count}"), time=now - 60 * count) for count in range(5)]
        + [
            msgspec.structs.replace(
                draft(9, "17", region="water", value=1.7), before="16", reason="=HYPERLINK(1)", kind="changed"
            )
        ]
    )
    one.refuse("webhook", entries[0].id, "400 Bad Request")
    yield one
    one.close()


def output(
    journal: Outbox, capfdbinary: pytest.CaptureFixture[bytes], *options: str, status: int = 0
) -> tuple[str, str]:
    assert main(["log", "--journal", str(journal.path), *options]) == status
    out, err = capfdbinary.readouterr()
    return out.decode(), err.decode()


def test_the_table_has_the_oldest_first(journal: Outbox, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    out, _ = output(journal, capfdbinary)
    assert [line.split()[3] for line in out.splitlines()] == ["000", "001", "002", "003", "004", "17"]
    assert "before: 16; =HYPERLINK(1)" in out.splitlines()[-1]


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        (["--last", "2"], ["004", "17"]),
        (["--region", "water"], ["17"]),
        (["--number", "03"], ["003"]),
        (["--kind", "changed"], ["17"]),
        (["--since", "90s"], ["000", "001"]),
        (["--until", "2m", "--since", "1d"], ["002", "003", "004"]),
        (["--until", "2024-01-01"], ["17"]),
        (["--dead-letters"], ["000"]),
    ],
)
def test_filters(
    options: list[str], texts: list[str], journal: Outbox, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    out, err = output(journal, capfdbinary, *options)
    assert [line.split()[3] for line in out.splitlines()] == texts
    out, _ = output(journal, capfdbinary, *options, "--json")
    found = [json.loads(line) for line in out.splitlines()]
    assert [(one.get("entry") or one)["text"] for one in found] == texts
    assert not err


def test_csv_holds_no_formula(journal: Outbox, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    rows = list(csv.DictReader(io.StringIO(output(journal, capfdbinary, "--csv")[0])))
    assert [row["text"] for row in rows] == ["000", "001", "002", "003", "004", "17"]
    assert rows[-1]["reason"] == "'=HYPERLINK(1)"
    assert (rows[-1]["value"], rows[-1]["region"], rows[-1]["picture_width"]) == ("1.7", "water", "1280")
    for cell in ("=1", "+1", "-1", "@x", "\tx"):
        assert safe(cell) == f"'{cell}"
    assert safe("17") == "17"
    letters = list(csv.DictReader(io.StringIO(output(journal, capfdbinary, "--csv", "--dead-letters")[0])))
    assert letters[0]["answer"] == "400 Bad Request"


def test_no_match_is_reported(journal: Outbox, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert output(journal, capfdbinary, "--region", "gas") == (
        "",
        f"digitlens: {journal.path}: nothing there that fits\n",
    )


def test_a_long_journal_is_exported_completely(
    journal: Outbox, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    journal.add([draft(count) for count in range(2500)])
    out, _ = output(journal, capfdbinary, "--json")
    assert len(out.splitlines()) == 2506
    out, err = output(journal, capfdbinary)
    assert len(out.splitlines()) == 100
    assert "the newest 100" in err


def test_the_settings_name_the_journal(
    journal: Outbox, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(f'[journal]\nfile = "{journal.path}"\n')
    assert main(["log", "--config", str(config), "--last", "1"]) == 0
    assert b" 17 " in capfdbinary.readouterr().out
    config.write_text("")
    assert main(["log", "--config", str(config)]) == 1
    assert b"keeps no journal ([journal] file); name one with --journal" in capfdbinary.readouterr().err


def test_an_unreadable_journal_is_one_line(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    (tmp_path / "text").write_text("not a journal, but long enough to look at\n" * 100)
    for path, message in (
        ("none", "no journal there; name one with --journal"),
        ("text", "is no SQLite file"),
    ):
        assert main(["log", "--journal", str(tmp_path / path)]) == 1
        assert capfdbinary.readouterr().err.decode() == f"digitlens: {tmp_path / path}: {message}\n"


def test_a_regions_value_is_forgotten_when_its_meter_is_a_new_one(
    journal: Outbox, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    journal.add([draft(1, region="water", value=99.0)])
    assert journal.good(["water"])["water"][0] == 99.0
    _, err = output(journal, capfdbinary, "--forget", "water")
    assert err.startswith("digitlens: water: 99 is forgotten when the service starts next")
    assert journal.good(["water"]) == {}
    journal.add([draft(2, region="water", value=1.0)])
    assert journal.good(["water"])["water"][0] == 1.0
    _, err = output(journal, capfdbinary, "--forget", "gas", status=1)
    assert "no value of a region gas" in err


def test_dead_letters_are_sent_again(journal: Outbox, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    first, second = journal.history(2)
    journal.refuse("webhook", second.id, "422 Unprocessable Entity")
    journal.refuse("webhook", first.id, "422 Unprocessable Entity")
    out, err = output(journal, capfdbinary, "--send-again", "--region", "water")
    assert (out, err) == ("", "digitlens: 1 to be sent again; the service does within a minute\n")
    assert journal.again("webhook") == [first]
    for _ in range(2):
        output(journal, capfdbinary, "--send-again")
    assert [entry.text for entry in journal.again("webhook")] == ["000", "004", "17"]
    out, _ = output(journal, capfdbinary, "--dead-letters", "--last", "1")
    assert "webhook: to be sent again: 422 Unprocessable Entity, " in out
    journal.acknowledge("webhook", [first.id, second.id])
    assert [entry.text for entry in journal.again("webhook")] == ["000"]
    _, err = output(journal, capfdbinary, "--send-again", "--number", "17")
    assert err == f"digitlens: {journal.path}: no dead letters\n"


def test_follow_prints_new_entries(journal: Outbox) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "digitlens", "log", "--journal", journal.path, "--follow", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": ""},
    )
    try:
        assert process.stdout is not None
        assert [json.loads(process.stdout.readline())["text"] for _ in range(6)][-1] == "17"
        added = journal.add([draft(77)])
        assert json.loads(process.stdout.readline())["id"] == added[0].id
    finally:
        process.terminate()
        process.communicate()


def test_times_as_people_write_them() -> None:
    assert abs(_when("2h") - (time.time() - 7200)) < 5
    assert _when("2026-03-01 14:30") - _when("2026-03-01") == 14.5 * 3600
    assert _when("23:59") > _when("0:00")
    for nonsense in ("", "soon", "99:99", "2026-13-01", "5y"):
        with pytest.raises(Exception, match="take 2026"):
            _when(nonsense)
