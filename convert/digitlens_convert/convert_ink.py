"""A finished run of the ink network -> its float32 and int8 files with their cards."""

from pathlib import Path

import msgspec

from digitlens.models import cards
from digitlens.models.cards import Accuracy, Card, Quantization, TensorSpec, digest
from digitlens.paper.network import CLASSES
from digitlens_convert import ink_pixels
from digitlens_convert.config import SearchConfig
from digitlens_train.run import About


def convert(about: About, run: Path, out: Path, config: SearchConfig) -> list[Path]:
    """Write the int8 file into `out` and the float32 file into the run's folder, each with its card.

    The run holds the patches that represent what it learned, and the held-out ones of the accuracy.
    """
    import keras
    import numpy as np

    from digitlens_convert import quantize
    from digitlens_convert.graph import in_parts, unfolded
    from digitlens_train import networks  # its layers, which a .keras file names

    model = keras.models.load_model(run / f"{about.name}.keras", compile=False)
    gray, _ = ink_pixels.load(run / "patches.npz")
    inputs = gray[..., np.newaxis] * np.float32(networks.INK_SCALE)
    targets: dict[Quantization, Path] = {
        "float32": run / f"{about.name}_float32.tflite",
        "int8": out / f"{about.name}.tflite",
    }
    for kind, path in targets.items():
        if kind == "int8":
            content = in_parts(unfolded(quantize.nearest(model, inputs, config, CLASSES)))
        else:
            content = quantize.convert(model, kind, inputs)
        entry, end = quantize.ports(content, networks.INK_SCALE)
        path.write_bytes(content)
        card = Card(
            name=path.stem,
            kind="ink",
            description=about.description,
            bytes=len(content),
            sha256=digest(content),
            quantization=kind,
            input=_any_size(entry),
            output=_any_size(end),
            training_data=about.training_data,
            accuracy=Accuracy("not measured", 0, 0, 0.0, (0.0, 1.0)),
            make_again=(*about.make_again, f"python -m digitlens_convert convert runs/{run.name}"),
        )
        cards.save(card, path.with_suffix(".json"))
        measured = ink_pixels.accuracy(path, run / "held_out.npz")
        cards.save(msgspec.structs.replace(card, accuracy=measured), path.with_suffix(".json"))
        print(f"{path}: {len(content):,} bytes, {measured.set}: {measured.fraction:.3f}")
    return list(targets.values())


def _any_size(port: TensorSpec) -> TensorSpec:
    return msgspec.structs.replace(port, shape=(-1, -1, -1, port.shape[-1]))
