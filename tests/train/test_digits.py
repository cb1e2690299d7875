"""The network for crops of paper: its pictures, its size, a small run."""

from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra train")

from digitlens import Classifier
from digitlens.glyphs.normalize import normalize
from digitlens_train import arguments, crops, negatives, networks, strokes, touching, warm_start
from digitlens_train import digits as digits_run
from digitlens_train.__main__ import main
from digitlens_train.crops import OTHER, Mix
from digitlens_train.data import DataError, load_mnist
from digitlens_train.elastic import distort
from digitlens_train.run import About

pytestmark = pytest.mark.slow


def test_the_network_is_small() -> None:
    model = networks.digits()
    assert model.count_params() < 90_000
    assert model.output_shape == (None, 11)
    work = 0
    for layer in model.layers:
        if "Conv2D" in type(layer).__name__:
            _, height, width, _ = layer.output.shape
            work += height * width * int(np.prod(layer.kernel.shape))
    assert 5e6 < work <= 6e6


@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (1, 28), (28, 28), (56, 56), (16, 16)])
def test_any_picture_becomes_a_stroke(shape: tuple[int, int]) -> None:
    stroke = strokes.enlarge(np.full(shape, 255, np.uint8))
    assert stroke.shape == (strokes.SIDE, strokes.SIDE)
    assert 0.99 <= stroke.max() <= 1
    assert strokes.enlarge(np.zeros(shape, np.uint8)).max() == 0


@pytest.mark.parametrize("wanted", [6.0, 12.0, 20.0])
def test_a_pen_of_another_width(digits, wanted: float) -> None:
    x, _ = digits
    widths = [strokes.width(strokes.repen(strokes.enlarge(image), wanted)) for image in x[:40]]
    assert np.median(widths) == pytest.approx(wanted, rel=0.35)


def test_pictures_are_seeded_and_labeled(mnist: Path, digits) -> None:
    data = load_mnist(mnist)
    sources = crops.load_sources((data.x_train, data.y_train), None)
    assert sources.negatives == []
    first, again = (
        crops.make(sources, Mix(60, 60, 60, 60, 60, 60, 60), 7, processes) for processes in (1, 2)
    )
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    pictures, labels = first
    assert pictures.shape == (420, 28, 28)
    assert labels[:60].max() < 10
    assert np.all(labels[60:120] == OTHER)
    assert 0 < np.count_nonzero(labels[120:180] == OTHER) < 40  # some wrong cuts
    assert labels[180:300].max() < 10
    assert np.all(labels[300:360] == OTHER)
    assert labels[360:].max() < 10  # in pieces, but digits
    assert np.all(pictures.max(axis=(1, 2)) > 200)


def test_a_removed_line_takes_ink_along_it_and_leaves_ink_across_it() -> None:
    foot, stem = np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([[0.5, 0.0], [0.5, 1.0]])
    random = np.random.default_rng(4)
    stroke = strokes.draw([foot, stem], 5)
    left = [strokes.remove_line(stroke, random) for _ in range(60)]
    away = np.ones(strokes.SIDE, bool)
    away[50:63] = False
    lost = [1 - taken[:, away].sum() / stroke[:, away].sum() for taken in left]
    assert max(lost) > 0.9  # nearly all of the foot
    assert min(taken[:85, 52:60].sum() for taken in left) > 0.95 * stroke[:85, 52:60].sum()


def test_straight_strokes_are_not_scribbles() -> None:
    assert strokes.is_straight(strokes.draw([np.array([[0.3, 0.0], [0.6, 1.0]])], 9))
    assert not strokes.is_straight(strokes.draw([np.array([[0.0, 0.0], [0.6, 1.0], [1.0, 0.2]])], 9))
    assert strokes.is_straight(np.zeros((strokes.SIDE, strokes.SIDE), np.float32))


def test_a_piece_of_a_character_differs_from_it(digits) -> None:
    random = np.random.default_rng(6)
    x, _ = digits
    strong = [strokes.enlarge(image) for image in x[:20]]
    pieces = [touching.piece(stroke, random) for stroke in strong]
    assert any(not np.array_equal(piece, stroke) for piece, stroke in zip(pieces, strong, strict=True))
    assert all(piece.shape == (strokes.SIDE, strokes.SIDE) for piece in pieces)


def test_negatives_are_drawn_of_all_kinds(digits) -> None:
    random = np.random.default_rng(5)
    drawn = [negatives.draw(random, [], digits) for _ in range(60)]
    assert all(stroke.shape == (strokes.SIDE, strokes.SIDE) for stroke in drawn)
    assert sum(stroke.max() > 0.5 for stroke in drawn) > 50


def test_a_warm_start_from_the_shipped_network(digits) -> None:
    x, y = digits
    model = networks.digits()
    warm_start.take_over(model, "digits", networks.to_input(x[:300]))
    answers = np.asarray(model(networks.to_input(x)))
    shipped = Classifier.load()
    quantized = shipped.probabilities(x)
    # int8 rounds the activations, too; that changes the reading of very few digits.
    assert np.count_nonzero(answers[:, :10].argmax(axis=1) != quantized.argmax(axis=1)) <= 3
    assert np.mean(answers[:, :10].argmax(axis=1) == y) > 0.99
    with pytest.raises(DataError, match="other layers"):
        warm_start.take_over(networks.digits(), "seed", networks.to_input(x[:10]))
    assert warm_start.shipped("digits").name == "digits"


def test_a_smaller_mix_keeps_its_proportions() -> None:
    small = Mix.of(5820)
    assert small.total == pytest.approx(5820, abs=4)
    assert small.broken == pytest.approx(440, abs=1)


def test_a_dry_pen_leaves_gaps() -> None:
    stroke = strokes.draw([np.array([[0.2, 0.0], [0.5, 1.0]])], 9)
    dried = strokes.dry_out(stroke, np.random.default_rng(2))
    assert 0.3 < dried.sum() / stroke.sum() < 0.95


def test_a_run_and_its_resumption(mnist: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = Mix(80, 60, 60, 40, 20, 20, 20)
    config = digits_run.DigitsConfig(
        epochs=1,
        final_epochs=1,
        plain_digits=256,
        paper_digits=160,
        paper_negatives=96,
        plain_negatives=64,
        batch_size=64,
        held_out_digits=100,
        mix=small,
        held_out_mix=Mix(30, 30, 20, 20, 0, 0, 0),
    )
    digits_run.fit(config, tmp_path, mnist)
    about = msgspec.json.decode((tmp_path / "about.json").read_bytes(), type=About)
    assert about.temperature is not None
    assert about.threshold is not None
    assert 0 < about.threshold < 1
    history = (tmp_path / "history.csv").read_text()
    assert history.count("\n") == 3
    (tmp_path / "about.json").unlink()
    capsys.readouterr()
    digits_run.fit(config, tmp_path, mnist, resume=True)
    assert "nothing to train" in capsys.readouterr().out
    assert (tmp_path / "history.csv").read_text() == history
    assert (tmp_path / "about.json").exists()


def test_temperature_corrects_overconfidence() -> None:
    """Logits drawn at temperature 1, then doubled, need temperature 2."""
    random = np.random.default_rng(3)
    logits = random.normal(0, 2, (20_000, 11)).astype(np.float32)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (random.random((20_000, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(0, 10).astype(np.uint8)
    assert digits_run.calibrate(2 * logits, labels) == pytest.approx(2, rel=0.06)


def _user_crops(folder: Path, digits, kinds: str = "0123456789") -> Path:
    """Crops of real digits, dark on light, in a user's folder."""
    x, y = digits
    for kind in kinds:
        (folder / kind).mkdir(parents=True)
        crop = cv2.resize(255 - x[np.flatnonzero(y == int(kind))[7]], (90, 90), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / kind / "a.png"), crop)
    return folder


def test_a_users_own_crops(tmp_path: Path, mnist: Path, digits) -> None:
    folder = _user_crops(tmp_path / "mine", digits, "07")
    (folder / "other").mkdir()
    (folder / "0" / "a.png").replace(folder / "other" / "b.png")
    dash = np.full((60, 60), 220, np.uint8)
    dash[29:32, 20:40] = 40  # no glyph to the runtime, so not learned
    cv2.imwrite(str(folder / "other" / "dash.png"), dash)
    data = load_mnist(mnist)
    sources = crops.load_sources((data.x_train, data.y_train), None, folder)
    assert [len(images) for images, _ in sources.digits] == [800, 1]
    assert sources.digits[1][1].tolist() == [7]
    assert [len(pictures) for pictures in sources.negatives] == [1]
    pictures, _ = crops.make(sources, Mix(40, 20, 0, 0, 0, 0, 0), 3, 1)
    assert pictures.shape == (60, 28, 28)


@pytest.mark.parametrize("wrong", ["class", "broken", "large", "blank", "empty", "missing"])
def test_a_wrong_crop_stops_before_training(
    tmp_path: Path, mnist: Path, digits, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _user_crops(tmp_path / "mine", digits, "" if wrong in ("empty", "missing") else "3")
    if wrong == "empty":
        folder.mkdir()
    path = folder / "3" / "b.png"
    if wrong == "class":
        path = folder / "ten"
        path.mkdir()
    elif wrong == "broken":
        path.write_bytes((folder / "3" / "a.png").read_bytes()[:200])
    elif wrong in ("large", "blank"):
        side = 2000 if wrong == "large" else 60
        cv2.imwrite(str(path), np.full((side, side), 200, np.uint8))
    else:
        path = folder
    out = tmp_path / "run"
    assert main(["digits", "--mnist", str(mnist), "--user-crops", str(folder), "--out", str(out)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert str(path) in line
    assert not out.exists()


def test_the_old_names_of_options_warn_once(
    tmp_path: Path, mnist: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "none", tmp_path / "run"
    old = ["--extra", "x", "--extra", str(folder), "--start", "digits"]
    assert main(["digits", "--mnist", str(mnist), *old, "--out", str(out)]) == 1
    first, second, error = capsys.readouterr().err.splitlines()
    assert "--extra is deprecated; use --user-crops" in first
    assert "--start is deprecated; use --warm-start" in second
    assert str(folder) in error
    for command in ("numbers", "teacher"):
        options = arguments.parser().parse_args([command, "--start", "a.keras", "--out", str(out)])
        assert options.warm_start == Path("a.keras")
        assert "use --warm-start" in capsys.readouterr().err
    assert arguments.parser().parse_args(["digits"]).warm_start == ""


def test_distorted_digits_stay_legible(digits) -> None:
    """Every draw differs, some pictures stay as they are, and the shipped network reads nearly all."""
    x, y = digits
    first, again = (distort(x, np.random.default_rng(4), 1.0) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = distort(x, np.random.default_rng(5), 1.0)
    same = [np.array_equal(one, two) for one, two in zip(x, first, strict=True)]
    assert 0.08 < np.mean(same) < 0.25
    assert np.mean([np.array_equal(one, two) for one, two in zip(first, other, strict=True)]) < 0.1
    assert np.mean(Classifier.load().probabilities(first).argmax(axis=1) == y) > 0.97


def test_cut_digits_keep_their_label(digits) -> None:
    """The shipped network reads digits after a good cut and rejects those after a wrong one."""
    random = np.random.default_rng(8)
    drawn = [touching.draw(random, list(digits[0]), digits[1]) for _ in range(150)]
    drawn = [(stroke, label) for stroke, label in drawn if stroke.any()]
    assert len(drawn) > 40
    pictures = np.stack([normalize((255 * stroke).astype(np.uint8)) for stroke, _ in drawn])
    labels = np.array([OTHER if label is None else label for _, label in drawn])
    read = Classifier.load().probabilities(pictures)
    good = labels != OTHER
    assert np.mean(read[good].argmax(axis=1) == labels[good]) > 0.85
    assert np.median(read[good].max(axis=1)) > np.median(read[~good].max(axis=1)) + 0.3
