"""The order in which PUBACKs move the outbox's cursor."""

from digitlens.outlets.mqtt_inflight import ACKNOWLEDGE_BATCH, Inflight


def test_the_cursor_waits_for_the_oldest_entry() -> None:
    moved: list[str] = []
    inflight = Inflight(moved.extend)
    inflight.begin()
    for number in (1, 2, 3):
        inflight.add(number, f"id-{number}")
    inflight.add(4)
    for number in (2, 3):
        inflight.acknowledged(number)
    inflight.settle()
    assert moved == []
    assert len(inflight) == 4
    inflight.acknowledged(1)
    inflight.settle()
    assert moved == ["id-1", "id-2", "id-3"]  # at once: no entry is in flight any more
    assert len(inflight) == 1
    inflight.acknowledged(4)
    assert not inflight


def test_acknowledgments_are_batched_while_more_entries_are_in_flight() -> None:
    moved: list[str] = []
    inflight = Inflight(moved.extend)
    inflight.begin()
    for number in range(ACKNOWLEDGE_BATCH + 1):
        inflight.add(number, str(number))
    inflight.acknowledged(0)
    inflight.settle()
    assert moved == []
    wait = inflight.flush_due(inflight.progress)
    assert wait is not None
    assert wait > 0
    for number in range(1, ACKNOWLEDGE_BATCH):
        inflight.acknowledged(number)
    inflight.settle()
    assert moved == [str(number) for number in range(ACKNOWLEDGE_BATCH)]
    assert inflight.flush_due(inflight.progress) is None


def test_a_new_connection_has_nothing_in_flight() -> None:
    moved: list[str] = []
    inflight = Inflight(moved.extend)
    inflight.add(1, "id-1")
    inflight.add(2)
    inflight.begin()
    inflight.acknowledged(1)
    inflight.settle()
    assert not inflight
    assert moved == []
