"""A receiver's answers -> the webhook."""

import queue
import random
import tempfile
from pathlib import Path

from fuzz.cases import Found, Ready

TIMEOUT = 60.0
"""Time within which the receiver's good answer must be taken in the end, seconds."""
GOOD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


def answer(case: random.Random, folder: Path, ready: Ready) -> None:
    """Strange answers, then a good one: every entry is taken or a dead letter; each message is one line."""
    from digitlens.outlets.webhook import WebhookOutlet, WebhookTiming
    from digitlens.outlets.webhook_settings import WebhookSettings
    from tests.edge.outlets import fuzzing
    from tests.edge.outlets.brokers import WatchedOutbox, draft

    said = [GOOD, *(fuzzing.answer(case.getrandbits(40)) for _ in range(8))]
    with tempfile.TemporaryDirectory(dir=folder) as place:
        watched = WatchedOutbox(Path(place) / "journal.db")
        with fuzzing.Port(lambda: said.pop() if len(said) > 1 else GOOD) as port:
            settings = WebhookSettings(url=f"http://127.0.0.1:{port.port}/", timeout=1.0)
            timing = WebhookTiming(pauses=(0.001,), longest_retry_after=0.01)
            ready()
            outlet = WebhookOutlet(settings, watched, watched.lines.put, timing)
            outlet.announce(watched.add([draft(count) for count in range(8)]))
            try:
                watched.wait_empty("webhook", TIMEOUT)
            except AssertionError as error:
                raise Found(f"entries wait on: {error}") from error
            finally:
                outlet.close()
            if outlet.thread.error is not None:
                raise Found(f"its thread ended: {outlet.thread.error!r}")
        watched.close()
        while True:
            try:
                line = watched.lines.get_nowait()
            except queue.Empty:
                break
            if not line.isprintable() or len(line) > 500:
                raise Found(f"says {line!r}")
