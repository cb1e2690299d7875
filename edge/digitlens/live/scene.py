"""Is it still the sheet whose digits are followed, or has another one been laid in its place?"""

from collections.abc import Mapping

from digitlens.live.evidence import DigitTrack

STRANGE = 4
"""Frames of another sheet, after which the one before it is forgotten: three may be bad frames."""
ALIKE = 0.5
"""Of the digits seen or of those followed, that are read as they were before: less is another sheet."""


class SceneChangeDetector:
    """Counts the frames that hardly show what is followed."""

    def __init__(self) -> None:
        self._strange = 0

    def left(self, digits: list[DigitTrack], read: Mapping[DigitTrack, int]) -> bool:
        """Whether the sheet of the settled `digits` is gone, and another one stands in its place.

        `read` are the values that the frame's digits have, new ones included. A frame without any says
        nothing: that is a hand, or a black frame.
        """
        known = [one for one in digits if one.settled and not one.nothing and one.clear]
        if not known:
            self._strange = 0
            return False
        if not read:
            return False
        same = sum(read.get(one) == one.value for one in known)
        if same >= ALIKE * min(len(known), len(read)):
            self._strange = 0
            return False
        self._strange += 1
        if self._strange < STRANGE:
            return False
        # What is there now was there in the frames before, too: no gravel, and no page that is torn along.
        stays = sum(one.against >= STRANGE if one.settled else one.seen >= STRANGE for one in read)
        if 2 * stays < len(read):
            return False
        self._strange = 0
        return True
