"""The row network on labeled rows: against cutting the row into digits, and float32 against int8."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import numpy.typing as npt

from digitlens import Classifier, Reader
from digitlens.config.settings import RowNetworkUse
from digitlens.core.arrays import Floats, Gray
from digitlens.images import pictures
from digitlens.rows import ctc
from digitlens.rows.crop import CROP_HEIGHT
from digitlens.rows.recognizer import BLANK, WIDTHS, RowOutput, RowRecognizer
from digitlens_convert import pages
from digitlens_convert.stats import discordant, mcnemar


@dataclass(frozen=True)
class StripsConfig:
    """How times are measured.

    Attributes:
        repeats: runs of the network and of the search at each width.
        timed: pages of each folder whose rows are timed.
    """

    repeats: int = 30
    timed: int = 100


class Counted(RowRecognizer):
    """A RowRecognizer that records the rows it reads, and counts how often its network runs."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.rows: list[Gray] = []
        self.runs = 0

    def read(self, strip: Gray) -> RowOutput:
        """Record the row and read it."""
        self.rows.append(strip)
        return super().read(strip)

    def columns(self, strip: Gray) -> Floats:
        """Count the run of the network."""
        self.runs += 1
        return super().columns(strip)

    def forget(self) -> None:
        """Clear the two-frame cache and the counts."""
        self.next_frame()
        self.next_frame()
        self.rows, self.runs = [], 0


def measure(
    folders: list[Path],
    model: str,
    float32: Path,
    with_peers: bool = False,
    config: StripsConfig | None = None,
) -> dict[str, Any]:
    """Score labeled folders: rows cut into digits, doubtful rows by the row network, and all rows by it.

    `model` is the int8 network, `float32` its float32 file.

    Raises:
        LabelsError: a folder has no labels, or a page cannot be read.
        ModelError: a model is missing or does not match its card.
        DependencyError: the peers are not installed.
    """
    config = config or StripsConfig()
    classifier = Classifier.load()
    networks = {"int8": Counted.load(model), "float32": Counted.load(float32)}
    rows: list[dict[str, Any]] = []
    strips = [_times(folder, classifier, networks["int8"], with_peers, config.timed) for folder in folders]
    for folder in folders:
        cut = pages.score(folder, Reader(classifier, row_network="none"))
        rows.append({"reader": "cutting alone", **cut.summary()})
        exact = {}
        for kind, network in networks.items():
            for which in ("doubtful", "all"):
                reader = Reader(classifier, row_network=which, recognizer=network)
                score, network_rows = _score(folder, reader, network)
                name = f"{kind}, {which} rows by network"
                rows.append({"reader": name, **score.summary()})
                exact[name] = np.array([page.errors == 0 for page in score.pages])
                if kind == "int8":
                    cut_exact = np.array([page.errors == 0 for page in cut.pages])
                    rows[-1] |= _paths(network_rows, exact[name], cut_exact)
                else:
                    lost, won = discordant(exact[name], exact[name.replace("float32", "int8")])
                    rows[-1] |= {"only_float32": lost, "only_int8": won, "mcnemar_p": mcnemar(lost, won)}
    return {"folders": rows, "strips": strips, "speed": _speed(networks, with_peers, config.repeats)}


def _times(
    folder: Path, classifier: Classifier, network: Counted, with_peers: bool, timed: int
) -> dict[str, Any]:
    """Milliseconds a row of the folder, one thread, the minimum of three calls each.

    `recognition` is the network with its search; `read` is the extra time of a picture over cutting alone,
    which includes test-time augmentation of doubtful rows and their rescoring. RapidOCR gets the same rows.
    """
    every = list(pages.labels(folder))
    recognized: list[float] = []
    extra: list[float] = []
    peer: list[float] = []
    augmented = 0
    for name, _ in every[:: max(1, len(every) // timed)]:
        (picture,) = pictures.load(folder / name)
        cut, read = (
            _fastest(partial(_read, classifier, which, network, picture.pixels)) for which in ("none", "all")
        )
        rows, runs = network.rows, network.runs
        if not rows:
            continue
        augmented += runs > len(rows)
        extra.append((read - cut) / len(rows))
        for row in rows:
            recognized.append(_fastest(partial(_recognize, network, row)))
            peer += [_rapidocr(row)] if with_peers else []
    found = {"folder": folder.name, "strips": len(recognized), "pages": len(extra), "pages_again": augmented}
    found |= {"recognition": fmean(recognized), "read": fmean(extra)} if recognized else {}
    return found | ({"rapidocr": fmean(peer)} if peer else {})


def _fastest(work: Callable[[], object]) -> float:
    """The minimum milliseconds of three calls."""
    return min(pages.milliseconds(work, 1) for _ in range(3))


def _read(classifier: Classifier, use: RowNetworkUse, network: Counted, picture: Gray) -> None:
    network.forget()
    Reader(classifier, row_network=use, recognizer=network).read(picture)


def _recognize(network: Counted, row: Gray) -> None:
    network.forget()
    network.read(row)


def _score(folder: Path, reader: Reader, network: Counted) -> tuple[pages.Score, npt.NDArray[np.intp]]:
    """The folder's score, and how many rows of each page the network read."""
    read, counts = [], []
    for name, truth in pages.labels(folder):
        network.rows.clear()
        read.append(pages.read_page(folder / name, truth, reader))
        counts.append(len(network.rows))
    return pages.Score(folder.name, read), np.array(counts)


def _paths(
    network_rows: npt.NDArray[np.intp], exact: npt.NDArray[np.bool_], cut_exact: npt.NDArray[np.bool_]
) -> dict[str, int]:
    """Pages read by cutting alone and by the network, how many exactly, and how many so by cutting alone."""
    network = network_rows > 0
    return {
        "rows_by_network": int(network_rows.sum()),
        "pages_cut": int(np.count_nonzero(~network)),
        "pages_cut_exact": int(np.count_nonzero(exact[~network])),
        "pages_by_network": int(np.count_nonzero(network)),
        "pages_by_network_exact": int(np.count_nonzero(exact[network])),
        "pages_by_network_exact_if_cut": int(np.count_nonzero(cut_exact[network])),
    }


def _speed(networks: dict[str, Counted], with_peers: bool, repeats: int) -> list[dict[str, Any]]:
    """Milliseconds a row by width, one thread: the network, and the beam search."""
    random = np.random.default_rng(0)
    rows = []
    for width in WIDTHS:
        strip = random.integers(0, 40, (CROP_HEIGHT, width), dtype=np.uint8)
        strip[6:26, 6 : width - 4 : 12] = strip[6:26, 7 : width - 3 : 12] = 255  # as close as digits stand
        row: dict[str, Any] = {"width": width}
        for kind, network in networks.items():
            network.read(strip)
            row[f"{kind}_network"] = pages.milliseconds(partial(network.columns, strip), repeats)
        columns = networks["int8"].columns(strip)
        row["search"] = pages.milliseconds(
            partial(ctc.search, columns, BLANK, networks["int8"].parameters), repeats
        )
        if with_peers:
            row["rapidocr"] = _rapidocr(strip)
        rows.append(row)
    return rows


@cache
def _engine() -> Any:
    from digitlens_convert import page_peers

    return page_peers.rapidocr()


def _rapidocr(strip: Gray) -> float:
    picture = np.repeat(255 - strip[..., np.newaxis], 3, axis=2)
    read = partial(_engine(), picture, use_det=False, use_cls=False, use_rec=True)
    return _fastest(read)


def table(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    lines = [
        "| folder | reader | pages | digit error rate | exact | 95 % interval | ms a page "
        "| calibration error | pages by cutting | exact | pages by network | exact | exact if cut |",
        "|---|---|---:|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|",
        *(_line(row) for row in results["folders"]),
        "",
        "| rows of | timed | pages augmented | network ms | read ms | RapidOCR ms | network | read |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *(_strips(row) for row in results["strips"] if row["strips"]),
        "",
        "| width | int8 ms | float32 ms | search ms | RapidOCR ms |",
        "|---:|---:|---:|---:|---:|",
    ]
    for row in results["speed"]:
        peer = f"{row['rapidocr']:.1f}" if "rapidocr" in row else ""
        lines.append(
            f"| {row['width']} | {row['int8_network']:.3f} | {row['float32_network']:.3f} "
            f"| {row['search']:.3f} | {peer} |"
        )
    return "\n".join(lines)


def _strips(row: dict[str, Any]) -> str:
    times = "| | |"
    if "rapidocr" in row:
        times = f"{row['rapidocr']:.1f} | 1/{row['rapidocr'] / row['recognition']:.0f} "
        times += f"| 1/{row['rapidocr'] / row['read']:.0f} |"
    augmented = f"{row['pages_again'] / row['pages']:.0%}"
    ours = f"{row['recognition']:.2f} | {row['read']:.2f}"
    return f"| {row['folder']} | {row['strips']} | {augmented} | {ours} | {times}"


def _line(row: dict[str, Any]) -> str:
    low, high = row["exact_interval"]
    calibration = "" if row["calibration_error"] is None else f"{row['calibration_error']:.3f}"
    paths = [
        str(row.get(name, ""))
        for name in (
            "pages_cut",
            "pages_cut_exact",
            "pages_by_network",
            "pages_by_network_exact",
            "pages_by_network_exact_if_cut",
        )
    ]
    return (
        f"| {row['folder']} | {row['reader']} | {row['pages']} | {row['digit_error_rate']:.3f} "
        f"| {row['exact'] / row['pages']:.1%} | {low:.1%} to {high:.1%} | {row['milliseconds_median']:.1f} "
        f"| {calibration} | {' | '.join(paths)} |"
    )
