"""The network that reads rows: its row images, its size, a small run."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import msgspec
import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra train")

import keras

from digitlens.rows import recognizer
from digitlens.rows.crop import CROP_HEIGHT
from digitlens.rows.recognizer import DASH, LETTER, NETWORK_BLANK, NETWORK_CLASSES, SYMBOL
from digitlens_train import crops, networks, numbers, row_photos, shards
from digitlens_train.__main__ import main
from digitlens_train.crops import Sources
from digitlens_train.data import load_mnist
from digitlens_train.row_photos import MAX_LABELS
from digitlens_train.run import About, Figures
from digitlens_train.traced_writing import UNKNOWN

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sources(mnist: Path) -> Sources:
    data = load_mnist(mnist)
    return crops.load_sources((data.x_train, data.y_train), None)


def test_the_network_is_small() -> None:
    model = networks.numbers()
    assert model.count_params() < 730_000
    work, height, width = 0, 32, 128
    for layer in model.layers:
        if "Conv2D" in type(layer).__name__:
            down, across = layer.strides
            tall, _, _, _ = layer.kernel.shape
            height = height // down if layer.padding == "same" else height - tall + 1
            width //= across
            work += height * width * int(np.prod(layer.kernel.shape))
    assert (height, width) == (1, 32)
    assert 25e6 < work <= 80e6


def test_rows_are_seeded_and_labeled(sources: Sources) -> None:
    kinds = set()
    first, again = np.random.default_rng(7), np.random.default_rng(7)
    for _ in range(200):
        row, same = row_photos.make(sources, first), row_photos.make(sources, again)
        np.testing.assert_array_equal(row.picture, same.picture)
        assert row.labels == same.labels
        assert row.picture.shape[0] == CROP_HEIGHT
        assert len(row.columns) == -(-row.picture.shape[1] // recognizer.STEP)
        kinds |= {*row.labels, *row.columns.tolist()}
        # The columns show no more digits than the labels name.
        shown = row.columns[row.columns != UNKNOWN]
        changed = shown[np.flatnonzero(np.diff(shown, prepend=np.uint8(NETWORK_BLANK)) != 0)]
        digits = [label for label in changed.tolist() if label < 10]
        assert len(digits) <= len(row.labels)
    assert kinds >= {*range(NETWORK_CLASSES)}


def test_adjacent_letters_and_adjacent_symbols_count_once() -> None:
    labels = [LETTER, LETTER, 3, 3, SYMBOL, LETTER, 5, SYMBOL, SYMBOL, DASH, DASH]
    assert row_photos.folded(labels) == [LETTER, 3, 3, SYMBOL, LETTER, 5, SYMBOL, DASH, DASH]


def test_shards_keep_rows_as_drawn(sources: Sources, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    drawn = [row_photos.make(sources, random) for _ in range(12)]
    shards.save(tmp_path / "shard.npz", drawn)
    loaded = shards.load(tmp_path / "shard.npz")
    assert sum(len(x) for x, _ in loaded.values()) == 12
    for width, (x, y) in loaded.items():
        assert x.shape[1:] == (CROP_HEIGHT, width)
        assert y.shape[1] == MAX_LABELS + width // recognizer.STEP
    wanted = sorted([*row.labels] for row in drawn)
    kept = [
        [n for n in row if n != UNKNOWN] for _, y in loaded.values() for row in y[:, :MAX_LABELS].tolist()
    ]
    assert sorted(kept) == wanted


def test_the_processes_that_draw_import_no_keras() -> None:
    """Each would take longer to import it than to draw its first shard."""
    modules = "crops, page_examples, patch_pool, shards"
    program = f"import sys\nfrom digitlens_train import {modules}\nsys.exit('keras' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_epoch_learns_the_latest_shards() -> None:
    plan = shards.Plan(shard_size=10, new_shards=2, window=5, seed=1)
    assert [list(plan.of(epoch)) for epoch in range(4)] == [
        [0, 1],
        [0, 1, 2, 3],
        [1, 2, 3, 4, 5],
        [3, 4, 5, 6, 7],
    ]
    assert plan.rows_learned(4) == 160


def test_the_loss_prefers_the_right_reading() -> None:
    """A column for each label and blanks between cost less than any other reading, empty rows included."""
    import tensorflow as tf

    loss = numbers.loss_of(tf.constant(0.0))
    targets = np.full((2, MAX_LABELS + 8), UNKNOWN, np.uint8)
    targets[0, :2] = 3, 3
    logits = np.zeros((2, 8, NETWORK_CLASSES), np.float32)
    logits[:, :, NETWORK_BLANK] = 9
    logits[0, [1, 4], 3] = 18
    right = float(loss(targets, tf.reshape(logits, (2, 1, 4, networks.ROW_OUTPUTS))))
    logits[0, 2:5, 3] = 18  # the two run together
    wrong = float(loss(targets, tf.reshape(logits, (2, 1, 4, networks.ROW_OUTPUTS))))
    logits[1, 0, 5] = 18  # and something on the empty row
    worse = float(loss(targets, tf.reshape(logits, (2, 1, 4, networks.ROW_OUTPUTS))))
    assert right < 0.01 < wrong < worse


def test_an_interrupted_run_resumes(mnist: Path, tmp_path: Path) -> None:
    small = numbers.NumbersConfig(
        epochs=2,
        shard_size=60,
        new_shards=2,
        window=3,
        batch_pixels=1024,
        bn_batches=2,
        held_out_digits=200,
        held_out_rows=20,
    )
    losses: list[float] = []

    def stop(figures: Figures) -> None:
        assert figures["loss"] is not None
        losses.append(figures["loss"])
        if figures["epoch"] == 2:
            raise KeyboardInterrupt  # after its fit: before it is kept

    with pytest.raises(KeyboardInterrupt):
        numbers.fit(small, tmp_path, mnist, processes=1, observe=stop)
    assert losses[1] < losses[0]
    assert (tmp_path / "epoch-01.weights.h5").exists()
    assert not (tmp_path / "epoch-02.weights.h5").exists()
    assert not (tmp_path / "about.json").exists()
    numbers.fit(small, tmp_path, mnist, processes=1, resume=True)
    again = [float(line.split(",")[1]) for line in (tmp_path / "history.csv").read_text().splitlines()[1:]]
    np.testing.assert_allclose(again, losses, rtol=1e-3)
    about = msgspec.json.decode((tmp_path / "about.json").read_bytes(), type=About)
    assert (about.name, about.kind) == ("numbers", "strips")
    model = keras.models.load_model(tmp_path / "numbers.keras", compile=False)
    assert model.output_shape == networks.numbers().output_shape
    assert about.temperature is not None


def test_a_run_of_other_settings_is_refused(tmp_path: Path, mnist: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    assert main(["numbers", "--out", str(folder), "--mnist", str(mnist), "--resume"]) == 1


@pytest.mark.skipif(find_spec("torch") is not None, reason="PyTorch is here")
def test_without_pytorch_one_line_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["teacher", "--out", str(tmp_path / "run")]) == 1
    error = capsys.readouterr().err
    assert "extra gpu" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()
