"""Parameters of watching for sheets: when a sheet lies still, and when it is another one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SheetWatchParameters:
    """When a camera's picture of a sheet is read; all set by hand on generated films."""

    tile: int = 16
    """Side of the tiles whose mean brightness is compared, pixels of a picture 640 wide."""
    moved: float = 4.0
    """Difference of a tile from frame to frame from which something moves, gray levels."""
    other: float = 8.0
    """Difference of a tile from which it is not the sheet of before that lies there, gray levels."""
    still_frames: int = 5
    """Frames without motion before a sheet is read."""
    still_time: float = 0.25
    """Time without motion before a sheet is read, seconds."""
    sharpest: int = 2
    """Frames that a sheet is read from, the sharpest ones."""
    retry: float = 1.0
    """Time after which a still picture that could not be read is tried again, seconds."""
    alignment: float = 1.2
    """Deviation of the print from its place up to which a sheet is taken, millimeters."""
    covered: float = 0.35
    """Darkness of a field's print below which something lies on it, parts of what is usual on the page."""
    most_sheets: int = 5_000
    """Sheets of which the last content is remembered, to see what a second picture changes."""
