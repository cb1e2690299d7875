"""An outlet whose thread has died is noticed, logged, counted, and opened anew: nothing waits for ever."""

import http.client
import logging
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from digitlens.core.tracking import Event
from digitlens.live.latest import LatestFrame
from digitlens.live.stats import LoopStats
from digitlens.outlets.assembly import OutletAssembly
from digitlens.outlets.base import Outlet
from digitlens.outlets.dispatcher import EventDispatcher, OutletOpener
from digitlens.outlets.entries import Draft, Entry
from digitlens.outlets.registry import default_settings
from digitlens.outlets.webhook import WebhookOutlet
from digitlens.outlets.webhook_settings import WebhookSettings
from tests.edge.outlets.receivers import Receiver
from tests.edge.outlets.web.viewing import asked, until

pytest.importorskip("paho.mqtt", reason="paho-mqtt is not installed")
pytest.importorskip("tornado", reason="needs the extra web")

from digitlens.outlets.mqtt import MqttOutlet
from digitlens.outlets.mqtt_settings import MqttSettings
from digitlens.outlets.web.outlet import WebOutlet
from tests.edge.outlets.brokers import DEADLINE, WatchedOutbox, draft, free_port


class Tired(WatchedOutbox):
    """Fails the first time that an outlet asks, as where no thread can be started any more."""

    asked = 0

    def pending(self, outlet: str, limit: int = 100, after: str = "") -> list[Entry]:
        self.asked += 1
        if self.asked == 1:
            raise RuntimeError("can't start new thread")
        return super().pending(outlet, limit, after)


def drafts(event: Event, size: tuple[int, int]) -> list[Draft]:
    return [draft(event.id)]


def event(number: int) -> Event:
    return Event("appeared", number, 1.7e9, "17", 1.0, (1, 2, 3, 4))


def test_no_reading_waits_for_a_webhook_whose_thread_died(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = Tired(tmp_path / "journal.db")
    dispatcher = EventDispatcher(drafts, outbox)
    with Receiver() as receiver:
        settings = WebhookSettings(url=receiver.url)
        dispatcher.change({"webhook": OutletOpener((), lambda: WebhookOutlet(settings, outbox))})
        assert dispatcher.reopened == {"webhook": 0}
        for number in range(3):
            dispatcher.take(event(number), (640, 480))

        def arrived() -> bool:
            dispatcher.tend()
            return len(receiver.posts) == 3

        until(arrived)
        dispatcher.close()
    assert dispatcher.reopened == {"webhook": 1}
    (line,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert line.getMessage() == "outlet webhook: its thread ended, and it is opened again"
    assert line.exc_info
    assert str(line.exc_info[1]) == "can't start new thread"


def test_an_outlet_that_dies_again_and_again_is_opened_at_growing_pauses(tmp_path: Path) -> None:
    opened: list[int] = []

    class Dying(Outlet):
        name = "dying"
        failure = RuntimeError("again")

    def opening() -> Outlet:
        opened.append(1)
        return Dying()

    now = 1000.0
    dispatcher = EventDispatcher(drafts, WatchedOutbox(tmp_path / "journal.db"), monotonic=lambda: now)
    dispatcher.change({"dying": OutletOpener((), opening)})
    pauses = []
    for _ in range(4):
        before, count = now, len(opened)
        while len(opened) == count:
            dispatcher.tend()
            dispatcher._closing.wait(DEADLINE)
            now += 0.5
        pauses.append(now - before)
    assert pauses == sorted(pauses)
    assert pauses[-1] > 10
    assert dispatcher.reopened == {"dying": 4}
    dispatcher.close()


def boom(line: str) -> None:
    raise RuntimeError("nobody takes the line")


@pytest.mark.parametrize("name", ["mqtt", "web"])
def test_every_outlets_thread_is_mended(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    outbox, port = WatchedOutbox(tmp_path / "journal.db"), free_port()
    say: list[Callable[[str], None]] = [outbox.lines.put, boom]  # used from the end

    def opening() -> Outlet:
        if name == "mqtt":  # nobody listens there, which is the line that nobody takes
            return MqttOutlet(MqttSettings(broker="127.0.0.1", port=port), "pi", outbox, say=say.pop())
        web = WebOutlet(f"127.0.0.1:{port}", LatestFrame(), LoopStats("x"))
        if say.pop() is boom:
            web._loop.call_soon_threadsafe(web._loop.stop)
        return web

    dispatcher = EventDispatcher(drafts, outbox)
    dispatcher.change({name: OutletOpener((), opening)})

    def mended() -> bool:
        dispatcher.tend()
        return dispatcher.reopened[name] == 1 and not say

    until(mended)
    if name == "mqtt":
        assert "cannot be reached" in outbox.lines.get(timeout=20)
    else:
        with asked(port, "/page/app.js") as answer:
            assert answer.status == 200
    dispatcher.close()
    (line,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert line.getMessage() == f"outlet {name}: its thread ended, and it is opened again"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)


def test_the_metrics_count_what_was_opened_anew() -> None:
    port = free_port()
    settings = default_settings({("web", "listen"): f"127.0.0.1:{port}"})
    assembly = OutletAssembly(LoopStats("x"), LatestFrame())
    dispatcher = assembly.open_dispatcher(settings)

    def counted(count: int) -> bool:
        dispatcher.tend()
        try:
            with asked(port, "/metrics") as answer:
                return f'digitlens_outlet_reopened_total{{outlet="web"}} {count}\n' in answer.read().decode()
        except (OSError, http.client.HTTPException):
            return False

    try:
        dispatcher.change(assembly.openers(settings))
        assert counted(0)
        loop = dispatcher._outlets["web"]._loop  # type: ignore[attr-defined]
        loop.call_soon_threadsafe(loop.stop)
        until(lambda: counted(1))
    finally:
        dispatcher.close()
