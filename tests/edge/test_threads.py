"""One Reader, and one Classifier, used from several threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from digitlens import Classifier, Reader
from tests.edge.pages import write

Gray = npt.NDArray[np.uint8]


def test_a_classifier_from_four_threads(digits: tuple[Gray, Gray]) -> None:
    classifier = Classifier.load()
    batches = [digits[0][start : start + size] for start, size in ((0, 1), (10, 7), (50, 32), (100, 40)) * 6]
    alone = [classifier.probabilities(batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(classifier.probabilities, batches))
    assert all((one == other).all() for one, other in zip(alone, together, strict=True))


def test_a_reader_from_four_threads(digits: tuple[Gray, Gray]) -> None:
    reader = Reader()
    texts = ["40716", "27", "3141", "59"] * 3
    pages = [np.pad(write(text, digits), 60, mode="edge") for text in texts]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(reader.read, pages))
    assert [[number.text for number in reading.numbers] for reading in found] == [[text] for text in texts]
