"""The web outlet's routes, over real sockets."""

import csv
import http.client
import io
import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digitlens.core.errors import OutletError
from digitlens.live.latest import LatestFrame
from digitlens.live.stats import LoopStats
from digitlens.outlets.dispatcher import NullStore
from digitlens.outlets.entries import Draft, Entry
from tests.edge.outlets.web.viewing import LONG, Clients, Showing, asked, until

pytest.importorskip("tornado", reason="needs the extra web")

from digitlens.outlets.web.limits import ServerLimits
from digitlens.outlets.web.outlet import WebOutlet

Pixels = npt.NDArray[np.uint8]
SCRIPTS = ("app.js", "boxes.js", "connection.js", "copy.js", "history.js", "labels.js", "percent.js")
PAGE = ["/", *(f"/page/{name}" for name in SCRIPTS)]
STATIC = [*PAGE, "/page/style.css", "/page/icon.svg"]
PROGRAMS = ["/api/reading", "/api/frame.jpg", "/api/history", "/api/history.csv", "/healthz", "/metrics"]


LIVE = ["live", "--display", "none", "--camera"]


@pytest.fixture(scope="module")
def showing(sheet: Path) -> Iterator[Showing]:
    with Showing(sheet) as one:
        until(lambda: any(number.steady for number in (one.latest.newest() or nothing).numbers))
        yield one


class nothing:  # noqa: N801
    numbers = ()


@pytest.fixture
def port(showing: Showing) -> int:
    return showing.web.port


@pytest.fixture
def idle() -> Iterator[WebOutlet]:
    """A page without a camera."""
    web = WebOutlet("127.0.0.1:0", LatestFrame(), LoopStats("usb:0"))
    yield web
    web.close()


@pytest.mark.parametrize("path", STATIC)
def test_the_pages_files(port: int, path: str) -> None:
    with asked(port, path) as answer:
        content, tag = answer.read(), answer.headers["Etag"]
        assert answer.status == 200
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
    # No other host is contacted; a namespace is no address.
    assert not re.findall(rb"https?://(?!www\.w3\.org/2000/svg)", content)
    assert b"style=" not in content
    with asked(port, path, If_None_Match=tag) as answer:
        assert (answer.status, answer.read()) == (304, b"")
    with asked(port, path, "HEAD") as answer:
        assert (answer.status, answer.read()) == (200, b"")
        assert int(answer.headers["Content-Length"]) == len(content)


def test_every_file_that_the_page_names_exists(port: int) -> None:
    for path in PAGE:
        with asked(port, path) as answer:
            text = answer.read().decode()
        for name in re.findall(r'(?:src|href)="(/[^"]*)"', text):
            with asked(port, name) as answer:
                assert answer.status == 200, name
        for name in re.findall(r'from "\./([^"]*)"', text):
            assert f"/page/{name}" in STATIC


def test_searches_keep_no_picture_waiting_and_are_bounded(sheet: Path) -> None:
    searching, may_end = threading.Semaphore(0), threading.Event()

    class SlowHistory:
        """Answers a search once it may."""

        def history(self, limit: int = 100, **filters: Any) -> list[Entry]:
            searching.release()
            assert may_end.wait(LONG)
            return []

    limits = ServerLimits(searches=3)
    with Showing(sheet, history=SlowHistory(), limits=limits) as showing, ThreadPoolExecutor(3) as clients:

        def search() -> int:
            with asked(showing.web.port, "/api/history?containing=7") as answer:
                return answer.status

        def picture() -> int:
            with asked(showing.web.port, "/api/frame.jpg") as answer:
                return answer.status

        until(lambda: picture() == 200, "a picture")
        answers = [clients.submit(search) for _ in range(3)]
        assert searching.acquire(timeout=LONG)
        until(lambda: showing.web._context.searches == 3, "three searches")
        assert search() == 503
        assert picture() == 200
        with asked(showing.web.port, "/metrics") as answer:
            assert answer.status == 200
        assert not any(answer.done() for answer in answers)
        may_end.set()
        assert [answer.result(LONG) for answer in answers] == [200] * 3
        assert search() == 200


def test_the_reading(port: int) -> None:
    with asked(port, "/api/reading") as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        reading = json.loads(answer.read())
    assert set(reading) >= {"source", "time", "size", "numbers", "milliseconds"}
    assert set(reading["milliseconds"]) == {"glyphs", "rows", "numbers", "total"}
    (number,) = reading["numbers"]
    assert (number["text"], number["steady"]) == ("40716", True)
    assert [digit["value"] for digit in number["digits"]] == [4, 0, 7, 1, 6]


def test_the_picture_is_the_one_that_is_read(port: int, sheet: Path) -> None:
    with asked(port, "/api/frame.jpg") as answer:
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        jpeg = answer.read()
    shown = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    paper = cv2.imread(str(sheet), cv2.IMREAD_GRAYSCALE)
    assert shown.shape == paper.shape
    assert np.abs(shown.astype(int) - paper).mean() < 3


def test_frames_are_encoded_once_and_only_for_clients(showing: Showing) -> None:
    encoder = showing.web._context.encoder
    until(lambda: len(showing.web._context.clients) == 0)
    before, captured = encoder.encoded, showing.stats.snapshot().captured
    until(lambda: showing.stats.snapshot().captured > captured + 5)
    assert encoder.encoded == before
    with Clients(showing.web.port, 5, stalled=1) as clients:
        until(lambda: min(clients.pictures[1:]) >= 5)
        assert clients.pictures[0] == 1  # it asked for one only
        assert encoder.encoded - before <= max(clients.pictures) + 1
    until(lambda: len(showing.web._context.clients) == 0)


def test_the_history_in_pages_and_as_a_table(idle: WebOutlet) -> None:
    entries = NullStore("pi").add([_draft(f"{count:03}") for count in range(250)])
    for entry in entries:
        idle.announce([entry])
    found, before = [], ""
    while before is not None:
        with asked(idle.port, f"/api/history?limit=40&before={before}") as answer:
            page = json.loads(answer.read())
        found += page["entries"]
        before = page["next"]
    assert [entry["text"] for entry in found] == [f"{count:03}" for count in reversed(range(250))]
    assert {entry["id"] for entry in found} == {entry.id for entry in entries}
    for path in ("/api/history.csv", "/api/history?format=csv"):
        with asked(idle.port, path) as answer:
            assert answer.headers["Content-Type"].startswith("text/csv")
            rows = list(csv.DictReader(io.TextIOWrapper(answer, "utf-8", newline="")))
        assert [row["text"] for row in rows] == [entry["text"] for entry in found]
        assert rows[0]["time"] == "2001-09-09T01:46:40.000Z"
    with asked(idle.port, "/api/history?containing=24&kind=appeared&since=1e9&until=1e9") as answer:
        assert [entry["text"] for entry in json.loads(answer.read())["entries"]] == [
            *(f"{count}" for count in range(249, 239, -1)), "224", "124", "024",
        ]  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=x",
        "limit=1e999",
        "since=nan",
        "until=inf",
        "before=" + "x" * 300,
        "region=" + "x" * 201,
    ],
)
def test_wrong_queries_of_the_history(idle: WebOutlet, query: str) -> None:
    with asked(idle.port, f"/api/history?{query}") as answer:
        assert answer.status == 400
        assert query.partition("=")[0] in json.loads(answer.read())["error"]


def test_events_and_missed_ones(idle: WebOutlet) -> None:
    entries = NullStore("pi").add([_draft(text) for text in ("1", "2", "3", "4")])
    idle.announce(entries[:1])
    with asked(idle.port, "/api/events") as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.readline() == b": digitlens\n"
        idle.announce(entries[1:2])
        lines = [answer.readline().decode().strip() for _ in range(4)]
        assert lines[1:3] == [f"id: {entries[1].id}", "event: appeared"]
        assert json.loads(lines[3].removeprefix("data: "))["text"] == "2"
    until(lambda: not idle._context.listeners)  # a client that leaves is removed
    idle.announce(entries[2:])
    with asked(idle.port, "/api/events", Last_Event_ID=entries[1].id) as answer:
        until(lambda: answer.readline() == f"id: {entries[2].id}\n".encode())
        until(lambda: answer.readline() == f"id: {entries[3].id}\n".encode())


def test_the_metrics_are_prometheus(showing: Showing) -> None:
    parser = pytest.importorskip("prometheus_client.parser", reason="needs the extra test")
    with asked(showing.web.port, "/metrics") as answer:
        text = answer.read().decode()
    families = {family.name: family for family in parser.text_string_to_metric_families(text)}
    values = {sample.name: sample.value for family in families.values() for sample in family.samples}
    assert values["digitlens_frames_captured_total"] >= values["digitlens_frames_read_total"] > 0
    assert values["digitlens_camera_up"] == 1
    assert 0 <= values["digitlens_frame_age_seconds"] < LONG
    stages = families["digitlens_stage_seconds"]
    assert stages.type == "histogram"
    by_stage: dict[str, list[float]] = {}
    for sample in stages.samples:
        if sample.name.endswith("_bucket"):
            by_stage.setdefault(sample.labels["stage"], []).append(sample.value)
        if sample.name.endswith("_count"):
            assert by_stage[sample.labels["stage"]][-1] == sample.value
        if sample.name.endswith("_sum") and sample.labels["stage"] == "total":
            assert 0 < sample.value < LONG  # seconds
    assert set(by_stage) >= {"camera", "glyphs", "rows", "numbers", "track", "total"}
    assert all(counts == sorted(counts) for counts in by_stage.values())
    (build,) = families["digitlens_build_info"].samples
    assert build.labels["version"]


def test_the_outboxes_are_metrics() -> None:
    outbox = {"pending": {"mqtt": 3, 'a"\\\n': 1}, "evicted": {"mqtt": 17}, "dead_letters": {"webhook": 2}}
    web = WebOutlet("127.0.0.1:0", LatestFrame(), LoopStats("x"), outbox_counts=lambda: outbox)
    with asked(web.port, "/metrics") as answer:
        text = answer.read().decode()
    web.close()
    assert 'digitlens_outbox_entries{outlet="mqtt"} 3\n' in text
    assert 'digitlens_outbox_entries{outlet="a\\"\\\\\\n"} 1\n' in text
    assert 'digitlens_outbox_let_go_total{outlet="mqtt"} 17\n' in text
    assert 'digitlens_outbox_set_aside_entries{outlet="webhook"} 2\n' in text


def test_health_is_whether_frames_arrive(showing: Showing, idle: WebOutlet) -> None:
    with asked(showing.web.port, "/healthz") as answer:
        assert (answer.status, json.loads(answer.read())) == (200, {"frames": True, "why": ""})
    for path in ("/healthz", "/api/frame.jpg", "/api/reading"):
        with asked(idle.port, path) as answer:
            assert answer.status == 503
            assert b"no frame has come yet" in answer.read()
    stats = LoopStats("usb:0")
    stats.camera_lost("usb:0: unplugged")
    web = WebOutlet("127.0.0.1:0", LatestFrame(), stats)
    with asked(web.port, "/healthz") as answer:
        assert (answer.status, json.loads(answer.read())["why"]) == (503, "usb:0: unplugged")
    web.close()


def test_it_ends_at_once_with_pages_open(sheet: Path) -> None:
    with Showing(sheet) as showing, Clients(showing.web.port, 3) as clients:
        until(lambda: min(clients.pictures) > 1)
        showing.web.close()
        assert not showing.web.thread.is_alive()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", showing.web.port))


def test_an_address_that_is_not_available_is_one_line(sheet: Path) -> None:
    latest, stats = LatestFrame(), LoopStats("x")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(OutletError, match=f"{listen}: the port is taken"):
            WebOutlet(listen, latest, stats)
        done = live("-m", "digitlens", *LIVE, sheet, "--web", listen)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"digitlens: {listen}: the port is taken")
        assert done.stderr.count("\n") == 1
    for listen in ("0.0.0.0:0", "[::]:0"):
        if listen[0] != "[" or socket.has_ipv6:
            with pytest.raises(OutletError, match="needs a token"):
                WebOutlet(listen, latest, stats)
    with pytest.raises(OutletError, match="no such address"):
        WebOutlet("192.0.2.1:0", latest, stats)
    for listen in ("8080", "localhost", "::1:80", "127.0.0.1:x", "127.0.0.1:70000", ":80", "[::1]"):
        with pytest.raises(OutletError, match="HOST:PORT"):
            WebOutlet(listen, latest, stats)
    program = "import sys; sys.modules['tornado'] = None; "
    program += "from digitlens.commands.main import main; sys.exit(main())"
    done = live("-c", program.replace("; ", "\n"), *LIVE, sheet, "--web", "127.0.0.1:0")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "digitlens: --web needs tornado: pip install 'digitlens[web]'\n"


def test_serve_opens_the_page(tmp_path: Path, sheet: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = tmp_path / "config.toml"
    settings.write_text(f'[camera]\nsource = "{sheet}"\n[web]\nlisten = "127.0.0.1:{port}"\n')
    other = subprocess.Popen(
        [sys.executable, "-m", "digitlens", "serve", "--config", settings], stderr=subprocess.PIPE, text=True
    )

    def healthy() -> bool:
        assert other.poll() is None
        try:
            with asked(port, "/healthz") as answer:
                return answer.status == 200
        except (OSError, http.client.HTTPException):
            return False

    until(healthy)
    other.terminate()
    _, errors = other.communicate(timeout=LONG)
    assert other.returncode == 0
    assert f"the page is at http://127.0.0.1:{port}/" in errors


def live(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, timeout=60)


def _draft(text: str) -> Draft:
    return Draft(
        time=1e9, kind="appeared", number=1, text=text, confidence=1.0, box=(1, 2, 3, 4), size=(640, 480)
    )
