"""The page of `digitlens live --web`: an outlet without the service, its settings and its outbox."""

from collections.abc import Callable, Sequence

import msgspec

from digitlens.core.errors import SettingsError
from digitlens.core.frames import Frame
from digitlens.core.readings import Reading
from digitlens.core.tracking import Event, Tracked
from digitlens.live.latest import LatestFrame
from digitlens.live.observers import LiveObserver
from digitlens.live.stats import LoopStats
from digitlens.outlets import registry
from digitlens.outlets.assembly import OutletAssembly, device
from digitlens.outlets.dispatcher import EventDispatcher, NullStore, OutletOpener
from digitlens.outlets.regions import Regions


class NoLivePage:
    """No page: the same calls do nothing."""

    observers: Sequence[LiveObserver] = ()

    def close(self) -> None:
        """Nothing to close."""


class LivePage(LiveObserver):
    """An open page; hand its `observers` to the live loop.

    Raises:
        DependencyError: tornado is not installed.
        OutletError: the address cannot be opened, or the token not be read.
    """

    def __init__(self, listen: str, token_file: str, camera: str, say: Callable[[str], None]) -> None:
        stats, self._latest = LoopStats(camera), LatestFrame()
        self.observers: Sequence[LiveObserver] = (stats, self._latest, self)
        settings = registry.default_settings()
        page_settings = msgspec.structs.replace(settings.outlets["web"], listen=listen, token_file=token_file)
        settings.outlets["web"] = page_settings
        outlets = OutletAssembly(stats, self._latest, say=say)
        opener = outlets.openers(settings)["web"]
        page = [opener.open()]  # a fault is an error here, and tried again only once the page was open
        self._dispatcher = EventDispatcher(Regions({}).apply, NullStore(device(settings)))
        self._dispatcher.change({"web": OutletOpener((), lambda: page.pop() if page else opener.open())})

    def event(self, event: Event, size: tuple[int, int]) -> None:
        """See LiveObserver."""
        self._dispatcher.take(event, size)

    def frame(
        self, frame: Frame, reading: Reading, numbers: tuple[Tracked, ...], size: tuple[int, int]
    ) -> None:
        """See LiveObserver; a page that failed is opened anew between frames."""
        self._dispatcher.tend()

    def close(self) -> None:
        """Close the page; closing twice does nothing."""
        self._latest.close()
        self._dispatcher.close()


def open_page(listen: str, token_file: str, camera: str, say: Callable[[str], None]) -> LivePage | NoLivePage:
    """The page on the address `listen`; none if it is empty. See LivePage for the errors."""
    if listen:
        return LivePage(listen, token_file, camera, say)
    if token_file:
        raise SettingsError("--web-token is the page's: name its address with --web HOST:PORT")
    return NoLivePage()
