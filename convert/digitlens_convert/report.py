"""The benchmark's results as Markdown, JSON and PNG."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from matplotlib.figure import Figure

from digitlens_convert.digits import BATCHES, Measured
from digitlens_convert.pages import Score
from digitlens_train.data import Mnist

SHOWN = 48
"""Digits at the most on the picture of disagreements."""


def write(out: Path, name: str, results: dict[str, Any], table: str) -> None:
    """Print the table and write it and the results beside each other in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    print(table)
    (out / f"{name}.md").write_text(table + "\n")
    (out / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")


def digits_table(results: dict[str, Any]) -> str:
    """Markdown: a row a model."""
    times = [f"ms a digit, batch {batch} (p99)" for batch in BATCHES]
    head = ["model", "KB", "accuracy", "95 % interval", "differ", "only first right", "only this right"]
    head += ["McNemar p", "calibration error", "digits kept", "signs passed", *times]
    lines = [
        f"{results['digits']:,} digits, {results['set']}; one thread; differences are against the first row.",
        "",
        f"| {' | '.join(head)} |",
        "|---" * len(head) + "|",
    ]
    for row in results["models"]:
        low, high = row["accuracy_interval"]
        passed = "" if row["signs_passed"] is None else f"{row['signs_passed']:.1%} of {row['signs']:,}"
        cells = [
            row["model"],
            f"{row['bytes'] / 1000:,.0f}",
            f"{row['accuracy']:.2%}",
            f"{low:.2%} to {high:.2%}",
            len(row["differ"]),
            row["only_first_right"],
            row["only_this_right"],
            f"{row['mcnemar_p']:.2f}",
            f"{row['calibration_error']:.4f}",
            f"{row['digits_kept']:.2%}",
            passed,
            *(f"{time['median']:.3f} ({time['p99']:.3f})" for time in row["milliseconds_a_digit"].values()),
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def disagreements(models: list[Measured], data: Mnist, path: Path) -> None:
    """A PNG of the test digits on which the second model's answer is not the first's."""
    first, second = models[:2]
    differ = np.flatnonzero(first.answers != second.answers)[:SHOWN]
    columns = 12
    rows = max(1, -(-len(differ) // columns))
    figure = Figure(figsize=(columns, 1.35 * rows + 0.6), layout="constrained")
    figure.suptitle(f"{len(differ)} digits: truth, {first.name}, {second.name}", fontsize=10)
    for axes, index in zip(figure.subplots(rows, columns, squeeze=False).flat, differ, strict=False):
        axes.imshow(255 - data.x_test[index], cmap="gray", vmin=0, vmax=255)
        axes.set_title(f"{data.y_test[index]}: {first.answers[index]}, {second.answers[index]}", fontsize=8)
    for axes in figure.axes:
        axes.axis("off")
    figure.savefig(path, dpi=100)


def pages_table(scores: list[Score], summaries: list[dict[str, Any]], notebook: dict[str, Any] | None) -> str:
    """Markdown: a row a folder, then the pages that were not read exactly."""
    lines = [
        "| folder | pages | digits | digit error rate | 95 % interval | exact | 95 % interval "
        "| ms a page: median, most |",
        "|---|---:|---:|---:|---|---:|---|---:|",
    ]
    for row in summaries:
        (low, high), (least, most) = row["digit_error_rate_interval"], row["exact_interval"]
        lines.append(
            f"| {row['folder']} | {row['pages']} | {row['digits']} | {row['digit_error_rate']:.3f} "
            f"| {low:.3f} to {high:.3f} | {row['exact'] / row['pages']:.1%} | {least:.1%} to {most:.1%} "
            f"| {row['milliseconds_median']:.1f}, {row['milliseconds_most']:.1f} |"
        )
    if notebook:
        lines += [
            "",
            f"{notebook['page']}, the file's decoding included: {notebook['digitlens_ms']:.1f} ms; "
            f"the notebook's way (one model.predict for each of {notebook['contours']} contours): "
            f"{notebook['notebook_ms']:.0f} ms; "
            f"{notebook['ratio']:.0f} times as long.",
        ]
    wrong = [(score.folder, page) for score in scores for page in score.pages if page.errors]
    if wrong:
        lines += ["", "| page | errors | truth | read |", "|---|---:|---|---|"]
        lines += [
            f"| {folder}/{page.name} | {page.errors} | {page.truth} | {_shortened(page.read)} |"
            for folder, page in wrong
        ]
    return "\n".join(lines)


def pages_json(scores: list[Score]) -> list[dict[str, Any]]:
    """Every page's reading, for the JSON file."""
    return [
        {
            "folder": score.folder,
            "page": page.name,
            "truth": page.truth,
            "read": page.read,
            "errors": page.errors,
            "milliseconds": page.milliseconds,
        }
        for score in scores
        for page in score.pages
    ]


def _shortened(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[:most]}... ({len(text)} digits)"
