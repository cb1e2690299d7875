"""Opens a display by its name; the drivers are found through entry points."""

import sys
from collections.abc import Mapping
from functools import cache

from digitlens.core import registry
from digitlens.core.errors import DisplayError
from digitlens.core.paths import printable
from digitlens.core.preview import Preview
from digitlens.displays.base import Display, DisplayDriver, DisplayOptions

AUTO = "auto"


@cache
def display_drivers() -> Mapping[str, DisplayDriver]:
    """All drivers by name, in the order in which they are tried; one that cannot be imported is left out."""
    found: dict[str, DisplayDriver] = registry.imported(registry.DISPLAYS, "display")
    return dict(sorted(found.items(), key=lambda one: one[1].order))


def open_display(
    wanted: str = AUTO,
    *,
    full_screen: bool = False,
    title: str = "digitlens",
    preview: Preview | None = None,
    drivers: Mapping[str, DisplayDriver] | None = None,
) -> Display:
    """Open the display `wanted`: drm, qt, sdl, none, or auto for the first of these that opens.

    `preview` is the open camera's own, which drm and qt need; `drivers` None takes all that are installed.
    One line on stderr names the display that was taken, and the reason.

    Raises:
        DisplayError: `wanted` cannot be opened; never for auto and none.
    """
    drivers = display_drivers() if drivers is None else drivers
    if wanted != AUTO and wanted not in drivers:
        raise DisplayError(f"display {wanted!r}: there is auto, {', '.join(drivers)}")
    options = DisplayOptions(full_screen, title, preview)
    reasons: dict[str, str] = {}  # a reason, and the names that it holds for
    for name, driver in drivers.items():
        if wanted not in (AUTO, name):
            continue
        try:
            display = driver.open(options)
        except DisplayError as error:
            if wanted != AUTO:
                raise DisplayError(f"display {name}: {error}; --display none does without") from error
            reasons[str(error)] = ", ".join(filter(None, (reasons.get(str(error)), name)))
            continue
        taken = "as asked" if wanted != AUTO else "the best there is"
        why = "; ".join(f"no {names}: {reason}" for reason, names in reasons.items()) or taken
        about = f" ({display.about})" if hasattr(display, "about") else ""
        sys.stderr.write(f"digitlens: {printable(f'display {name}{about}; {why}')}\n")
        return display
    raise DisplayError("no display driver is installed; reinstall digitlens with pip")
