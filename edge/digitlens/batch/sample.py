"""A sample of the numbers for a person to check, drawn across the confidences."""

import csv
import json
import random
from pathlib import Path

from digitlens.batch import tables
from digitlens.batch.crops import Place, crops
from digitlens.batch.manifest import require, write_text
from digitlens.batch.survey import place
from digitlens.core.errors import BatchError, reason

FOLDER, CROPS, SHEET, KEY = "sample", "crops", "check.csv", "key.json"
EDGES = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1.0)
"""Confidences between which a stratum lies; the same number is drawn of each, as far as it has as many."""
SEED = 1
HOW = "# truth: the number on the crop as it stands there; ? if it cannot be read; - if it is no number"


def stratum(confidence: float) -> int:
    """The stratum of a confidence, 0 to 1."""
    return next((index for index, edge in enumerate(EDGES[1:-1]) if confidence < edge), len(EDGES) - 2)


def draw(folder: Path, count: int) -> str:
    """Draw so many numbers, and write their crops and a CSV to fill in; what was done, in a line.

    Raises:
        BatchError: there is no run, a filled-in sample is there, or it cannot be written.
    """
    kind = require(folder).format
    there = folder / FOLDER
    if any(truth for truth in filled(folder).values()):
        raise BatchError(f"{there / SHEET}: is filled in: --score takes it; remove {there} to draw another")
    population, chosen = _drawn(folder, kind, count)
    if not chosen:
        raise BatchError(f"{folder}: no numbers to draw from")
    try:
        (there / CROPS).mkdir(parents=True, exist_ok=True)
        for old in (there / CROPS).glob("*.png"):
            old.unlink()
        places = {}
        for row in chosen:
            places[row[0]] = row
        key = {}
        for number, (at, png) in enumerate(crops(places), 1):
            name = f"{number:04}.png"
            (there / CROPS / name).write_bytes(png)
            _, text, confidence = places[at]
            key[name] = {
                "id": at.id, "source": at.source, "page": at.page, "box": at.box, "text": text,
                "confidence": confidence, "stratum": stratum(confidence),
            }  # fmt: skip
        with (there / SHEET).open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            file.write(HOW + "\n")
            rows.writerow(["crop", "truth"])
            rows.writerows([name, ""] for name in key)
    except OSError as error:
        raise BatchError(f"{there}: cannot be written: {reason(error)}") from error
    write_text(there / KEY, json.dumps({"population": population, "edges": EDGES, "drawn": key}, indent=1))
    gone = f"; of {len(chosen) - len(key)} the source is gone" if len(key) < len(chosen) else ""
    then = f"fill in {there / SHEET}, then digitlens batch --out {folder} --score"
    return f"{len(key)} crops in {there / CROPS}: {then}{gone}"


def _drawn(folder: Path, kind: str, count: int) -> tuple[list[int], list[tuple[Place, str, float]]]:
    """How many numbers each stratum has, and the drawn ones in random order: a reservoir a stratum."""
    chance = random.Random(SEED)
    strata = len(EDGES) - 1
    population = [0] * strata
    kept: list[list[tuple[Place, str, float]]] = [[] for _ in range(strata)]
    names = ("id", "source", "page", "text", "confidence", "x", "y", "width", "height")
    for shard in tables.each(folder, kind, "numbers", names):
        for row, (confidence, text) in enumerate(zip(shard["confidence"], shard["text"], strict=True)):
            if confidence is None or text is None or shard["x"][row] is None:
                continue
            index = stratum(float(confidence))
            population[index] += 1
            if len(kept[index]) < count:
                kept[index].append((place(shard, row), str(text), float(confidence)))
            else:
                other = chance.randrange(population[index])
                if other < count:
                    kept[index][other] = place(shard, row), str(text), float(confidence)
    for some in kept:
        chance.shuffle(some)
    chosen: list[tuple[Place, str, float]] = []
    while len(chosen) < count and any(kept):  # one of each in turn
        for some in kept:
            if some and len(chosen) < count:
                chosen.append(some.pop())
    chance.shuffle(chosen)
    return population, chosen


def filled(folder: Path) -> dict[str, str]:
    """Crop -> what a person wrote; empty where nothing was. Commas or semicolons, as spreadsheets write them.

    Raises:
        BatchError: the CSV is there and cannot be read.
    """
    path = folder / FOLDER / SHEET
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise BatchError(f"{path}: cannot be read: {reason(error)}") from error
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip('"').startswith("#")]
    if not lines:
        return {}
    rows = csv.DictReader(lines, delimiter=";" if ";" in lines[0] else ",")
    if not {"crop", "truth"} <= set(rows.fieldnames or ()):
        raise BatchError(f"{path}: the columns crop and truth are missing in its first line")
    return {str(row["crop"]): (row["truth"] or "").strip() for row in rows}
