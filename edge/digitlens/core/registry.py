"""Drivers found through entry points: the shipped ones, and any that other packages bring."""

from functools import cache
from importlib.metadata import EntryPoint, entry_points

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
