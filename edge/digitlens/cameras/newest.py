"""The newest frame that a thread grabs: no queue, so nothing grows and nothing is stale."""

import threading
from collections.abc import Callable
from time import monotonic

from digitlens.core.errors import CameraError, CameraStalled
from digitlens.core.frames import Frame


class Newest:
    """Calls `grab` in a loop, in a thread of its own, and keeps only the newest frame.

    `grab` returns a Frame, None for one that is unusable (counted as dropped), or raises CameraError, which
    ends the thread and is raised by `newest` and `ready`. `release` is called by the same thread when it
    ends, for no device may be closed while another thread waits in it.
    """

    preview = None

    def __init__(
        self, name: str, grab: Callable[[], Frame | None], release: Callable[[], None] = lambda: None
    ) -> None:
        self.name = name
        self.dropped = 0
        self._grab = grab
        self._release = release
        self._frame: Frame | None = None
        self._lost: CameraError | None = None
        self._closed = False
        self._news = threading.Condition()
        self._last = monotonic()
        self._thread = threading.Thread(target=self._run, name=f"digitlens {name}", daemon=True)
        self._thread.start()

    def newest(self, timeout: float) -> Frame:
        """See Camera.newest."""
        with self._news:
            frame, self._frame = self._wait(timeout), None
            return frame

    def ready(self, timeout: float) -> None:
        """Wait for a frame and leave it there; raises as `newest` does."""
        with self._news:
            self._wait(timeout)

    def close(self, timeout: float = 1.0) -> None:
        """End the thread; one that hangs in its camera is abandoned after `timeout` seconds."""
        self._closed = True
        self._thread.join(timeout)

    def _wait(self, timeout: float) -> Frame:
        self._news.wait_for(lambda: self._frame is not None or self._lost is not None, timeout)
        if self._frame is not None:
            return self._frame
        if self._lost is not None:
            raise self._lost
        raise CameraStalled(f"{self.name}: no frame for {monotonic() - self._last:.1f} s")

    def _run(self) -> None:
        try:
            while not self._closed:
                frame = self._grab()
                with self._news:
                    if frame is None or self._frame is not None:
                        self.dropped += 1
                    if frame is not None:
                        self._frame, self._last = frame, monotonic()
                        self._news.notify()
        except CameraError as error:
            self._end(error)
        except Exception as error:  # whatever a driver raises, the loop must learn that the thread ended
            self._end(CameraError(f"{self.name}: {error}"))
        finally:
            self._release()

    def _end(self, error: CameraError) -> None:
        with self._news:
            self._lost = error
            self._news.notify()
