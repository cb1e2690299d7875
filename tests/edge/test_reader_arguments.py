"""What a Reader takes and gives: arrays, parameters, former keywords, and the trace of a picture."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from digitlens import Classifier, PictureError, Reader
from digitlens.config.parameters import Parameters
from digitlens.config.parameters.reader import ReaderParameters
from digitlens.core.trace import Trace
from tests.edge.pages import write

Digits = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


def _texts(reader: Reader, page: npt.NDArray[Any]) -> list[str]:
    return [number.text for number in reader.read(page).numbers]


def test_the_same_picture_reads_the_same(reader: Reader, digits: Digits) -> None:
    page = write("90210", digits)
    first, second = reader.read(page), reader.read(page)
    assert first.numbers == second.numbers


def test_the_page_is_not_written_on(reader: Reader, digits: Digits) -> None:
    page = write("90210", digits)
    page.flags.writeable = False
    assert _texts(reader, page) == ["90210"]


def test_a_strided_view_is_read(reader: Reader, digits: Digits) -> None:
    """A camera's Y plane comes with a stride."""
    page = write("90210", digits)
    wide = np.zeros((page.shape[0], page.shape[1] + 37), np.uint8)
    wide[:, : page.shape[1]] = page
    assert _texts(reader, wide[:, : page.shape[1]]) == ["90210"]


@pytest.mark.parametrize(
    "image",
    [np.zeros((0, 5), np.uint8), np.zeros((5, 5, 4), np.uint8), np.zeros((9, 9)), np.zeros(9, np.uint8)],
)
def test_an_array_that_is_no_picture_is_named(reader: Reader, image) -> None:
    with pytest.raises(PictureError, match="must be"):
        reader.read(image)


def test_the_svm_reads_too(digits: Digits) -> None:
    assert _texts(Reader(Classifier.load("svm")), write("0123456789", digits)) == ["0123456789"]


def test_the_trace_shows_each_stage(reader: Reader, digits: Digits) -> None:
    page = write("4071", digits)
    traces: list[Trace] = []
    reading = reader.watched(traces.append).read(page)
    (trace,) = traces
    np.testing.assert_array_equal(trace.gray, page)
    assert trace.numbers == reading.numbers == reader.read(page).numbers
    assert trace.milliseconds == reading.milliseconds
    assert list(reading.milliseconds) == ["glyphs", "rows", "numbers", "total"]
    *stages, total = reading.milliseconds.values()
    assert 0 < sum(stages) <= total
    assert len(trace.glyphs) == len(trace.resolved) == 4
    assert trace.crops.shape == (4, 28, 28)
    assert trace.probabilities.shape == (4, 10)
    assert np.all(trace.ink[trace.digit_ink > 0] == 255)
    np.testing.assert_array_equal(trace.kinds > 0, trace.ink > 0)


def test_parameters_reach_the_stages(reader: Reader, digits: Digits) -> None:
    page = write("4071", digits)
    strict = Parameters(reader=ReaderParameters(min_posterior=1.01))
    assert Reader(reader.classifier, row_network="none").read(page).numbers
    assert (
        Reader(reader.classifier, row_network="none", parameters=strict, front="rules").read(page).numbers
        == ()
    )


def test_the_former_keyword_warns_once(reader: Reader) -> None:
    with pytest.warns(DeprecationWarning, match="row_network") as warned:
        former = Reader(reader.classifier, whole="none")
    assert len(warned) == 1
    assert former.row_network == "none"
