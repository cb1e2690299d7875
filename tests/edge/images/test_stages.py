"""Pictures of a trace: the classes of ink in colors; a row's crop above its columns, then the hypotheses."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from digitlens.core.row_trace import HypothesisTrace, RowTrace
from digitlens.core.trace import Trace
from digitlens.images.row_stages import LEFT, ZOOM, draw_row
from digitlens.images.stages import KINDS, LEFT_OUT, Stages


def _row(width: int, count: int, shown: int, text: str = "7") -> RowTrace:
    """A row whose crop has a white bar, and whose columns show a 7, at the column `shown`."""
    columns = np.zeros((count, 13), np.float32)
    columns[:, 12] = 1
    columns[shown] = np.eye(13, dtype=np.float32)[7]
    crop = np.zeros((32, width), np.uint8)
    step = max(2, width / count)
    crop[:, round(shown * step) : round((shown + 1) * step)] = 255
    hypotheses = (
        HypothesisTrace(text, "n-best", -0.1, True),
        HypothesisTrace("", "lattice", None, False),
    )
    reason = "row network: log-odds 5.1"
    return RowTrace((0, 0, width, 32), crop, columns, "", text, text, reason, lambda: hypotheses)


def _extent(mask: npt.NDArray[np.bool_]) -> tuple[int, int]:
    places = np.flatnonzero(mask)
    return int(places[0]), int(places[-1]) + 1


@pytest.mark.parametrize(("width", "count"), [(100, 64), (128, 64), (800, 192)])
def test_columns_lie_below_their_part_of_the_crop(width: int, count: int) -> None:
    picture = draw_row(_row(width, count, 40))
    crop = picture[10 : 10 + 32 * ZOOM]
    bar = _extent((crop[16, LEFT : LEFT + width * ZOOM] == 255).all(axis=1))
    bright = cv2.applyColorMap(np.full((1, 1), 255, np.uint8), cv2.COLORMAP_VIRIDIS)[0, 0]
    sevens = picture[10 + 32 * ZOOM + 7 * 16 + 8]
    column = _extent((sevens[LEFT:] == bright).all(axis=1))
    assert column == pytest.approx(bar, abs=ZOOM)


def test_long_and_missing_texts_are_drawn() -> None:
    row = _row(64, 64, 3, "1234567890123456789012")
    assert draw_row(row).shape[2] == 3


def test_ink_is_shown_by_its_class_and_by_whether_it_is_kept(tmp_path: Path) -> None:
    kinds = np.zeros((40, 60), np.uint8)
    for kind in KINDS:
        kinds[10 * (kind - 1) : 10 * kind - 5, 5:50] = kind
    ink = np.where(kinds > 0, np.uint8(255), np.uint8(0))
    trace = Trace(
        gray=np.where(kinds > 0, np.uint8(0), np.uint8(255)),
        ink=ink,
        kinds=kinds,
        digit_ink=np.where(kinds == 1, ink, np.uint8(0)),
        glyphs=[],
        parts=[],
        resolved=[],
        crops=np.zeros((0, 28, 28), np.uint8),
        probabilities=np.zeros((0, 10), np.float32),
        rows=(),
        numbers=(),
        milliseconds={},
    )
    Stages(tmp_path)(trace)
    classes, kept = (cv2.imread(str(tmp_path / f"{name}.png")) for name in ("1-ink", "2-kept"))
    for kind, color in KINDS.items():
        assert (classes[kinds == kind] == color).all()
        assert (kept[kinds == kind] == ((0, 0, 0) if kind == 1 else LEFT_OUT)).all()
    assert (classes[kinds == 0] == 255).all()
    assert (kept[kinds == 0] == 255).all()
    assert len({*KINDS.values(), LEFT_OUT, (255, 255, 255)}) == 6
