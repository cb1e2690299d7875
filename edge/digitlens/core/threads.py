"""Objects that several threads share: their calls wait for each other."""

import threading
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

Owner = TypeVar("Owner")
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def one_at_a_time(
    method: Callable[Concatenate[Owner, Arguments], Result],
) -> Callable[Concatenate[Owner, Arguments], Result]:
    """A method that waits until no other thread is in a method of this kind of the same object."""

    @wraps(method)
    def waiting(self: Owner, /, *arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
        # dict.setdefault is atomic: two threads that come first get one lock.
        with self.__dict__.setdefault("_one_at_a_time", threading.RLock()):
            return method(self, *arguments, **options)

    return waiting
