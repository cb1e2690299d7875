"""The benchmarks' results as Markdown and JSON."""

from pathlib import Path
from typing import Any

import msgspec

from digitlens_convert.pages import Score


def write(out: Path, name: str, results: dict[str, Any], table: str) -> None:
    """Print the table; write it and the results into `out` as NAME.md and NAME.json."""
    out.mkdir(parents=True, exist_ok=True)
    print(table)
    (out / f"{name}.md").write_text(table + "\n")
    (out / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")


def pages_table(scores: list[Score], results: dict[str, Any]) -> str:
    """Markdown: one row a folder, ours and the peers', then the pages not read exactly."""
    head = "| folder | pages | digits | digit error rate | 95 % interval | exact | 95 % interval "
    lines = [
        head + "| calibration error | ms a page: median, most | glyphs, rows, numbers |",
        "|---|---:|---:|---:|---|---:|---|---:|---:|---:|",
        *(_row(row) for row in results["folders"]),
        *(_row(row) for row in results["peers"]),
    ]
    if notebook := results["notebook"]:
        lines += [
            "",
            f"{notebook['page']}, the file's decoding included: {notebook['digitlens_ms']:.1f} ms; "
            f"the notebook's reader (one model.predict for each of {notebook['contours']} contours): "
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


def _row(row: dict[str, Any]) -> str:
    (low, high), (least, most) = row["digit_error_rate_interval"], row["exact_interval"]
    stages = ", ".join(f"{spent:.1f}" for spent in row["milliseconds_stages"].values())
    calibration = "" if row["calibration_error"] is None else f"{row['calibration_error']:.3f}"
    wrong = f"{row['digit_error_rate']:.3f} | {low:.3f} to {high:.3f}"
    if not row["digits"]:  # pages without digits have no error rate
        wrong, calibration = f"{row['errors']} digits read |", ""
    return (
        f"| {row['folder']} | {row['pages']} | {row['digits']} | {wrong} "
        f"| {row['exact'] / row['pages']:.1%} | {least:.1%} to {most:.1%} "
        f"| {calibration} | {row['milliseconds_median']:.1f}, {row['milliseconds_most']:.1f} | {stages} |"
    )


def pages_json(scores: list[Score]) -> list[dict[str, Any]]:
    """Each page's reading, for the JSON file."""
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
