"""A finished training run -> the model files that the runtime loads, each with its card."""

from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from digitlens import Classifier
from digitlens.core.errors import DigitLensError
from digitlens.models.cards import Accuracy, Card, Quantization, TensorSpec, digest, save
from digitlens_convert.config import ConvertConfig
from digitlens_convert.stats import accuracy
from digitlens_train.data import Mnist, load_mnist
from digitlens_train.run import About

FLOATING: tuple[Quantization, ...] = ("float32", "float16", "dynamic")
"""The variants that the benchmark compares with int8; their files stay in the run's folder."""


class ConvertError(DigitLensError, ValueError):
    """A folder without a finished training run."""


def convert(
    run: Path, out: Path, mnist: Path | None = None, config: ConvertConfig | None = None
) -> list[Path]:
    """Write the models of a finished training run, with their cards; returns the model files.

    A network's int8 file goes to `out` as NAME.tflite; the variants that the benchmark compares it with
    stay in the run's folder, as NAME_float32.tflite, NAME_float16.tflite and NAME_dynamic.tflite. An
    SVM's arrays go to `out` as NAME.npz. None takes the default configuration.

    Raises:
        ConvertError: the run is not finished, or not one of digitlens_train's.
        DataError: MNIST is not available.
    """
    config = config or ConvertConfig()
    try:
        about = msgspec.json.decode((run / "about.json").read_bytes(), type=About)
    except (OSError, msgspec.DecodeError) as error:
        raise ConvertError(
            f"{run}: not a finished run's folder; make one with python -m digitlens_train"
        ) from error
    out.mkdir(parents=True, exist_ok=True)
    if about.kind == "ink":
        from digitlens_convert import convert_ink

        return convert_ink.convert(about, run, out, config.ink)
    data = load_mnist(mnist)
    if about.kind == "hog-svm":
        return [_svm(about, run, out, data)]
    if about.kind == "strips":
        from digitlens_convert import convert_rows

        return convert_rows.convert(about, run, out, data, config.rows)
    return _network(about, run, out, data, config)


def _network(about: About, run: Path, out: Path, data: Mnist, config: ConvertConfig) -> list[Path]:
    import keras

    from digitlens_convert import quantize
    from digitlens_train.networks import INPUT_SCALE, to_input

    model = keras.models.load_model(run / f"{about.name}.keras", compile=False)
    inputs = to_input(data.x_train)
    files = []
    targets: dict[Quantization, Path] = {kind: run / f"{about.name}_{kind}.tflite" for kind in FLOATING}
    targets["int8"] = out / f"{about.name}.tflite"
    crops = run / "pictures.npz"
    for kind, path in targets.items():
        if kind == "int8" and crops.exists():  # the network learned crops of paper, so they represent it
            with np.load(crops) as file:
                pictures = file["x"]
            some = pictures[:: max(1, len(pictures) // config.crops)]
            content = quantize.nearest(model, to_input(some), config.search)
        else:
            content = quantize.convert(model, kind, inputs)
        entry, end = quantize.ports(content, INPUT_SCALE)
        _write(path, content, about, kind, entry, end, data)
        files.append(path)
    return files


def _svm(about: About, run: Path, out: Path, data: Mnist) -> Path:
    path = out / f"{about.name}.npz"
    content = (run / path.name).read_bytes()
    _write(
        path,
        content,
        about,
        "float32",
        TensorSpec((-1, 28, 28), "uint8"),
        TensorSpec((-1, 10), "float32"),
        data,
    )
    return path


def _write(
    path: Path,
    content: bytes,
    about: About,
    kind: Quantization,
    entry: TensorSpec,
    end: TensorSpec,
    data: Mnist,
) -> None:
    """Write the model and its card, and the card again with the accuracy that the runtime measures."""
    path.write_bytes(content)
    card = Card(
        name=path.stem,
        kind=about.kind,
        description=about.description,
        bytes=len(content),
        sha256=digest(content),
        quantization=kind,
        input=entry,
        output=end,
        training_data=about.training_data,
        accuracy=Accuracy("not measured", 0, 0, 0.0, (0.0, 1.0)),
        temperature=about.temperature,
        threshold=about.threshold,
        others=about.others,
        make_again=(*about.make_again, f"python -m digitlens_convert convert runs/{about.name}"),
    )
    save(card, path.with_suffix(".json"))
    right = np.count_nonzero(read(path, data.x_test) == data.y_test)
    measured = accuracy(f"MNIST test, {len(data.y_test):,} digits", int(right), len(data.y_test))
    save(msgspec.structs.replace(card, accuracy=measured), path.with_suffix(".json"))
    print(f"{path}: {len(content):,} bytes, {measured.fraction:.2%} of {measured.set}")


def read(model: Path | str, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    """(N, 28, 28) uint8 -> the digits (N,) that a model file reads."""
    answers: npt.NDArray[np.intp] = Classifier.load(model).probabilities(pictures).argmax(axis=1)
    return answers
