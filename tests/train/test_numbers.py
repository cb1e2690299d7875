"""The network that reads rows: its strips, its size, its run; small, but all of it."""

from importlib.util import find_spec
from pathlib import Path

import msgspec
import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra train")

from digitlens.rows import recognizer
from digitlens.rows.recognizer import BLANK, OTHER
from digitlens_train import crops, networks, numbers, parts, row_photos
from digitlens_train.__main__ import main
from digitlens_train.crops import Sources
from digitlens_train.data import load_mnist
from digitlens_train.row_photos import LONGEST, UNKNOWN
from digitlens_train.run import About

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sources(mnist: Path) -> Sources:
    data = load_mnist(mnist)
    return crops.load_sources((data.x_train, data.y_train), None)


def test_the_network_is_small() -> None:
    model = networks.numbers()
    assert model.count_params() < 330_000
    work, height, width = 0, 32, 128
    for layer in model.layers:
        if "Conv2D" in type(layer).__name__:
            down, across = layer.strides
            tall, _, _, _ = layer.kernel.shape
            height = height // down if layer.padding == "same" else height - tall + 1
            width //= across
            work += height * width * int(np.prod(layer.kernel.shape))
    assert (height, width) == (1, 32)
    assert 15e6 < work <= 25e6


def test_strips_are_seeded_and_labeled(sources: Sources) -> None:
    kinds = set()
    first, again = np.random.default_rng(7), np.random.default_rng(7)
    for _ in range(60):
        strip, same = row_photos.make(sources, first), row_photos.make(sources, again)
        np.testing.assert_array_equal(strip.picture, same.picture)
        assert strip.labels == same.labels
        assert strip.picture.shape[0] == recognizer.HEIGHT
        assert len(strip.columns) == -(-strip.picture.shape[1] // recognizer.STEP)
        kinds |= {*strip.labels, *strip.columns.tolist()}
        # What the columns show, in order, is what the labels say.
        shown = strip.columns[strip.columns != UNKNOWN]
        changed = shown[np.flatnonzero(np.diff(shown, prepend=np.uint8(BLANK)) != 0)]
        digits = [label for label in changed.tolist() if label < 10]
        assert len(digits) <= len(strip.labels)
    assert kinds >= {*range(13)}


def test_signs_that_are_no_digits_count_once() -> None:
    assert row_photos.folded([OTHER, OTHER, 3, 3, OTHER, 5, OTHER, OTHER]) == [OTHER, 3, 3, OTHER, 5, OTHER]


def test_parts_are_kept_as_they_were_drawn(sources: Sources, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    drawn = [row_photos.make(sources, random) for _ in range(12)]
    parts.save(tmp_path / "part.npz", drawn)
    loaded = parts.load(tmp_path / "part.npz")
    assert sum(len(x) for x, _ in loaded.values()) == 12
    for width, (x, y) in loaded.items():
        assert x.shape[1:] == (recognizer.HEIGHT, width)
        assert y.shape[1] == LONGEST + width // recognizer.STEP
    wanted = sorted([*strip.labels] for strip in drawn)
    kept = [[n for n in row if n != UNKNOWN] for _, y in loaded.values() for row in y[:, :LONGEST].tolist()]
    assert sorted(kept) == wanted


def test_an_epoch_learns_the_newest_parts() -> None:
    plan = parts.Plan(part=10, fresh=2, window=5, seed=1)
    assert [list(plan.of(epoch)) for epoch in range(4)] == [
        [0, 1],
        [0, 1, 2, 3],
        [1, 2, 3, 4, 5],
        [3, 4, 5, 6, 7],
    ]
    assert plan.learnt(4) == 160


def test_the_loss_sees_what_is_right() -> None:
    """A column for each label and nothing between is cheaper than any other reading; an empty row counts."""
    import tensorflow as tf

    loss = numbers.loss_of(tf.constant(0.0))
    targets = np.full((2, LONGEST + 8), UNKNOWN, np.uint8)
    targets[0, :2] = 3, 3
    logits = np.zeros((2, 8, 13), np.float32)
    logits[:, :, BLANK] = 9
    logits[0, [1, 4], 3] = 18
    right = float(loss(targets, tf.reshape(logits, (2, 1, 4, 26))))
    logits[0, 2:5, 3] = 18  # the two run together
    wrong = float(loss(targets, tf.reshape(logits, (2, 1, 4, 26))))
    logits[1, 0, 5] = 18  # and something on the empty row
    worse = float(loss(targets, tf.reshape(logits, (2, 1, 4, 26))))
    assert right < 0.01 < wrong < worse


def test_a_run_learns_and_goes_on(mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = numbers.Config(epochs=2, part=60, fresh=2, window=3, pixels=1024, held_out=20)
    whole, halved = tmp_path / "whole", tmp_path / "halved"
    monkeypatch.setattr(numbers, "SETTLE", 2)
    monkeypatch.setattr(numbers, "HELD_OUT", 200)
    numbers.fit(small, whole, mnist, processes=1)
    about = msgspec.json.decode((whole / "about.json").read_bytes(), type=About)
    assert about.kind == "strips"
    assert about.temperature is not None
    losses = [line.split(",")[1] for line in (whole / "history.csv").read_text().splitlines()[1:]]
    assert float(losses[1]) < float(losses[0])

    calls: list[int] = []

    def stop(model, learnt) -> float:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return loss(model, learnt)

    loss = numbers._loss
    with monkeypatch.context() as patch:
        patch.setattr(numbers, "_loss", stop)
        with pytest.raises(KeyboardInterrupt):
            numbers.fit(small, halved, mnist, processes=1)
    assert (halved / "epoch-01.weights.h5").exists()
    numbers.fit(small, halved, mnist, processes=1, resume=True)
    again = [line.split(",")[1] for line in (halved / "history.csv").read_text().splitlines()[1:]]
    np.testing.assert_allclose([float(x) for x in again], [float(x) for x in losses], rtol=1e-3)


def test_a_run_of_other_settings_is_left_alone(tmp_path: Path, mnist: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    assert main(["numbers", "--out", str(folder), "--mnist", str(mnist), "--resume"]) == 1


@pytest.mark.skipif(find_spec("torch") is not None, reason="PyTorch is here")
def test_without_pytorch_one_line_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["teacher", "--out", str(tmp_path / "run")]) == 1
    told = capsys.readouterr().err
    assert "extra gpu" in told
    assert told.count("\n") == 1
    assert not (tmp_path / "run").exists()
