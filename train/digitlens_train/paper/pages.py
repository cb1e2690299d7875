"""Pages of generated paper by held-out hands and fonts, with a labels.json for digitlens_convert papers."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from digitlens.images import pictures
from digitlens_train.data import DataError
from digitlens_train.paper import patches
from digitlens_train.paper.layouts import LAYOUTS
from digitlens_train.paper.material import Material

SIDES = (600, 1300)
"""Least and largest height and width of a page, drawn uniformly, in px."""
HEIGHTS = (18.0, 60.0)
"""Least and largest height of the writing, drawn log-uniformly, in px."""


def write(out: Path, data: Path | None, seed: int, count: int, layouts: Sequence[str] = ()) -> None:
    """Write `count` pages of some layouts in turn, all of LAYOUTS if none is named, to the new folder `out`.

    Raises:
        DataError: the folder exists, a layout has an unknown name, or a file of `data` is missing or broken.
        PictureError: the folder or a file cannot be written.
    """
    names = list(dict.fromkeys(layouts)) or list(LAYOUTS)
    for name in names:
        if name not in LAYOUTS:
            raise DataError(f"{name}: no such layout; there are {', '.join(LAYOUTS)}")
    if out.exists():
        raise DataError(f"{out}: exists already; name a new folder with --out")
    material = Material.load(data, "held_out")
    pictures.make_folder(out)
    labels = {}
    for number in range(count):
        layout = names[number % len(names)]
        random = np.random.default_rng((seed, number))
        rows, columns = (2 * int(side) for side in random.integers(SIDES[0] // 2, SIDES[1] // 2 + 1, 2))
        height = float(np.exp(random.uniform(*np.log(HEIGHTS))))
        gray, _, numbers = patches.page(random, material, layout, (rows, columns), height)
        file = f"{layout}_{number:04}.png"
        pictures.save(out / file, gray)
        labels[file] = {
            "numbers": [one.text for one in numbers if not one.printed],
            "printed": [one.text for one in numbers if one.printed],
            "kind": layout,
        }
    (out / "labels.json").write_text(json.dumps(labels, indent=1))
