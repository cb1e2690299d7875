"""A limit on the time of calls into a driver, which may hang."""

import threading
from collections.abc import Callable
from typing import TypeVar

from digitlens.core.errors import CameraStalled

T = TypeVar("T")


def within(seconds: float, message: str, call: Callable[[], T], late: Callable[[T], None] | None = None) -> T:
    """The result of `call`, made in a thread of its own, which is abandoned if it hangs.

    Args:
        seconds: the limit.
        message: of the error, if it takes longer.
        call: its errors are raised here.
        late: is called with a result that came too late, so that no camera stays open.

    Raises:
        CameraStalled: it took longer.
    """
    results: list[T] = []
    errors: list[Exception] = []
    lock = threading.Lock()
    abandoned = False

    def run() -> None:
        try:
            result = call()
        except Exception as error:
            errors.append(error)
            return
        with lock:
            if not abandoned:
                results.append(result)
                return
        if late is not None:
            late(result)

    thread = threading.Thread(target=run, name=f"digitlens {message}", daemon=True)
    thread.start()
    thread.join(seconds)
    with lock:
        abandoned = not results
    if errors:
        raise errors[0]
    if not results:
        raise CameraStalled(message)
    return results[0]
