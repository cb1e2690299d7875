"""The digits benchmark's results as Markdown."""

from collections.abc import Sequence
from typing import Any


def table(results: dict[str, Any]) -> str:
    """The models on MNIST, the float and int8 readers on the labeled folders, times, memory."""
    parts = [_mnist(results)]
    if "note" in results:  # in a report merged from more than one run
        parts.append(results["note"])
    if results["folders"]:
        parts.append(_folders(results["folders"]))
    parts += [_times(results["speed"]), _costs(results)]
    return "\n\n".join(parts)


def _mnist(results: dict[str, Any]) -> str:
    head = ["model", "KB", "accuracy", "95 % interval", "differ", "only first right", "only this right"]
    head += ["McNemar p", "calibration error", "threshold", "digits kept", "negatives passed"]
    head += ["negatives passed, 99 % kept"]
    rows = [
        [
            row["model"],
            f"{row['bytes'] / 1000:,.0f}",
            f"{row['accuracy']:.2%}",
            _interval(row["accuracy_interval"]),
            len(row["differ"]),
            row["only_first_right"],
            row["only_this_right"],
            f"{row['mcnemar_p']:.2f}",
            f"{row['calibration_error']:.4f}",
            f"{row['threshold']:.3f}",
            f"{row['digits_kept']:.2%}",
            _share(row["signs_passed"], row["signs"]),
            _share(row["signs_passed_at_99"], row["signs"]),
        ]
        for row in results["models"]
    ]
    first = f"{results['digits']:,} digits, {results['set']}; differences are against the first row."
    return f"{first}\n\n{_markdown(head, rows)}"


def _folders(rows: Sequence[dict[str, Any]]) -> str:
    head = ["folder", "model", "pictures", "exact", "95 % interval", "digit error rate"]
    head += ["only first exact", "only this exact", "McNemar p", "calibration error"]
    cells = [
        [
            row["folder"],
            row["model"],
            row["pages"],
            f"{row['exact'] / row['pages']:.2%}",
            _interval(row["exact_interval"]),
            f"{row['digit_error_rate']:.4f}",
            row["only_first_exact"],
            row["only_this_exact"],
            f"{row['mcnemar_p']:.2f}",
            "" if row["calibration_error"] is None else f"{row['calibration_error']:.4f}",
        ]
        for row in rows
    ]
    return f"Labeled folders, by the reader:\n\n{_markdown(head, cells)}"


def _times(speed: dict[str, Any]) -> str:
    batches = speed["rows"][0]["milliseconds_a_digit"]
    head = ["ms a digit: median (99th percentile)", "threads", *(f"batch {batch}" for batch in batches)]
    rows = [
        [
            row["runner"],
            row["threads"],
            *(f"{time['median']:.4f} ({time['p99']:.4f})" for time in row["milliseconds_a_digit"].values()),
        ]
        for row in speed["rows"]
    ]
    return f"Interleaved in one run:\n\n{_markdown(head, rows)}"


def _costs(results: dict[str, Any]) -> str:
    speed = results["speed"]
    single = {
        row["runner"]: row["milliseconds_a_digit"]["1"]["median"]
        for row in speed["rows"]
        if row["threads"] == 1
    }
    first, int8 = (row["model"] for row in results["models"][:2])
    lines = [
        f"{int8}: {speed['multiply_accumulates']:,} multiply-accumulates a digit; "
        f"{speed['int8_peak_share']:.0%} of the {speed['int8_peak_a_second'] / 1e9:,.0f} billion a second "
        "that a large convolution reaches on this core.",
        f"One digit on one thread: {single[first] / single[int8]:.1f} times as fast as {first}"
        + (f", {single['seed'] / single[int8]:.1f} times as fast as seed." if "seed" in single else "."),
        "Peak memory of a process that classifies 32 digits, without shared files: "
        + ", ".join(f"{name} {size:.0f} MiB" for name, size in speed["memory_mib"].items())
        + ".",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _interval(interval: Sequence[float]) -> str:
    return f"{interval[0]:.2%} to {interval[1]:.2%}"


def _share(share: float | None, total: int) -> str:
    return "" if share is None else f"{share:.1%} of {total:,}"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
