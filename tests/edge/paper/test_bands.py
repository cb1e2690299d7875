"""Bands: in bands of any number the network's outputs are the same to the bit."""

import numpy as np
import pytest

from digitlens.core.arrays import Gray
from digitlens.models import cards
from digitlens.models.interpreter import Network
from digitlens.paper import bands
from digitlens.paper.bands import PARTS, WINDOW, Bands, windows
from tests.edge.pages import put

Shape = tuple[int, int]


def shipped() -> Network:
    """The network `ink` of its own; one whose parts are run is not run in one piece."""
    return Network(cards.load(cards.find("ink"))[1])


@pytest.mark.parametrize("band", [1, 5, 12, 100])
@pytest.mark.parametrize("shape", [(32, 32), (160, 96), (224, 64)])
def test_bands_of_any_size_give_what_all_at_once_gives(
    shape: Shape, band: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bands, "BAND", band * shape[1])
    gray = np.random.default_rng(band).integers(0, 256, shape).astype(np.uint8)
    wanted = shipped().run(windows(gray)[np.newaxis])[0]
    np.testing.assert_array_equal(Bands(shipped()).run(gray), wanted)


def test_pictures_of_several_sizes_in_turn(digits: tuple[Gray, Gray]) -> None:
    large, small = np.full((256, 1280), 225, np.uint8), np.full((64, 96), 225, np.uint8)
    put(large, "27", digits, 60, 120)
    put(small, "4", digits, 20, 10, 40)
    parted, complete = Bands(shipped()), shipped()
    for gray in (large, small, large):
        np.testing.assert_array_equal(parted.run(gray), complete.run(windows(gray)[np.newaxis])[0])


def test_windows_are_the_pixels_around_every_second_one() -> None:
    gray = np.arange(1, 25, dtype=np.uint8).reshape(4, 6)
    found = windows(gray).reshape(2, 3, WINDOW, WINDOW)
    wide = np.zeros((5, 7), np.uint8)
    wide[:4, :6] = gray
    for row in range(2):
        for column in range(3):
            inside = wide[2 * row : 2 * row + WINDOW, 2 * column : 2 * column + WINDOW]
            np.testing.assert_array_equal(found[row, column], inside)


def test_the_shipped_network_has_the_parts() -> None:
    assert set(PARTS) < {*shipped().signatures}
