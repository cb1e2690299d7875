"""Events -> drafts: the named region of the picture that a number is in, and the rules that it breaks."""

import re
from collections.abc import Mapping

import msgspec

from digitlens.config.settings import NAME, RegionSettings
from digitlens.core.errors import SettingsError
from digitlens.core.readings import Box
from digitlens.core.tracking import Event
from digitlens.outlets.entries import Draft

HOUR = 3600.0
"""Period of `change_per_hour`, seconds."""
MAX_GOOD = 1000
"""Good readings of a region that are kept for `change_per_hour`, at most."""
EXACT_DIGITS = 15
"""Digits of a value that a float holds exactly, at most."""


class _Region:
    """One region: the numbers in it, and the values that kept its rules."""

    def __init__(self, settings: RegionSettings) -> None:
        self.settings = settings
        self.present: dict[int, Event] = {}
        self.good: list[tuple[float, float]] = []  # time, value; the last is in force

    @property
    def value(self) -> float | None:
        return self.good[-1][1] if self.good else None

    @property
    def candidates(self) -> list[Event]:
        """The numbers in the region that could be its own."""
        digits = self.settings.digits
        return [event for event in self.present.values() if digits in (None, _count_digits(event.text))]

    def judge(self, event: Event) -> str:
        """Which rules the event's text breaks, in words; where it breaks none, its value is in force."""
        rules = self.settings
        reasons = []
        if all(candidate.id != event.id for candidate in self.candidates):
            reasons.append(f"digits: {_count_digits(event.text)}, not {rules.digits}")
        elif len(self.candidates) > 1:
            reasons.append(f"numbers: {len(self.candidates)} stand in the region")
        if _count_digits(event.text) > EXACT_DIGITS:
            return "; ".join([*reasons, f"digits: {_count_digits(event.text)}, more than {EXACT_DIGITS}"])
        value = _value(event.text, rules.decimals)
        if value is None:
            reasons.append(f"decimals: not {rules.decimals}")
            return "; ".join(reasons)
        if rules.smallest is not None and value < rules.smallest:
            reasons.append(f"smallest: {value:.15g} is below {rules.smallest:.15g}")
        if rules.largest is not None and value > rules.largest:
            reasons.append(f"largest: {value:.15g} is above {rules.largest:.15g}")
        if rules.rising and self.value is not None and value < self.value:
            reasons.append(f"rising: {value:.15g} is below {self.value:.15g}")
        if rules.change_per_hour is not None and (reason := self._too_fast(value, event.time)):
            reasons.append(reason)
        if not reasons:
            self.good.append((event.time, value))
            self._forget(event.time)
        return "; ".join(reasons)

    def _too_fast(self, value: float, time: float) -> str:
        """How the value breaks `change_per_hour`, within any hour or over a longer time; else empty."""
        allowed = self.settings.change_per_hour
        assert allowed is not None  # noqa: S101  # asked by judge
        # After a clock was set back the age of older readings is unknown; without this the rule would refuse
        # all values until the old time comes again.
        self.good = [(min(before, time), old) for before, old in self.good]
        self._forget(time)
        for before, old in self.good:
            hours = max(1.0, (time - before) / HOUR)
            if abs(value - old) > allowed * hours * (1 + 1e-9):
                return (
                    f"change_per_hour: from {old:.15g} to {value:.15g} within {hours:.3g} h, "
                    f"at most {allowed:.15g} an hour"
                )
        return ""

    def _forget(self, time: float) -> None:
        """Drop the readings before the last hour but one, which was in force when that hour began."""
        while len(self.good) > 1 and (len(self.good) > MAX_GOOD or self.good[1][0] <= time - HOUR):
            del self.good[0]


class Regions:
    """Gives each event its region and value; its only clock is the events' time.

    A number belongs to the smallest region that holds its center. Where more than one number in a region
    could be its own (with `digits`: has that many), none is taken: each entry has the reason, and the last
    good value stays in force until only one is left.

    Raises:
        SettingsError: a region's name does not fit into a topic.
    """

    def __init__(self, settings: Mapping[str, RegionSettings]) -> None:
        self.settings = settings
        for name in settings:
            if not NAME.fullmatch(name):
                raise SettingsError(
                    f"region.{name}: a region's name has up to 64 letters (a to z), digits, _ and -"
                )
        self._regions = {name: _Region(region) for name, region in settings.items()}
        self._region_of: dict[int, str] = {}

    def restore(self, good: Mapping[str, tuple[float, float]]) -> None:
        """Put values of before a restart in force: region -> value and time; unknown regions are ignored."""
        for name, (value, time) in good.items():
            if name in self._regions:
                self._regions[name].good = [(time, value)]

    @property
    def values(self) -> dict[str, float | None]:
        """The value in force of each region; None before the first that kept the rules."""
        return {name: region.value for name, region in self._regions.items()}

    def apply(self, event: Event, size: tuple[int, int]) -> list[Draft]:
        """The event as a draft; its box is in a picture of `size` (width, height).

        A second draft follows where the number has left another one alone in a region: that one counts now.
        """
        before = self._region_of.pop(event.id, "")
        name = before if event.kind == "gone" else self._find(event.box, size)
        crowded = {one for one in {before, name} - {""} if len(self._regions[one].candidates) > 1}
        if before:
            del self._regions[before].present[event.id]
        value, reason = None, ""
        if name:
            region = self._regions[name]
            if event.kind != "gone":
                self._region_of[event.id] = name
                region.present[event.id] = event
                reason = region.judge(event)
            value = region.value
        drafts = [_draft(event, size, name, value, reason)]
        for one in sorted(crowded):
            region = self._regions[one]
            if len(region.candidates) == 1 and region.candidates[0].id != event.id:
                left = msgspec.structs.replace(
                    region.candidates[0], kind="changed", time=event.time, before=""
                )
                region.present[left.id] = left
                reason = region.judge(left)
                drafts.append(_draft(left, size, one, region.value, reason))
        return drafts

    def _find(self, box: Box, size: tuple[int, int]) -> str:
        x = (box[0] + box[2] / 2) / size[0]
        y = (box[1] + box[3] / 2) / size[1]
        found = []
        for name, region in self._regions.items():
            left, top, right, bottom = region.settings.corners
            if left <= x <= right and top <= y <= bottom:
                found.append(((right - left) * (bottom - top), name))
        return min(found)[1] if found else ""


def _count_digits(text: str) -> int:
    return sum(sign.isdigit() for sign in text)


def _value(text: str, decimals: int) -> float | None:
    """1234 with one decimal place is 123.4; None for a text with a separator in another place."""
    parts = re.split(r"\D", text)
    if len(parts) == 1 and text:
        return float(text) / 10.0**decimals
    if len(parts) != 2 or not all(parts) or decimals not in (0, len(parts[1])):
        return None
    return float(".".join(parts))


def _draft(
    event: Event, size: tuple[int, int], region: str = "", value: float | None = None, reason: str = ""
) -> Draft:
    return Draft(
        time=event.time,
        kind=event.kind,
        number=event.id,
        text=event.text,
        confidence=event.confidence,
        box=event.box,
        size=size,
        before=event.before,
        region=region,
        value=value,
        reason=reason,
    )
