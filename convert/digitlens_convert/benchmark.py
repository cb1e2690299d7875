"""The two benchmarks: float32 against int8 on single digits, and the whole reader on pages."""

from pathlib import Path
from typing import Any

from digitlens import Classifier, Reader, pictures
from digitlens.errors import DigitLensError
from digitlens_convert import digits, pages, report
from digitlens_train.data import load_mnist


def run_digits(
    out: Path, float_model: Path, int8_model: str, others: list[str], signs: Path | None, mnist: Path | None
) -> None:
    """Compare over MNIST's test half; writes digits.md, digits.json and disagreements.png into `out`.

    `signs` is an npz of pictures that are no digits: how many of them pass as one.

    Raises:
        ModelError: a model is missing or does not fit its card.
        DataError: MNIST or the signs cannot be had.
    """
    name = Path(int8_model).stem
    models: dict[str, str | Path] = {f"{name} float32": float_model, f"{name} int8": int8_model}
    models |= {other: other for other in others}
    data, pictures_of_signs = load_mnist(mnist), digits.load_signs(signs)
    measured = [digits.measure(name, model, data, pictures_of_signs) for name, model in models.items()]
    results = digits.compare(measured, data)
    report.write(out, "digits", results, report.digits_table(results))
    report.disagreements(measured, data, out / "disagreements.png")


def run_pages(out: Path, folders: list[Path], model: str, notebook: Path | None, keras_model: Path) -> None:
    """Score folders of labeled pages; writes pages.md and pages.json into `out`.

    With `notebook`, one page's file, the notebook's way is timed on it in the same run.

    Raises:
        LabelsError: a folder has no labels, or a page cannot be read.
        ModelError: the model is missing or does not fit its card.
    """
    reader = Reader(Classifier.load(model))
    scores = [pages.score(folder, reader) for folder in folders]
    summaries = [score.summary() for score in scores]
    timed = _time_notebook(notebook, keras_model, reader) if notebook else None
    results = {"model": model, "folders": summaries, "notebook": timed, "pages": report.pages_json(scores)}
    report.write(out, "pages", results, report.pages_table(scores, summaries, timed))


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
    contours = len(notebook.read(page, model))  # this call also traces the model
    slow = pages.milliseconds(lambda: notebook.read(page, model), repeat=3)
    fast = pages.milliseconds(read, repeat=15)
    return {
        "page": page.name,
        "contours": contours,
        "digitlens_ms": fast,
        "notebook_ms": slow,
        "ratio": slow / fast,
    }
