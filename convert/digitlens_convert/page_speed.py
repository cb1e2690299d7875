"""The reader's time for a page: against a lower bound for any reader, by pixels and by digits."""

from collections.abc import Callable, Hashable, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, TypeVar

import cv2
import numpy as np
from matplotlib.figure import Figure

from digitlens import Reader
from digitlens.core.arrays import Gray
from digitlens.glyphs.normalize import to_mnist
from digitlens.paper.network import InkNetwork
from digitlens.paper.page import find_page
from digitlens_train.data import Mnist
from digitlens_train.pages import Paper, compose

Name = TypeVar("Name", bound=Hashable)

SIZE = (1280, 720)
DIGITS = 20
DIGIT = 40
"""Height of a digit, in pixels; the same on all sizes, so that pages differ in paper alone."""
SIZES = ((480, 272), (640, 360), (800, 448), (960, 544), (1120, 632), (1280, 720))
"""Page sizes, in pixels, multiples of 8 as cameras have."""
COUNTS = (5, 10, 20, 40, 60, 80)
REPEAT = 25
PEER_REPEAT = 5
ROW = 8
"""Most digits of a row."""


def measure(reader: Reader, data: Mnist, with_peers: bool = False) -> dict[str, Any]:
    """Median milliseconds, interleaved, with one thread of OpenCV and of the network.

    Raises:
        DependencyError: the peers are not installed.
    """
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        return _measure(reader, data, with_peers)
    finally:
        cv2.setNumThreads(threads)


def _measure(reader: Reader, data: Mnist, with_peers: bool) -> dict[str, Any]:
    full = page(SIZE, DIGITS, data)
    ink = InkNetwork.load()
    crops = to_mnist(find_page(full, ink).glyphs)
    work: dict[Hashable, Callable[[], object]] = {
        "floor: image": lambda: _floor(full),
        "floor: network": lambda: reader.classifier.probabilities(crops[:DIGITS]),
        "ink": lambda: ink.logits(full),
    }
    kinds = dict.fromkeys([(size, DIGITS) for size in SIZES] + [(SIZE, count) for count in COUNTS])
    work |= {kind: partial(reader.read, page(*kind, data)) for kind in kinds}
    spent = _in_turn(work, REPEAT)
    ours = spent[SIZE, DIGITS]
    floor = spent["floor: image"] + spent["floor: network"]
    pixels = [width * height / 1e6 for width, height in SIZES]
    results: dict[str, Any] = {
        "page": f"{SIZE[0]} x {SIZE[1]}, {DIGITS} digits",
        "read": sum(len(number.digits) for number in reader.read(full).numbers),
        "milliseconds": ours,
        "floor": {"image": spent["floor: image"], "network": spent["floor: network"], "sum": floor},
        "times_the_floor": ours / floor,
        "ink": spent["ink"],
        "by_megapixels": _line(pixels, [spent[size, DIGITS] for size in SIZES]),
        "by_digits": _line(list(COUNTS), [spent[SIZE, count] for count in COUNTS]),
    }
    if with_peers:
        from digitlens_convert import page_peers

        engine, colored = page_peers.rapidocr(), cv2.cvtColor(full, cv2.COLOR_GRAY2BGR)
        slow = _in_turn({"RapidOCR": lambda: page_peers.detect_and_read(engine, colored)}, PEER_REPEAT)
        results["peers"] = {name: {"milliseconds": took, "ratio": took / ours} for name, took in slow.items()}
    return results


def page(size: tuple[int, int], count: int, data: Mnist) -> Gray:
    """A gray page of `size` (width, height) with `count` of MNIST's test digits, two numbers a row."""
    rows = []
    for start in range(0, count, ROW):
        labels = "".join(str(label) for label in data.y_test[start : min(count, start + ROW)])
        rows.append(f"{labels[: len(labels) // 2]} {labels[len(labels) // 2 :]}")
    # The longest row fits the narrowest of SIZES.
    paper = Paper(size=size, digit=DIGIT, spacing=50, leading=min(80, size[1] // (len(rows) + 1)), rule=None)
    picture = compose(rows, data.x_test, data.y_test, 1, paper)
    return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)


def draw(results: dict[str, Any], path: Path) -> None:
    """Plot the times by pixels and by digits, with fitted lines."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    for axes, name, label in zip(
        figure.subplots(1, 2), ("by_megapixels", "by_digits"), ("megapixels", "digits"), strict=True
    ):
        line = results[name]
        x = np.array([0, *line["x"]])
        axes.plot(line["x"], line["milliseconds"], "o", label="measured")
        axes.plot(x, line["offset"] + line["slope"] * x, color="gray", linewidth=0.8, label="straight line")
        axes.set(xlabel=label, ylabel="milliseconds", xlim=(0, None), ylim=(0, None))
        axes.set_title(f"{line['slope']:.3g} ms each, R² {line['r_squared']:.3f}", fontsize=10)
        axes.legend(fontsize=8)
    figure.savefig(path, dpi=100)


def table(results: dict[str, Any]) -> str:
    """Markdown."""
    floor = results["floor"]
    lines = [
        f"| {results['page']}, one thread | ms | times digitlens |",
        "|---|---:|---:|",
        f"| digitlens, {results['read']} digits read | {results['milliseconds']:.2f} | 1 |",
        "| floor: box filter, threshold, connected components, and the network for the digits "
        f"| {floor['image']:.2f} + {floor['network']:.2f} | 1/{results['times_the_floor']:.1f} |",
        f"| of digitlens, the network `ink` alone | {results['ink']:.2f} "
        f"| 1/{results['milliseconds'] / results['ink']:.1f} |",
    ]
    for name, peer in results.get("peers", {}).items():
        lines.append(f"| {name} | {peer['milliseconds']:.0f} | {peer['ratio']:.0f} |")
    for name, unit in (("by_megapixels", "megapixel"), ("by_digits", "digit")):
        line = results[name]
        points = ", ".join(
            f"{x:.3g}: {spent:.2f}" for x, spent in zip(line["x"], line["milliseconds"], strict=True)
        )
        lines += [
            "",
            f"By {unit}s: {points} ms; {line['slope']:.3g} ms a {unit}, R² {line['r_squared']:.3f}.",
        ]
    return "\n".join(lines)


def _floor(gray: Gray) -> object:
    """The least that any reader does with a page: a box filter, a threshold, connected components."""
    around = cv2.boxFilter(gray, -1, (31, 31))
    darker = cv2.subtract(around, gray)
    mask = cv2.threshold(darker, 20, 255, cv2.THRESH_BINARY)[1]
    # BBDT (Grana, Borghesani and Cucchiara 2010) takes 0.4 of the time of OpenCV's default.
    return cv2.connectedComponentsWithStatsWithAlgorithm(mask, 8, cv2.CV_32S, cv2.CCL_BBDT)


def _in_turn(work: Mapping[Name, Callable[[], object]], repeat: int) -> dict[Name, float]:
    """The median milliseconds of each; they take turns, so that other load affects all alike."""
    spent: dict[Name, list[float]] = {name: [] for name in work}
    for one in work.values():
        one()
    for _ in range(repeat):
        for name, one in work.items():
            started = perf_counter()
            one()
            spent[name].append((perf_counter() - started) * 1000)
    return {name: median(times) for name, times in spent.items()}


def _line(x: list[float], milliseconds: list[float]) -> dict[str, Any]:
    """A linear fit and its R squared."""
    slope, offset = np.polyfit(x, milliseconds, 1)
    rest = np.array(milliseconds) - np.polyval([slope, offset], x)
    return {
        "x": x,
        "milliseconds": milliseconds,
        "slope": float(slope),
        "offset": float(offset),
        "r_squared": 1 - float(np.var(rest) / np.var(milliseconds)),
    }
