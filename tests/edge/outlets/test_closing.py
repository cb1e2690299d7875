"""Outlets whose receivers are silent: closed beside each other, off the loop, and nothing is lost."""

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from digitlens.config.settings import Settings
from digitlens.core.tracking import Event
from digitlens.live.latest import LatestFrame
from digitlens.live.stats import LoopStats
from digitlens.outlets import registry
from digitlens.outlets.assembly import OutletAssembly
from digitlens.outlets.base import ListOutlet, Outlet
from digitlens.outlets.dispatcher import EventDispatcher, NullStore, OutletOpener
from digitlens.outlets.entries import Draft, Entry
from digitlens.outlets.history import History
from digitlens.outlets.mqtt import MqttOutlet
from digitlens.outlets.outbox import Outbox
from tests.edge.outlets.brokers import DEADLINE, draft

SIZE = (640, 480)


def event(number: int) -> Event:
    return Event("appeared", number, 1.7e9, str(number), 0.9, (1, 2, 3, 4))


def drafts(one: Event, size: tuple[int, int]) -> list[Draft]:
    return [draft(one.id, one.text)]


class Slow(ListOutlet):
    """Closes once `may_close` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.may_close = threading.Event()
        self.begun = threading.Event()
        self.closed = False

    def close(self) -> None:
        self.begun.set()
        self.may_close.wait(DEADLINE)
        self.closed = True


@pytest.fixture
def slow() -> Iterator[Slow]:
    one = Slow()
    yield one
    one.may_close.set()


def opener(outlet: Outlet) -> OutletOpener:
    return OutletOpener(outlet, lambda: outlet)


def tend_until(dispatcher: EventDispatcher, done: Callable[[], object]) -> None:
    """As the loop does between frames."""
    pause = threading.Event()
    for _ in range(int(DEADLINE / 0.01)):
        dispatcher.tend()
        if done():
            return
        pause.wait(0.01)
    raise AssertionError("never")


def test_a_change_does_not_wait_for_an_outlet_that_does_not_close(slow: Slow) -> None:
    dispatcher = EventDispatcher(drafts, NullStore("pi"))
    dispatcher.change({"list": opener(slow)})
    other = ListOutlet()
    dispatcher.change({"list": opener(other)})
    assert slow.begun.is_set()
    assert not slow.closed
    dispatcher.take(event(1), SIZE)
    assert other.entries == []  # never two of one name at once
    slow.may_close.set()
    tend_until(dispatcher, lambda: "close list" not in [thread.name for thread in threading.enumerate()])
    dispatcher.tend()
    dispatcher.take(event(2), SIZE)
    assert [entry.text for entry in other.entries] == ["2"]
    dispatcher.close()


def test_what_does_not_close_in_time_is_replaced(slow: Slow) -> None:
    dispatcher = EventDispatcher(drafts, NullStore("pi"), close_timeout=0.01)
    dispatcher.change({"list": opener(slow)})
    other = ListOutlet()
    dispatcher.change({"list": opener(other)})
    dispatcher.take(event(1), SIZE)
    assert [entry.text for entry in other.entries] == ["1"]
    assert not slow.closed


def test_an_outlet_that_fails_is_opened_anew_once_it_is_closed() -> None:
    class Failing(Slow):
        failure = RuntimeError("its thread")

    class Store(NullStore):
        closed = False

        def close(self) -> None:
            self.closed = True

    one, other, now = Failing(), ListOutlet(), 1000.0
    outlets, store, to = [other, one], Store("pi"), NullStore("pi")
    dispatcher = EventDispatcher(drafts, store, monotonic=lambda: now, close_timeout=DEADLINE)
    dispatcher.change({"list": OutletOpener((), lambda: outlets.pop())})
    dispatcher.tend()  # it is noticed
    assert one.begun.wait(DEADLINE)
    now += 100  # its pause is over
    dispatcher.tend()
    assert outlets == [other]
    dispatcher.replace_store(lambda: (to, {"list": OutletOpener((), lambda: outlets.pop())}))
    dispatcher.take(event(1), SIZE)
    assert not store.closed  # the one that failed may still use it
    one.may_close.set()
    tend_until(dispatcher, lambda: not dispatcher.replacing)
    assert store.closed
    assert [entry.text for entry in other.entries] == ["1"]
    assert dispatcher.reopened == {"list": 1}
    dispatcher.close()


def test_outlets_are_closed_beside_each_other_and_before_the_store() -> None:
    together, order = threading.Barrier(2), list[str]()

    class Meeting(ListOutlet):
        def close(self) -> None:
            together.wait(DEADLINE)
            order.append("outlet")

    class Store(NullStore):
        def close(self) -> None:
            order.append("store")

    dispatcher = EventDispatcher(drafts, Store("pi"), close_timeout=DEADLINE)
    dispatcher.change({"a": opener(Meeting()), "b": opener(Meeting())})
    dispatcher.close()
    assert order == ["outlet", "outlet", "store"]


def test_the_end_does_not_wait_for_what_never_closes(slow: Slow, tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "journal.db")
    dispatcher = EventDispatcher(drafts, outbox, close_timeout=0.01)
    dispatcher.change({"list": opener(slow)})
    dispatcher.take(event(1), SIZE)
    dispatcher.close()
    assert not slow.closed
    again = Outbox(tmp_path / "journal.db")  # it was unlocked
    assert [entry.text for entry in again.history()] == ["1"]
    again.close()


@pytest.mark.parametrize("ended", [False, True])
def test_another_journal_waits_for_the_outlets_of_the_one_before(
    tmp_path: Path, slow: Slow, ended: bool
) -> None:
    """Readings meanwhile are in the new one, also where the service is ended before."""
    dispatcher = EventDispatcher(drafts, Outbox(tmp_path / "a.db"), close_timeout=3.0 if ended else DEADLINE)
    dispatcher.change({"list": opener(slow)})
    dispatcher.take(event(1), SIZE)
    other = ListOutlet()
    dispatcher.replace_store(lambda: (Outbox(tmp_path / "b.db"), {"list": opener(other)}))
    dispatcher.take(event(2), SIZE)
    assert dispatcher.replacing
    assert not slow.closed
    if not ended:
        slow.may_close.set()
        tend_until(dispatcher, lambda: other.entries)
        assert slow.closed
        assert not dispatcher.replacing
    dispatcher.close()
    for name, text in (("a.db", "1"), ("b.db", "2")):
        history = History(tmp_path / name)
        assert [entry.text for entry in history.entries()] == [text]
        history.close()


class Silent:
    """Takes connections and never says anything."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.connected = threading.Event()
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                self._connections.append(self._server.accept()[0])
            except OSError:
                return
            self.connected.set()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()
        for one in self._connections:
            one.close()


@pytest.fixture
def silent() -> Iterator[Silent]:
    one = Silent()
    yield one
    one.close()


def test_an_mqtt_outlet_ends_though_its_broker_is_silent(
    silent: Silent, mqtt_outlet: Callable[..., MqttOutlet]
) -> None:
    outlet = mqtt_outlet(silent.port)
    assert silent.connected.wait(DEADLINE)
    outlet.close()
    assert "mqtt" not in [thread.name for thread in threading.enumerate()]


def test_settings_that_change_again_while_a_journal_is_replaced(tmp_path: Path, silent: Silent) -> None:
    """The last settings are in force once the outlets have closed."""

    def settings(journal: str, topic: str) -> Settings:
        return registry.default_settings(
            {("journal", "file"): str(tmp_path / journal), ("mqtt", "topic"): topic,
             ("mqtt", "broker"): "127.0.0.1", ("mqtt", "port"): silent.port, ("name",): "pi"}
        )  # fmt: skip

    lines: list[str] = []
    assembly = OutletAssembly(LoopStats(), LatestFrame(), say=lines.append)
    before, between, now = settings("a.db", "one"), settings("b.db", "one"), settings("b.db", "two")
    now.outlets["mqtt"] = msgspec.structs.replace(now.outlets["mqtt"], broker="")
    now.outlets["lines"] = msgspec.structs.replace(now.outlets["lines"], enabled=True)
    dispatcher = assembly.open_dispatcher(before)
    dispatcher.change(assembly.openers(before))
    assert silent.connected.wait(DEADLINE)
    assembly.change(before, between, dispatcher)
    assert dispatcher.replacing
    assembly.change(between, now, dispatcher)
    assert dispatcher.replacing
    tend_until(dispatcher, lambda: not dispatcher.replacing)
    assert "mqtt" not in [thread.name for thread in threading.enumerate()]
    dispatcher.take(event(1), SIZE)
    dispatcher.close()
    history = History(tmp_path / "b.db")
    assert len(history.entries()) == 1
    history.close()


def test_the_events_of_a_frame_are_one_write() -> None:
    batches: list[int] = []

    class Store(NullStore):
        def add(self, drafts: Sequence[Draft]) -> list[Entry]:
            batches.append(len(drafts))
            return super().add(drafts)

    dispatcher = EventDispatcher(drafts, Store("pi"))
    for number in range(12):
        dispatcher.add(event(number), SIZE)
    dispatcher.write()
    dispatcher.write()
    assert batches == [12]
