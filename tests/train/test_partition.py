"""Digits partition the ink: on generated strips and pages no two numbers hold the same."""

from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="needs the extra train")

from digitlens import Reader
from digitlens.config.parameters import DEFAULT
from digitlens.numbers.merging import shared
from digitlens_train import crops, row_photos
from digitlens_train.page_examples import draw_page, layout_weights
from digitlens_train.page_scores import ScoresConfig
from digitlens_train.paper.material import Material

PICTURES = 24


def test_ink_is_read_once(mnist: Path) -> None:
    sources = crops.other_hands(mnist, None, "held_out")
    config, material, reader = ScoresConfig(rows=(260, 500)), Material.load(None, "held_out"), Reader()
    weights, read = layout_weights(config, "held_out"), 0
    for count in range(PICTURES):
        random = np.random.default_rng((11, count))
        if count % 4:
            gray = row_photos.strip(sources, random)[0]
        else:
            gray = draw_page(config, weights, material, random)[1][0]
        numbers = reader.read(gray).numbers
        read += len(numbers)
        for one, other in combinations(numbers, 2):
            both = product(one.digits, other.digits)
            most = max(shared(digit.box, taken.box) for digit, taken in both)
            assert most < DEFAULT.reader.same_ink, (count, one.text, other.text)
    assert read > PICTURES // 2
