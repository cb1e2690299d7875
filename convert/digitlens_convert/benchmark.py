"""The benchmarks: models on single digits, the reader on pages and rows, the tracker, and times."""

from pathlib import Path
from typing import Any

import numpy as np

from digitlens import Classifier, Reader
from digitlens.core.errors import DigitLensError
from digitlens.images import pictures
from digitlens.models import cards
from digitlens_convert import digits, page_speed, pages, plots, report, report_digits, speed, steady
from digitlens_convert.convert import FLOATING
from digitlens_convert.speed import SpeedConfig
from digitlens_convert.stats import discordant, mcnemar
from digitlens_train.data import Mnist, load_mnist


def run_digits(
    out: Path,
    model: str,
    run: Path,
    others: list[str],
    validation: Path | None,
    mnist: Path | None,
    with_peers: bool = False,
    config: SpeedConfig | None = None,
) -> None:
    """Compare a network's float32, float16, dynamic-range and int8 files, and other models.

    They are compared on MNIST's test half, on the negatives and the folders of labeled pictures in
    `validation`, and in time and memory. Writes digits.md, digits.json and the plots into `out`. `run` is
    the training run's folder, where convert has left the float files.

    Raises:
        ModelError: a model is missing or does not match its card.
        DataError: MNIST or the negatives are not available.
        DependencyError: the peers are not installed.
    """
    name = Path(model).stem
    variants = {f"{name} {kind}": run / f"{name}_{kind}.tflite" for kind in FLOATING}
    files = {f"{name} int8": cards.find(model), **{other: cards.find(other) for other in others}}
    models: dict[str, Path] = {name: cards.find(path) for name, path in (variants | files).items()}
    # float32 and int8 first: every difference is against float32.
    order = [f"{name} float32", f"{name} int8", *models]
    models = {name: models[name] for name in dict.fromkeys(order)}
    data = load_mnist(mnist)
    negatives = digits.load_negatives(validation / "hasy.npz" if validation else None)
    measured = [digits.measure(name, path, data, negatives) for name, path in models.items()]
    results = digits.compare(measured, data)
    results["folders"] = _folders(list(models.items())[:2], validation) if validation else []
    keras_model = run / f"{name}.keras" if with_peers else None
    results["speed"] = _speed(models, keras_model, data, config or SpeedConfig())
    report.write(out, "digits", results, report_digits.table(results))
    plots.draw(measured, data, out)


def _folders(models: list[tuple[str, Path]], validation: Path) -> list[dict[str, Any]]:
    """The exact pages of every labeled folder with each model, and McNemar's test against the first."""
    rows = []
    for folder in sorted(path.parent for path in validation.glob("*/labels.json")):
        scores = [pages.score(folder, Reader(Classifier.load(path))) for _, path in models]
        first = np.array([page.errors == 0 for page in scores[0].pages])
        for (name, _), score in zip(models, scores, strict=True):
            exact = np.array([page.errors == 0 for page in score.pages])
            only_first, only_this = discordant(first, exact)
            pair = {
                "only_first_exact": only_first,
                "only_this_exact": only_this,
                "mcnemar_p": mcnemar(only_first, only_this),
            }
            rows.append({"model": name, **score.summary(), **pair})
    return rows


def _speed(
    models: dict[str, Path], keras_model: Path | None, data: Mnist, config: SpeedConfig
) -> dict[str, Any]:
    """Milliseconds a digit by threads and batch size; memory; the share of the int8 peak."""
    from digitlens_convert.graph import multiply_accumulates  # needs TensorFlow, which --pages does not

    by_threads = {}
    for threads in config.threads:
        run = speed.runners(models, threads)
        if threads == 1 and keras_model is not None:
            from digitlens_convert import peers

            run |= peers.runners(keras_model)
        by_threads[threads] = speed.times(run, data.x_test, config)
    rows = [
        {
            "runner": runner,
            "threads": threads,
            "milliseconds_a_digit": {
                str(batch): {"median": median, "p99": p99} for batch, (median, p99) in spent.items()
            },
        }
        for threads, table in by_threads.items()
        for runner, spent in table.items()
    ]
    int8 = list(models)[1]
    work = multiply_accumulates(models[int8].read_bytes())
    peak = speed.peak()
    reached = work / (by_threads[1][int8][config.batches[-1]][0] / 1000)
    return {
        "rows": rows,
        "memory_mib": {name: speed.memory(path) for name, path in models.items()},
        "multiply_accumulates": work,
        "int8_peak_a_second": peak,
        "int8_peak_share": reached / peak,
    }


def run_pages(
    out: Path,
    folders: list[Path],
    model: str,
    notebook: Path | None,
    keras_model: Path,
    with_peers: bool = False,
) -> None:
    """Score folders of labeled pages; writes pages.md and pages.json into `out`.

    With `notebook`, a page's file, the notebook's reader is timed on it in the same run.

    Raises:
        LabelsError: a folder has no labels, or a page cannot be read.
        ModelError: the model is missing or does not match its card.
        DependencyError: the peers are not installed.
    """
    reader = Reader(Classifier.load(model))
    scores = [pages.score(folder, reader) for folder in folders]
    others: list[pages.Score] = []
    if with_peers:
        from digitlens_convert import page_peers

        others = [score for folder in folders for score in page_peers.scores(folder)]
    timed = _time_notebook(notebook, keras_model, reader) if notebook else None
    results = {
        "model": model,
        "folders": [score.summary() for score in scores],
        "peers": [score.summary() for score in others],
        "notebook": timed,
        "pages": report.pages_json(scores),
    }
    report.write(out, "pages", results, report.pages_table(scores, results))


def run_strips(out: Path, folders: list[Path], model: str, run: Path, with_peers: bool = False) -> None:
    """Score the row network on labeled folders; writes strips.md and strips.json into `out`.

    Raises:
        LabelsError: a folder has no labels, or a page cannot be read.
        ModelError: a model is missing or does not match its card.
        DependencyError: the peers are not installed.
    """
    from digitlens_convert import strips

    results = strips.measure(folders, model, run / f"{Path(model).stem}_float32.tflite", with_peers)
    report.write(out, "strips", results, strips.table(results))


def run_ink(out: Path, model: str, run: Path) -> None:
    """Compare the ink network's float32 and int8 files by pixels; writes ink.md and ink.json into `out`.

    `run` is its training run's folder, where convert has left the float32 file.

    Raises:
        ModelError: a model is missing or does not match its card.
        DataError: the run has no held-out patches.
    """
    from digitlens_convert import ink_pixels

    int8 = cards.find(model)
    results = ink_pixels.measure(run / f"{int8.stem}_float32.tflite", int8, run / "held_out.npz")
    report.write(out, "ink", results, ink_pixels.table(results))


def run_steady(out: Path, model: str, mnist: Path | None, frames: int, count: int, seed: int) -> None:
    """Run the tracker over long sequences; writes steady.md and steady.json into `out`.

    Raises:
        ModelError: the model is missing or does not match its card.
        DataError: MNIST is not available.
    """
    rows = steady.measure(Reader(Classifier.load(model)), load_mnist(mnist), frames, count, seed)
    report.write(out, "steady", {"sequences": rows}, steady.table(rows))


def run_speed(out: Path, model: str, mnist: Path | None, with_peers: bool = False) -> None:
    """Time a page against a lower bound, by pixels and by digits; writes speed.md, .json and .png into `out`.

    Raises:
        DataError: MNIST is not available.
        ModelError: the model is missing or does not match its card.
        DependencyError: the peers are not installed.
    """
    results = page_speed.measure(Reader(Classifier.load(model)), load_mnist(mnist), with_peers)
    report.write(out, "speed", results, page_speed.table(results))
    page_speed.draw(results, out / "speed.png")


def _time_notebook(page: Path, keras_model: Path, reader: Reader) -> dict[str, Any]:
    import keras

    from digitlens_convert import notebook

    if not keras_model.exists():
        raise DigitLensError(f"{keras_model}: no such file; make it with python -m digitlens_train cnn")
    model = keras.models.load_model(keras_model, compile=False)

    def read() -> None:
        for picture in pictures.load(page):
            reader.read(picture.pixels)

    read()
    contours = len(notebook.read(page, model))  # the first call also traces the model
    slow = pages.milliseconds(lambda: notebook.read(page, model), repeat=3)
    fast = pages.milliseconds(read, repeat=15)
    return {
        "page": page.name,
        "contours": contours,
        "digitlens_ms": fast,
        "notebook_ms": slow,
        "ratio": slow / fast,
    }
