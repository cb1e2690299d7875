"""A limit on the time of calls into a driver, which may hang."""

import threading
from collections.abc import Callable
from typing import TypeVar

from digitlens.core.errors import CameraStalled

T = TypeVar("T")


def within(seconds: float, what: str, call: Callable[[], T], late: Callable[[T], None] | None = None) -> T:
    """The result of `call`, made in a thread of its own, which is left alone if it hangs.

    Args:
        seconds: how long it may take.
        what: the message, if it takes longer.
        call: its errors are raised here.
        late: is handed a result that came too late, so that nobody's camera stays open.

    Raises:
        CameraStalled: it took longer.
    """
    results: list[T] = []
    errors: list[Exception] = []
    over = threading.Lock()
    left = False

    def run() -> None:
        try:
            result = call()
        except Exception as error:
            errors.append(error)
            return
        with over:
            if not left:
                results.append(result)
                return
        if late is not None:
            late(result)

    thread = threading.Thread(target=run, name=f"digitlens {what}", daemon=True)
    thread.start()
    thread.join(seconds)
    with over:
        left = not results
    if errors:
        raise errors[0]
    if not results:
        raise CameraStalled(what)
    return results[0]
