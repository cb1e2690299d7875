"""Knowledge distillation: the two networks, the augmentation of rows, small runs."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra train")
pytest.importorskip("torch", reason="needs the extra gpu")

import keras
import tensorflow as tf
import torch

from digitlens.rows.recognizer import LETTER, NETWORK_BLANK, NETWORK_CLASSES
from digitlens_train import augmentation, distill, networks, numbers, teacher
from digitlens_train.data import DataError
from digitlens_train.row_photos import MAX_LABELS
from digitlens_train.run import Figures
from digitlens_train.traced_writing import UNKNOWN

pytestmark = pytest.mark.slow


def test_the_network_equals_the_keras_one() -> None:
    keras.utils.set_random_seed(5)
    model, network = networks.numbers(), teacher.Numbers()
    weights = [
        np.random.default_rng(k).uniform(0.05, 0.15, w.shape) for k, w in enumerate(model.get_weights())
    ]
    model.set_weights(weights)
    teacher.set_weights(network, model.get_weights())
    for one, other in zip(teacher.get_weights(network), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    pictures = np.random.default_rng(2).integers(0, 256, (3, 32, 128)).astype(np.float32)
    wanted = np.asarray(
        numbers.columns(model.predict(numbers.to_input(pictures.astype(np.uint8)), verbose=0))
    )
    with torch.no_grad():
        given = teacher.columns(network.eval(), torch.from_numpy(pictures)).numpy()
    np.testing.assert_allclose(given, wanted, rtol=1e-3)


def test_the_loss_equals_the_keras_one() -> None:
    random = np.random.default_rng(4)
    logits = random.normal(0, 2, (3, 32, NETWORK_CLASSES)).astype(np.float32)
    targets = np.full((3, MAX_LABELS + 32), UNKNOWN, np.uint8)
    targets[0, :3], targets[1, :4] = (3, 3, 7), (LETTER, 1, 0, 0)  # and an empty row
    targets[:, MAX_LABELS:] = random.choice([NETWORK_BLANK, UNKNOWN, 3], (3, 32))
    wanted = float(
        numbers.loss_of(tf.constant(0.3))(targets, tf.reshape(logits, (3, 1, 16, 2 * NETWORK_CLASSES)))
    )
    labels, columns = torch.from_numpy(targets[:, :MAX_LABELS]), torch.from_numpy(targets[:, MAX_LABELS:])
    assert float(distill.loss_of(torch.from_numpy(logits), labels, columns, 0.3)) == pytest.approx(
        wanted, rel=1e-4
    )


def test_columns_move_with_their_ink() -> None:
    torch.manual_seed(3)
    pictures, columns = (
        torch.zeros(40, 32, 128, dtype=torch.uint8),
        torch.full((40, 64), NETWORK_BLANK, dtype=torch.uint8),
    )
    pictures[:, 8:24, 60:64], columns[:, 30:32] = 255, 4
    bare = augmentation.Strength(pen=0, soft=0, pattern=0, line=0, grain=0, gain=0)
    changed, shown = augmentation.augment(pictures, columns, bare)
    places = []
    for picture, column in zip(changed.numpy(), shown.numpy(), strict=True):
        ink, labeled = picture[14:18].sum(axis=0).argmax(), np.flatnonzero(column == 4).mean()
        assert abs(ink / 2 - labeled) <= 2
        places.append(int(ink))
    assert len(set(places)) > 10
    mild, same = augmentation.augment(pictures, columns, augmentation.MILD)
    np.testing.assert_array_equal(same, columns)
    assert (mild.sum(dim=1).argmax(dim=1) - 61.5).abs().max() < 2


def test_a_teacher_of_the_older_format_loads(tmp_path: Path) -> None:
    network = teacher.Teacher()
    teacher.save(network, tmp_path / "new.npz")
    with np.load(tmp_path / "new.npz") as arrays:
        old = {re.sub("^features", "look", re.sub("^logits", "told", k)): arrays[k] for k in arrays.files}
    np.savez(tmp_path / "old.npz", **old)
    loaded = teacher.Teacher()
    teacher.load(loaded, tmp_path / "old.npz")
    torch.testing.assert_close(loaded.logits.weight, network.logits.weight.half().float())


def test_a_teacher_and_its_student(mnist: Path, tmp_path: Path) -> None:
    small = distill.DistillConfig(
        epochs=1,
        shard_size=30,
        new_shards=2,
        window=3,
        batch_pixels=1024,
        bn_batches=2,
        held_out_digits=200,
        held_out_rows=10,
    )
    distill.fit(small, tmp_path / "teacher", mnist, processes=1)
    large = tmp_path / "teacher" / "teacher.npz"

    longer = replace(small, epochs=2)
    complete, interrupted = tmp_path / "complete", tmp_path / "interrupted"
    distill.fit(longer, complete, mnist, taught_by=large, processes=1)
    assert keras.models.load_model(complete / "numbers.keras", compile=False).count_params() > 300_000

    def stop(figures: Figures) -> None:
        if figures["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        distill.fit(longer, interrupted, mnist, taught_by=large, processes=1, observe=stop)
    distill.fit(longer, interrupted, mnist, taught_by=large, processes=1, resume=True)
    histories = [(run / "history.csv").read_text().splitlines()[1:] for run in (complete, interrupted)]
    first, again = ([float(line.split(",")[1]) for line in lines] for lines in histories)
    assert len(first) == 2
    np.testing.assert_allclose(again, first, rtol=1e-3)

    fitted = complete / "numbers.keras"
    distill.fit(small, tmp_path / "on", mnist, warm_start=fitted, taught_by=large, processes=1)
    with pytest.raises(DataError, match="not the weights of the teacher network"):
        distill.fit(small, tmp_path / "wrong", mnist, taught_by=fitted, processes=1)
