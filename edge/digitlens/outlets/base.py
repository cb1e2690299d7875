"""What an outlet is: one class with its settings, its options, its check before the start, and its opening.

The registry finds outlets by their entry points in the group digitlens.outlets; nothing else names them.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol, Self, Unpack

import msgspec

from digitlens.config.settings import RegionSettings
from digitlens.core.errors import DigitLensError, OutletError
from digitlens.core.paths import SPECIAL, is_special
from digitlens.live.latest import LatestFrame
from digitlens.live.stats import LoopStats
from digitlens.outlets.entries import Entry, PagedFilter
from digitlens.outlets.outbox import Outbox
from digitlens.outlets.secrets import secret, secret_path
from digitlens.outlets.tls import client_context


class HistorySource(Protocol):
    """Entries of before; may be called from several threads."""

    def history(self, limit: int = 100, **filters: Unpack[PagedFilter]) -> list[Entry]:
        """The newest `limit` that match, the newest first."""


class Option(NamedTuple):
    """An option of `digitlens serve` that takes precedence over a key of the outlet's section.

    Without `metavar` it is a flag.
    """

    flag: str
    key: str
    help: str
    metavar: str | None = None


@dataclass(frozen=True)
class OutletContext:
    """What an outlet may use; it may be asked from the outlet's threads.

    `outbox` raises JournalError where nothing is kept; `history` is None then. `outbox_counts` are those of
    web.metrics.COUNTS. `present` are the newest entries of the numbers that have not gone: an outlet that is
    reopened starts from them. `kept` begins the names of files that outlets keep; None where nothing is kept.
    """

    device: str
    regions: Mapping[str, RegionSettings]
    stats: LoopStats
    latest: LatestFrame
    outbox: Callable[[], Outbox]
    history: HistorySource | None
    outbox_counts: Callable[[], Mapping[str, Mapping[str, int]]]
    present: Callable[[], Sequence[Entry]]
    say: Callable[[str], None]
    kept: Path | None = None


class OutletThread(threading.Thread):
    """An outlet's thread. What ends it is kept in `error`: the dispatcher opens the outlet anew."""

    def __init__(self, name: str, target: Callable[[], None]) -> None:
        super().__init__(name=name, daemon=True)
        self.error: BaseException | None = None
        self._run_outlet = target

    def run(self) -> None:
        """See Thread."""
        try:
            self._run_outlet()
        except BaseException as error:
            self.error = error


class Outlet:
    """Hands entries on; all calls but `close` come from the live loop's thread and return at once.

    An outlet that sends takes entries from the outbox, in a `thread` of its own, and acknowledges them there;
    `announce` only says that there are new ones, which are in the outbox by then.

    Attributes:
        name: of the outlet, and of its section in the settings file.
        Settings: the type of that section; every key has a default and a description.
        switch: the key that turns the outlet on if its value is not empty.
        options: of `digitlens serve`.
        sends_from_outbox: it needs a journal, and is reopened with another one or another device's name.
        uses_regions: it is reopened when the regions change.
        shows_picture: frames are wanted in color.
        modules: imported before the loop starts.
        secrets: each key that names a secret's file, with systemd's credential in the place of that file.
    """

    name: ClassVar[str]
    Settings: ClassVar[type[msgspec.Struct]]
    switch: ClassVar[str]
    options: ClassVar[tuple[Option, ...]] = ()
    sends_from_outbox: ClassVar[bool] = False
    uses_regions: ClassVar[bool] = False
    shows_picture: ClassVar[bool] = False
    modules: ClassVar[tuple[str, ...]] = ()
    secrets: ClassVar[tuple[tuple[str, str], ...]] = ()
    thread: OutletThread | None = None

    @classmethod
    def check(cls, settings: Any) -> None:
        """Whether the values of the section go together.

        Raises:
            ValueError: "KEY: what is wrong"; no secret is repeated.
        """

    @classmethod
    def files(cls, settings: Any) -> dict[str, Path]:
        """The files of the settings that are set, by key: secrets, and all whose key ends with `_file`."""
        credentials = dict(cls.secrets)
        keys = [key for key in settings.__struct_fields__ if key in credentials or key.endswith("_file")]
        paths = {key: secret_path(getattr(settings, key), credentials.get(key, "")) for key in keys}
        return {key: path for key, path in paths.items() if path is not None}

    @classmethod
    def is_on(cls, settings: Any) -> bool:
        """Whether the section turns the outlet on."""
        return bool(getattr(settings, cls.switch))

    @classmethod
    def preflight(cls, settings: Any) -> list[str]:
        """What would stop the outlet on this machine, a line each, without opening it.

        Here: files that cannot be read or do not hold what they must, secrets that others can read, and
        packages that are missing.
        """
        problems = []
        for key, path in cls.files(settings).items():
            if is_special(path):
                problems.append(f"[{cls.name}] {key}: {path} cannot be read: {SPECIAL}")
                continue
            try:
                with path.open("rb") as file:
                    file.read(1)
            except OSError as error:
                problems.append(f"[{cls.name}] {key}: {path} cannot be read: {error.strerror}")
                continue
            if key in dict(cls.secrets):
                problems += stopped_by(cls.name, partial(secret, str(path), "", key))
            elif key == "ca_file":
                problems += stopped_by(cls.name, partial(client_context, str(path), key))
        for module in cls.modules:
            try:
                import_module(module)
            except DigitLensError as error:
                problems.append(f"[{cls.name}] {error}")
            except ImportError as error:
                problems.append(f"[{cls.name}] {error}: pip install 'digitlens[{cls.name}]'")
        return problems

    @classmethod
    def warnings(cls, settings: Any) -> list[str]:
        """What weakens the outlet without stopping it, a line each; no secret is repeated.

        Raises:
            OutletError: what preflight reports.
        """
        return []

    @classmethod
    def open(cls, settings: Any, context: OutletContext) -> Self:
        """Open it; an error is reported, and opening tried again at growing pauses.

        Raises:
            OutletError: it cannot be opened.
            DependencyError: a package is missing, which no further try would bring.
        """
        raise NotImplementedError

    @property
    def failure(self) -> BaseException | None:
        """What ended its thread; None while it runs, and where it has none."""
        return None if self.thread is None else self.thread.error

    def announce(self, entries: Sequence[Entry]) -> None:
        """These entries have been written to the outbox."""
        raise NotImplementedError

    def close(self) -> None:
        """End the thread, after the messages in flight; a second call does nothing.

        Called in a thread of its own, and waited for no longer than closing.CLOSE_TIMEOUT.
        """


def stopped_by(section: str, step: Callable[[], object]) -> list[str]:
    """The line of preflight for a step of an outlet's opening that fails; nothing where it does not."""
    try:
        step()
    except OutletError as error:
        return [f"[{section}] {str(error).removeprefix(f'{section}.')}"]
    return []


class ListOutlet(Outlet):
    """Keeps announced entries in a list, for programs and tests."""

    name = "list"

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def announce(self, entries: Sequence[Entry]) -> None:
        """Append them."""
        self.entries.extend(entries)
