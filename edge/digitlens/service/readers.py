"""What reads a camera's frames: numbers, or the sheets of a form."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from digitlens.config.parameters.following import FollowParameters
from digitlens.config.parameters.tracking import LoopParameters
from digitlens.config.settings import ReaderSettings, Settings, SheetSettings
from digitlens.core.stderr import quiet
from digitlens.live.frame_reading import FrameReader, FrameTracker
from digitlens.live.tracker import Tracker
from digitlens.models.classifier import Classifier
from digitlens.reader import Reader

if TYPE_CHECKING:
    from digitlens.service.sheet_taking import SheetTaking

EVERY_FRAME = 10**9
"""Frames of an unmoving picture that are looked at while sheets are taken: all, for that costs little."""
SHEET_NOTICE = 60.0
"""Time for which the screen says which sheet was taken, seconds."""


class FrameParts(NamedTuple):
    """The parts of a live loop that know what is read; `sheets` where that is sheets."""

    reader: FrameReader
    make_tracker: Callable[[], FrameTracker]
    parameters: LoopParameters
    sheets: "SheetTaking | None" = None


def make_reader(settings: Settings) -> FrameParts:
    """Make what the settings describe.

    Raises:
        ModelError: there is no such model, or it does not fit its card.
        DependencyError: no TFLite interpreter works here, or the extra `sheets` is not installed.
        TemplateError, SheetError: the form's template cannot be read, or is wrong, or is of another's form.
    """
    reader = settings.reader
    with quiet():
        classifier = Classifier.load(reader.model, reader.threads)
        if settings.sheet.template:
            return sheet_parts(settings.sheet, classifier)
        return number_parts(reader, classifier)


def number_parts(settings: ReaderSettings, classifier: Classifier) -> FrameParts:
    """What reads numbers, with a classifier that is loaded.

    Raises:
        ModelError, DependencyError: see make_reader.
    """
    reader = Reader(
        classifier,
        separator=settings.separator,
        signs=settings.signs,
        least_confidence=settings.least_confidence,
        row_network=settings.row_network,
        printed=settings.printed,
        turn=None if settings.turn == "auto" else settings.turn,
        film=True,
    )
    following = FollowParameters(enabled=not settings.every_frame)
    return FrameParts(reader, Tracker, LoopParameters(following=following))


def sheet_parts(settings: SheetSettings, classifier: Classifier) -> FrameParts:
    """What takes the sheets of a form.

    Raises:
        ModelError, DependencyError, TemplateError: see make_reader.
    """
    # What nobody uses is not to take memory.
    from digitlens.service.sheet_taking import SheetTaking
    from digitlens.sheets.watch import SheetTracker

    taking = SheetTaking(Path(settings.template), classifier, settings.beep)
    parameters = LoopParameters(
        confirm_frames=EVERY_FRAME,
        unsteady_confirm_frames=EVERY_FRAME,
        notice_time=SHEET_NOTICE,
        following=FollowParameters(enabled=False),
    )
    return FrameParts(taking.watch, SheetTracker, parameters, taking)
