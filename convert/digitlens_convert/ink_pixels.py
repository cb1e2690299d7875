"""The ink network by pixels, on patches of known classes: IoU by class, float32 against int8, times."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Gray
from digitlens.models.cards import Accuracy
from digitlens.paper.network import InkNetwork
from digitlens_convert.stats import ratio_interval
from digitlens_train import pixels
from digitlens_train.data import DataError
from digitlens_train.paper.classes import IGNORED, Kind

SIZE = 736, 1280
"""Height and width of the picture that is timed, px."""
REPEATS = 21
"""Runs that are timed, of which the median is given."""


def load(path: Path) -> tuple[Gray, Gray]:
    """The pictures (N, H, W) and classes (N, H / 2, W / 2) of a run's patches.npz or held_out.npz.

    Raises:
        DataError: it is missing or broken.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return arrays["gray"], arrays["classes"]
    except Exception as error:  # numpy and zipfile raise a dozen kinds
        raise DataError(f"{path}: no patches; a finished run of digitlens_train ink has them") from error


def accuracy(model: Path, held_out: Path) -> Accuracy:
    """The IoU of handwritten digits' pixels on held-out patches, with its bootstrap interval over patches."""
    gray, classes = load(held_out)
    both, either = _digits(_confusions(_answers(InkNetwork.load(model), gray), classes))
    return Accuracy(
        set=f"IoU of digits' pixels, {len(gray):,} generated patches of held-out writers and fonts",
        right=sum(both),
        total=sum(either),
        fraction=sum(both) / max(1, sum(either)),
        interval=ratio_interval(both, either),
    )


def measure(float32: Path, int8: Path, held_out: Path) -> dict[str, Any]:
    """Both files on a run's held-out patches.

    Raises:
        ModelError: a model is missing or does not match its card.
        DataError: the patches are missing.
    """
    gray, classes = load(held_out)
    networks = {"float32": InkNetwork.load(float32), "int8": InkNetwork.load(int8)}
    answers = {name: _answers(network, gray) for name, network in networks.items()}
    times = milliseconds(list(networks.values()))
    rows = []
    for (name, given), spent in zip(answers.items(), times, strict=True):
        confusions = _confusions(given, classes)
        both, either = _digits(confusions)
        rows.append(
            {
                "model": name,
                "iou": pixels.named(pixels.unions(np.sum(confusions, axis=0))),
                "digit_iou_interval": ratio_interval(both, either),
                "milliseconds": spent,
            }
        )
    known = classes != IGNORED
    agree = float(np.mean(answers["float32"][known] == answers["int8"][known]))
    return {"patches": len(gray), "models": rows, "agreement": agree, "size": SIZE}


def milliseconds(networks: list[InkNetwork]) -> list[float]:
    """Each network's median time for a picture of SIZE, interleaved, on the threads it was loaded with."""
    picture = np.random.default_rng(0).integers(0, 256, SIZE).astype(np.uint8)
    spent: list[list[float]] = [[] for _ in networks]
    for _ in range(REPEATS + 1):
        for network, times in zip(networks, spent, strict=True):
            start = time.perf_counter()
            network.logits(picture)
            times.append(time.perf_counter() - start)
    return [float(np.median(times[1:])) * 1000 for times in spent]  # the first run allocates


def table(results: dict[str, Any]) -> str:
    """Markdown: one row a file."""
    height, width = results["size"]
    lines = [
        f"{results['patches']:,} generated patches of held-out writers and fonts. The files agree on "
        f"{results['agreement']:.2%} of the pixels.",
        "",
        f"| ink | {' | '.join(f'IoU {kind.name.lower()}' for kind in Kind)} | 95 % interval, digit "
        f"| ms a picture of {width} x {height}, one thread |",
        f"|---|{'---:|' * len(Kind)}---|---:|",
    ]
    for row in results["models"]:
        low, high = row["digit_iou_interval"]
        each = " | ".join(f"{union:.3f}" for union in row["iou"].values())
        lines.append(f"| {row['model']} | {each} | {low:.3f} to {high:.3f} | {row['milliseconds']:.1f} |")
    return "\n".join(lines)


def _answers(network: InkNetwork, gray: Gray) -> npt.NDArray[np.uint8]:
    """(N, H, W) -> the likeliest classes (N, H / 2, W / 2)."""
    return np.stack([network.logits(picture).argmax(axis=2).astype(np.uint8) for picture in gray])


def _confusions(given: npt.NDArray[np.uint8], classes: Gray) -> list[pixels.Counts]:
    return [pixels.confusion(truth, answer) for truth, answer in zip(classes, given, strict=True)]


def _digits(confusions: list[pixels.Counts]) -> tuple[list[int], list[int]]:
    """Of each patch: digits' pixels that are right, and those that are digits' or were taken for them."""
    overlaps = [pixels.overlap(counts) for counts in confusions]
    both = [int(one[Kind.DIGIT]) for one, _ in overlaps]
    return both, [int(either[Kind.DIGIT]) for _, either in overlaps]
