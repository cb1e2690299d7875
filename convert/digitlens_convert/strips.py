"""The network that reads rows: a fitted run -> model files; float32 against int8 on labeled strips."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from statistics import fmean
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from digitlens import Classifier, Reader
from digitlens.config.settings import RowNetworkUse
from digitlens.images import pictures
from digitlens.models import cards
from digitlens.models.cards import Accuracy, Card, Quantization, TensorSpec, digest
from digitlens.rows import ctc
from digitlens.rows.recognizer import BLANK, CLASSES, HEIGHT, WIDTHS, RowOutput, RowRecognizer
from digitlens_convert import pages
from digitlens_convert.stats import accuracy, discordant, mcnemar
from digitlens_train.data import Mnist
from digitlens_train.run import About

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
SHOWN = 192
"""Pixels of the strips that show the quantizer each layer's range."""
STRIPS = 1500
"""How many of them, to draw representative sets from and to compare those on."""
SETS = 4
"""Such sets that are tried."""
TESTED = 1000
"""Synthetic rows of MNIST's test digits that the card's accuracy is of."""
REPEATS = 30
TIMED = 100
"""Pages of each folder, whose rows are timed."""


def convert(about: About, run: Path, out: Path, data: Mnist) -> list[Path]:
    """The int8 file into `out`, the float32 file into the run's folder, each with its card."""
    import keras

    from digitlens_convert import quantize
    from digitlens_train import row_photos
    from digitlens_train.crops import Sources
    from digitlens_train.networks import STRIP_SCALE
    from digitlens_train.numbers import to_input

    model = keras.models.load_model(run / f"{about.name}.keras", compile=False)
    random = np.random.default_rng(0)
    shown: list[Gray] = []
    learnt = Sources([(list(data.x_train), data.y_train)], [])
    while len(shown) < STRIPS:
        strip = row_photos.make(learnt, random).picture
        if SHOWN // 2 < strip.shape[1] <= SHOWN:
            shown.append(np.pad(strip, ((0, 0), (0, SHOWN - strip.shape[1]))))
    tested = Sources([(list(data.x_test), data.y_test)], [])
    rows = [row_photos.make(tested, random) for _ in range(TESTED)]
    targets: dict[Quantization, Path] = {
        "float32": run / f"{about.name}_float32.tflite",
        "int8": out / f"{about.name}.tflite",
    }
    for kind, path in targets.items():
        inputs = to_input(np.stack(shown))
        if kind == "int8":
            content = quantize.nearest(model, inputs, SETS, CLASSES)
        else:
            content = quantize.convert(model, kind, inputs)
        entry, end = quantize.ports(content, STRIP_SCALE)
        path.write_bytes(content)
        card = Card(
            name=path.stem,
            kind="strips",
            description=about.description,
            bytes=len(content),
            sha256=digest(content),
            quantization=kind,
            input=_any_width(entry),
            output=_any_width(end),
            training_data=about.training_data,
            accuracy=Accuracy("not measured", 0, 0, 0.0, (0.0, 1.0)),
            temperature=about.temperature,
            make_again=(*about.make_again, f"python -m digitlens_convert convert runs/{run.name}"),
        )
        cards.save(card, path.with_suffix(".json"))
        network = RowRecognizer.load(path)
        right = sum(
            [sign.label for sign in network.read(row.picture).signs if sign.label < 10]
            == [label for label in row.labels if label < 10]
            for row in rows
        )
        measured = accuracy(f"synthetic rows of MNIST's test digits, {TESTED:,}", right, TESTED)
        cards.save(msgspec.structs.replace(card, accuracy=measured), path.with_suffix(".json"))
        print(f"{path}: {len(content):,} bytes, {measured.fraction:.2%} of {measured.set} exact")
    return list(targets.values())


def _any_width(port: TensorSpec) -> TensorSpec:
    batch, height, _, depth = port.shape
    return msgspec.structs.replace(port, shape=(batch, height, -1, depth))


class Counted(RowRecognizer):
    """The network, the strips that it was asked about, and how often it ran; made as Strips is."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.asked: list[Gray] = []
        self.looks = 0

    def read(self, strip: Gray) -> RowOutput:
        """As Strips.read."""
        self.asked.append(strip)
        return super().read(strip)

    def columns(self, strip: Gray) -> Floats:
        """As Strips.columns."""
        self.looks += 1
        return super().columns(strip)

    def forget(self) -> None:
        """Know none of the strips that were read, nor how many they were."""
        self.turn()
        self.turn()
        self.asked, self.looks = [], 0


def measure(folders: list[Path], model: str, whole: Path, with_peers: bool = False) -> dict[str, Any]:
    """Score labeled folders: rows cut apart, those in doubt read whole, and all read whole.

    `model` is the int8 network, `whole` its float32 file.

    Raises:
        LabelsError: a folder has no labels, or a page cannot be read.
        ModelError: a model is missing or does not fit its card.
        DependencyError: the peers are not installed.
    """
    classifier = Classifier.load()
    networks = {"int8": Counted.load(model), "float32": Counted.load(whole)}
    rows: list[dict[str, Any]] = []
    strips = [_times(folder, classifier, networks["int8"], with_peers) for folder in folders]
    for folder in folders:
        cut = pages.score(folder, Reader(classifier, row_network="none"))
        rows.append({"reader": "cutting alone", **cut.summary()})
        exact = {}
        for kind, network in networks.items():
            for which in ("doubtful", "all"):
                reader = Reader(classifier, row_network=which, recognizer=network)
                score, asked = _score(folder, reader, network)
                name = f"{kind}, {which} rows whole"
                rows.append({"reader": name, **score.summary()})
                exact[name] = np.array([page.errors == 0 for page in score.pages])
                if kind == "int8":
                    rows[-1] |= _paths(asked, exact[name], np.array([page.errors == 0 for page in cut.pages]))
                else:
                    lost, won = discordant(exact[name], exact[name.replace("float32", "int8")])
                    rows[-1] |= {"only_float32": lost, "only_int8": won, "mcnemar_p": mcnemar(lost, won)}
    return {"folders": rows, "strips": strips, "speed": _speed(networks, with_peers)}


def _times(folder: Path, classifier: Classifier, network: Counted, with_peers: bool) -> dict[str, Any]:
    """Milliseconds a strip of the folder's, one thread.

    `heard` is the network with its search; `read` all that reading a picture takes longer than cutting alone,
    the least of three each: what is in doubt is looked at again, three times, and weighed. RapidOCR is given
    the same strips.
    """
    every = list(pages.labels(folder))
    heard: list[float] = []
    longer: list[float] = []
    peer: list[float] = []
    again = 0
    for name, _ in every[:: max(1, len(every) // TIMED)]:
        (picture,) = pictures.load(folder / name)
        cut, whole = (
            _least(partial(_read, classifier, which, network, picture.pixels)) for which in ("none", "all")
        )
        asked, looks = network.asked, network.looks
        if not asked:
            continue
        again += looks > len(asked)
        longer.append((whole - cut) / len(asked))
        for strip in asked:
            heard.append(_least(partial(_hear, network, strip)))
            peer += [_rapidocr(strip)] if with_peers else []
    found = {"folder": folder.name, "strips": len(heard), "pages": len(longer), "pages_again": again}
    found |= {"heard": fmean(heard), "read": fmean(longer)} if heard else {}
    return found | ({"rapidocr": fmean(peer)} if peer else {})


def _least(work: Callable[[], object]) -> float:
    """The least milliseconds of three calls."""
    return min(pages.milliseconds(work, 1) for _ in range(3))


def _read(classifier: Classifier, whole: RowNetworkUse, network: Counted, picture: Gray) -> None:
    network.forget()
    Reader(classifier, row_network=whole, recognizer=network).read(picture)


def _hear(network: Counted, strip: Gray) -> None:
    network.forget()
    network.read(strip)


def _score(folder: Path, reader: Reader, network: Counted) -> tuple[pages.Score, npt.NDArray[np.intp]]:
    """The folder's score, and how many rows of each page the network was asked about."""
    read, asked = [], []
    for name, truth in pages.labels(folder):
        network.asked.clear()
        read.append(pages.read_page(folder / name, truth, reader))
        asked.append(len(network.asked))
    return pages.Score(folder.name, read), np.array(asked)


def _paths(
    asked: npt.NDArray[np.intp], exact: npt.NDArray[np.bool_], cut: npt.NDArray[np.bool_]
) -> dict[str, int]:
    """How many pages each path answered, how many of them rightly, and what cutting alone has of them."""
    whole = asked > 0
    return {
        "rows_whole": int(asked.sum()),
        "pages_cut": int(np.count_nonzero(~whole)),
        "pages_cut_exact": int(np.count_nonzero(exact[~whole])),
        "pages_whole": int(np.count_nonzero(whole)),
        "pages_whole_exact": int(np.count_nonzero(exact[whole])),
        "pages_whole_exact_if_cut": int(np.count_nonzero(cut[whole])),
    }


def _speed(networks: dict[str, Counted], with_peers: bool) -> list[dict[str, Any]]:
    """Milliseconds a strip by width, one thread: the network, and the search for the row's signs."""
    random = np.random.default_rng(0)
    rows = []
    for width in WIDTHS:
        strip = random.integers(0, 40, (HEIGHT, width), dtype=np.uint8)
        strip[6:26, 6 : width - 4 : 12] = strip[6:26, 7 : width - 3 : 12] = 255  # as close as digits stand
        row: dict[str, Any] = {"width": width}
        for kind, network in networks.items():
            network.read(strip)
            row[f"{kind}_network"] = pages.milliseconds(partial(network.columns, strip), REPEATS)
        columns = networks["int8"].columns(strip)
        row["search"] = pages.milliseconds(partial(ctc.search, columns, BLANK), REPEATS)
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
    return _least(read)


def table(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    lines = [
        "| folder | reader | pages | digit error rate | exact | 95 % interval | ms a page "
        "| calibration error | answered by cutting | right | answered whole | right | right if cut |",
        "|---|---|---:|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|",
        *(_line(row) for row in results["folders"]),
        "",
        "| strips of | timed | pages looked at again | heard ms | read ms | RapidOCR ms | heard | read |",
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
        times = f"{row['rapidocr']:.1f} | 1/{row['rapidocr'] / row['heard']:.0f} "
        times += f"| 1/{row['rapidocr'] / row['read']:.0f} |"
    again = f"{row['pages_again'] / row['pages']:.0%}"
    return f"| {row['folder']} | {row['strips']} | {again} | {row['heard']:.2f} | {row['read']:.2f} | {times}"


def _line(row: dict[str, Any]) -> str:
    low, high = row["exact_interval"]
    sure = "" if row["calibration_error"] is None else f"{row['calibration_error']:.3f}"
    paths = [
        str(row.get(name, ""))
        for name in (
            "pages_cut",
            "pages_cut_exact",
            "pages_whole",
            "pages_whole_exact",
            "pages_whole_exact_if_cut",
        )
    ]
    return (
        f"| {row['folder']} | {row['reader']} | {row['pages']} | {row['digit_error_rate']:.3f} "
        f"| {row['exact'] / row['pages']:.1%} | {low:.1%} to {high:.1%} | {row['milliseconds_median']:.1f} "
        f"| {sure} | {' | '.join(paths)} |"
    )
