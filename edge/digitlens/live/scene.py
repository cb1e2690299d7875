"""Detects that another sheet has taken the place of the one whose digits are tracked."""

from collections.abc import Mapping

from digitlens.config.parameters.tracking import TrackingParameters
from digitlens.live.evidence import DigitTrack


class SceneChangeDetector:
    """Counts consecutive frames that show few of the tracked digits."""

    def __init__(self, parameters: TrackingParameters) -> None:
        self._parameters = parameters
        self._strange = 0

    def changed(self, digits: list[DigitTrack], values: Mapping[DigitTrack, int]) -> bool:
        """Whether the sheet of the settled `digits` is gone, and another one is in its place.

        `values` are those of the frame's digits, new ones included. A frame without digits changes nothing:
        that is a hand, or a black frame.
        """
        frames = self._parameters.scene_frames
        known = [one for one in digits if one.is_settled and not one.is_noise and one.is_inside]
        if not known:
            self._strange = 0
            return False
        if not values:
            return False
        same = sum(values.get(one) == one.value for one in known)
        if same >= self._parameters.scene_similarity * min(len(known), len(values)):
            self._strange = 0
            return False
        self._strange += 1
        if self._strange < frames:
            return False
        # Most digits of a new sheet were there in the frames before, too; gravel is no new sheet, nor is a
        # page that is pulled along.
        stays = sum(one.contradictions >= frames if one.is_settled else one.seen >= frames for one in values)
        if 2 * stays < len(values):
            return False
        self._strange = 0
        return True
