"""Drivers found through entry points: the shipped ones, and any that other packages bring."""

import logging
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from digitlens.core.errors import first_line

CAMERAS = "digitlens.cameras"
DISPLAYS = "digitlens.displays"
OUTLETS = "digitlens.outlets"


@cache
def drivers(group: str) -> dict[str, EntryPoint]:
    """The entry points of a group by name; nothing is imported.

    Of two of one name the shipped one is taken, so that no package replaces a driver unseen.
    """
    found: dict[str, EntryPoint] = {}
    for entry in sorted(
        entry_points(group=group), key=lambda entry: not entry.value.startswith("digitlens.")
    ):
        found.setdefault(entry.name, entry)
    return found


def imported(group: str, kind: str) -> dict[str, Any]:
    """The drivers of a group by name; one that cannot be imported is left out, with a line in the log.

    `kind` is what the line calls them.
    """
    found: dict[str, Any] = {}
    for name, entry in drivers(group).items():
        try:
            found[name] = entry.load()
        except Exception as error:  # of another package: the other drivers work without it
            logging.getLogger(__name__).warning(
                "the %s driver %s cannot be imported: %s", kind, name, first_line(error)
            )
    return found
