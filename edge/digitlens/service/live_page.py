"""The page of `digitlens live --web`: what the service has from its settings, without them."""

from collections.abc import Callable

import msgspec

from digitlens.core.errors import SettingsError
from digitlens.core.frames import Frame
from digitlens.core.tracking import Event, Tracked
from digitlens.live.latest import LatestFrame
from digitlens.live.stats import LoopStats
from digitlens.outlets import registry
from digitlens.outlets.assembly import OutletAssembly, device
from digitlens.outlets.dispatcher import EventDispatcher, NullStore, OutletOpener
from digitlens.outlets.regions import Regions


class NoLivePage:
    """Nobody looks: the same calls do nothing."""

    def __init__(self) -> None:
        self.vitals = LoopStats()

    def publish(self, frame: Frame, numbers: tuple[Tracked, ...], size: tuple[int, int]) -> None:
        """A frame has been looked at."""

    def take(self, event: Event, size: tuple[int, int]) -> None:
        """Something has happened; the boxes are in a picture of `size`."""

    def close(self) -> None:
        """Nothing to close."""


class LivePage(NoLivePage):
    """Opens the page, which must be had, and has no journal.

    Raises:
        DependencyError: tornado is not installed.
        OutletError: the address or the token cannot be had.
    """

    def __init__(self, listen: str, token_file: str, camera: str, say: Callable[[str], None]) -> None:
        self.vitals, self._latest = LoopStats(camera), LatestFrame()
        settings = registry.default_settings()
        page_settings = msgspec.structs.replace(settings.outlets["web"], listen=listen, token_file=token_file)
        settings.outlets["web"] = page_settings
        outlets = OutletAssembly(self.vitals, self._latest, say=say)
        page = outlets.openers(settings)["web"].open()  # here a fault is an error, not tried again
        self._dispatcher = EventDispatcher(Regions({}).apply, NullStore(device(settings)))
        self._dispatcher.change({"web": OutletOpener((), lambda: page)})

    def publish(self, frame: Frame, numbers: tuple[Tracked, ...], size: tuple[int, int]) -> None:
        """See NoPage."""
        self._latest.publish(frame, numbers, size)

    def take(self, event: Event, size: tuple[int, int]) -> None:
        """See NoPage."""
        self._dispatcher.take(event, size)

    def close(self) -> None:
        """Close it; again does nothing."""
        self._latest.close()
        self._dispatcher.close()


def open_page(listen: str, token_file: str, camera: str, say: Callable[[str], None]) -> NoLivePage:
    """The page on that address; without one, none. See Page for what it raises."""
    if listen:
        return LivePage(listen, token_file, camera, say)
    if token_file:
        raise SettingsError("--web-token is the page's: name its address with --web HOST:PORT")
    return NoLivePage()
