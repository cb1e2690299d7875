"""A finished run of the row network -> its float32 and int8 files with their cards."""

from pathlib import Path

import msgspec
import numpy as np

from digitlens.core.arrays import Gray
from digitlens.models import cards
from digitlens.models.cards import Accuracy, Card, Quantization, TensorSpec, digest
from digitlens.rows.recognizer import NETWORK_CLASSES, RowRecognizer
from digitlens_convert.config import RowsConfig
from digitlens_convert.stats import accuracy
from digitlens_train.data import Mnist
from digitlens_train.run import About


def convert(about: About, run: Path, out: Path, data: Mnist, config: RowsConfig) -> list[Path]:
    """Write the int8 file into `out` and the float32 file into the run's folder, each with its card."""
    import keras

    from digitlens_convert import quantize
    from digitlens_train import row_photos
    from digitlens_train.crops import Sources
    from digitlens_train.networks import ROW_SCALE
    from digitlens_train.numbers import to_input

    model = keras.models.load_model(run / f"{about.name}.keras", compile=False)
    random = np.random.default_rng(0)
    representative: list[Gray] = []
    learned = Sources([(list(data.x_train), data.y_train)], [])
    while len(representative) < config.count:
        picture = row_photos.make(learned, random).picture
        if config.width // 2 < picture.shape[1] <= config.width:
            representative.append(np.pad(picture, ((0, 0), (0, config.width - picture.shape[1]))))
    tested = Sources([(list(data.x_test), data.y_test)], [])
    rows = [row_photos.make(tested, random) for _ in range(config.tested)]
    targets: dict[Quantization, Path] = {
        "float32": run / f"{about.name}_float32.tflite",
        "int8": out / f"{about.name}.tflite",
    }
    for kind, path in targets.items():
        inputs = to_input(np.stack(representative))
        if kind == "int8":
            content = quantize.nearest(model, inputs, config.search, NETWORK_CLASSES)
        else:
            content = quantize.convert(model, kind, inputs)
        entry, end = quantize.ports(content, ROW_SCALE)
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
        measured = accuracy(f"synthetic rows of MNIST's test digits, {len(rows):,}", right, len(rows))
        cards.save(msgspec.structs.replace(card, accuracy=measured), path.with_suffix(".json"))
        print(f"{path}: {len(content):,} bytes, {measured.fraction:.2%} of {measured.set} exact")
    return list(targets.values())


def _any_width(port: TensorSpec) -> TensorSpec:
    batch, height, _, depth = port.shape
    return msgspec.structs.replace(port, shape=(batch, height, -1, depth))
