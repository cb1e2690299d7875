"""A teacher and what learns of it: the networks, how strips are changed, the run; small, but all of it."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra train")
pytest.importorskip("torch", reason="needs the extra gpu")

import keras
import tensorflow as tf
import torch

from digitlens.rows.recognizer import BLANK, OTHER
from digitlens_train import distill, networks, numbers, shaken, teacher
from digitlens_train.data import DataError
from digitlens_train.row_photos import LONGEST, UNKNOWN

pytestmark = pytest.mark.slow


def test_it_is_the_network_of_keras() -> None:
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


def test_the_loss_is_that_of_keras() -> None:
    random = np.random.default_rng(4)
    logits = random.normal(0, 2, (3, 32, 13)).astype(np.float32)
    targets = np.full((3, LONGEST + 32), UNKNOWN, np.uint8)
    targets[0, :3], targets[1, :4] = (3, 3, 7), (OTHER, 1, 0, 0)  # and a row of nothing
    targets[:, LONGEST:] = random.choice([BLANK, UNKNOWN, 3], (3, 32))
    wanted = float(numbers.loss_of(tf.constant(0.3))(targets, tf.reshape(logits, (3, 1, 16, 26))))
    labels, columns = torch.from_numpy(targets[:, :LONGEST]), torch.from_numpy(targets[:, LONGEST:])
    assert float(distill.loss_of(torch.from_numpy(logits), labels, columns, 0.3)) == pytest.approx(
        wanted, rel=1e-4
    )


def test_what_stands_in_a_column_goes_with_it() -> None:
    torch.manual_seed(3)
    pictures, columns = (
        torch.zeros(40, 32, 128, dtype=torch.uint8),
        torch.full((40, 64), BLANK, dtype=torch.uint8),
    )
    pictures[:, 8:24, 60:64], columns[:, 30:32] = 255, 4
    bare = shaken.Strength(pen=0, soft=0, pattern=0, line=0, grain=0, gain=0)
    changed, shown = shaken.shake(pictures, columns, bare)
    places = []
    for picture, column in zip(changed.numpy(), shown.numpy(), strict=True):
        ink, told = picture[14:18].sum(axis=0).argmax(), np.flatnonzero(column == 4).mean()
        assert abs(ink / 2 - told) <= 2
        places.append(int(ink))
    assert len(set(places)) > 10
    calm, same = shaken.shake(pictures, columns, shaken.MILD)
    np.testing.assert_array_equal(same, columns)
    assert (calm.sum(dim=1).argmax(dim=1) - 61.5).abs().max() < 2


def test_a_teacher_then_what_learns_of_it(
    mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distill, "SETTLE", 2)
    monkeypatch.setattr(numbers, "HELD_OUT", 200)
    small = distill.Config(epochs=1, part=30, fresh=2, window=3, pixels=1024, held_out=10)
    distill.fit(small, tmp_path / "teacher", mnist, processes=1)
    large = tmp_path / "teacher" / "teacher.npz"

    longer = distill.Config(epochs=2, part=30, fresh=2, window=3, pixels=1024, held_out=10)
    whole, halved = tmp_path / "whole", tmp_path / "halved"
    distill.fit(longer, whole, mnist, taught_by=large, processes=1)
    assert keras.models.load_model(whole / "numbers.keras", compile=False).count_params() > 300_000

    def stop(network, learning) -> tuple[float, float]:
        calls.append(1)
        if len(calls) == 3:  # two in an epoch
            raise KeyboardInterrupt
        return score(network, learning)

    calls: list[int] = []
    score = distill.score
    with monkeypatch.context() as patch:
        patch.setattr(distill, "score", stop)
        with pytest.raises(KeyboardInterrupt):
            distill.fit(longer, halved, mnist, taught_by=large, processes=1)
    distill.fit(longer, halved, mnist, taught_by=large, processes=1, resume=True)
    histories = [(run / "history.csv").read_text().splitlines()[1:] for run in (whole, halved)]
    first, again = ([float(line.split(",")[1]) for line in lines] for lines in histories)
    assert len(first) == 2
    np.testing.assert_allclose(again, first, rtol=1e-3)

    distill.fit(small, tmp_path / "on", mnist, start=whole / "numbers.keras", taught_by=large, processes=1)
    with pytest.raises(DataError, match="not the weights of the teacher network"):
        distill.fit(small, tmp_path / "wrong", mnist, taught_by=whole / "numbers.keras", processes=1)
