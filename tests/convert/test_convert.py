"""Quantization, cards and the benchmark's figures."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra train")

import keras

from digitlens import Classifier
from digitlens.models import cards
from digitlens.models.interpreter import Network
from digitlens_convert import benchmark, quantize, stats
from digitlens_convert.__main__ import main
from digitlens_convert.config import SearchConfig
from digitlens_convert.graph import in_one_piece
from digitlens_convert.speed import SpeedConfig
from digitlens_train import cnn, networks
from tests.edge.pages import write

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory, digits) -> Path:
    """An even smaller MNIST, since the seed network takes long for a digit: 200 to train, 100 to test."""
    x, y = digits
    path = tmp_path_factory.mktemp("few") / "mnist.npz"
    np.savez(path, x_train=x[:200], y_train=y[:200], x_test=x[900:], y_test=y[900:])
    return path


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory, few: Path) -> tuple[Path, Path]:
    """The folder of a short training run, and that of its models."""
    folder = tmp_path_factory.mktemp("converted")
    run, out = folder / "seed", folder / "models"
    cnn.fit(cnn.CnnConfig(phases=(6,), batch_size=50, learning_rate=1e-3), run, few)
    assert main(["convert", str(run), "--mnist", str(few), "--out", str(out)]) == 0
    return run, out


def test_both_files_have_true_cards(converted: tuple[Path, Path]) -> None:
    run, out = converted
    full, small = cards.load(run / "seed_float32.tflite")[0], cards.load(out / "seed.tflite")[0]
    assert (full.quantization, small.quantization) == ("float32", "int8")
    assert (full.input.dtype, small.input.dtype) == ("float32", "uint8")
    assert small.bytes < full.bytes / 3
    assert small.accuracy.total == 100
    assert small.accuracy.fraction > 0.5
    assert small.training_data.startswith("MNIST, 200")
    assert "digitlens_train cnn --phases 6" in small.make_again[0]


def test_int8_follows_float32(converted: tuple[Path, Path], digits) -> None:
    run, out = converted
    x = digits[0][:400]
    full = Classifier.load(run / "seed_float32.tflite").probabilities(x)
    small = Classifier.load(out / "seed.tflite").probabilities(x)
    assert np.abs(full - small).mean() < 0.01
    assert np.mean(full.argmax(axis=1) == small.argmax(axis=1)) > 0.97


def _operations(content: bytes, portable: bool = False) -> list[str]:
    """The operations of a network as LiteRT runs it; `portable` leaves XNNPACK out."""
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    resolver = (
        litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if portable else litert.OpResolverType.AUTO
    )
    interpreter = litert.Interpreter(model_content=content, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    return [operation["op_name"] for operation in interpreter._get_ops_details()]


def test_xnnpack_runs_all_of_an_int8_network(digits) -> None:
    keras.utils.set_random_seed(2)
    model, x = networks.digits(), digits[0]
    inputs = networks.to_input(x[:300])
    rewritten = quantize.convert(model, "int8", inputs)
    original = quantize.to_tflite(model, "int8", inputs)
    assert in_one_piece(original) == rewritten
    assert {"RESHAPE", "AVERAGE_POOL_2D"} <= set(_operations(original, portable=True))
    left = ["QUANTIZE", *["CONV_2D"] * 6, "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "QUANTIZE"]
    assert _operations(rewritten, portable=True) == left
    assert _operations(rewritten).count("DELEGATE") == 1 < _operations(original).count("DELEGATE")
    fast, slow = Network(rewritten), Network(original)
    for batch in (x[:1, ..., np.newaxis], x[:70, ..., np.newaxis]):
        np.testing.assert_array_equal(fast.run(batch), slow.run(batch))


def test_the_nearest_int8_file_is_chosen(digits) -> None:
    keras.utils.set_random_seed(1)
    layers = keras.layers.Conv2D(8, 5, 2, activation="relu"), keras.layers.Flatten(), keras.layers.Dense(11)
    model = keras.Sequential([keras.Input((28, 28, 1)), *layers])  # small: it is converted four times
    inputs = networks.to_input(digits[0][:300])
    logits = np.asarray(model.predict(inputs, verbose=0))
    search = SearchConfig(sets=2, sizes=(200, 500))
    files = [quantize.convert(model, "int8", inputs, seed, search.sizes[seed]) for seed in range(2)]
    divergences = [quantize.divergence(content, inputs, logits) for content in files]
    assert min(divergences) < max(divergences)
    nearest = quantize.nearest(model, inputs, search)
    assert quantize.divergence(nearest, inputs, logits) == min(divergences)


def _validation(folder: Path, digits) -> Path:
    """Two labeled pages, one of them with a wrong label, and negatives."""
    (folder / "pages").mkdir(parents=True)
    for name, text in (("a.png", "314"), ("b.png", "27")):
        cv2.imwrite(str(folder / "pages" / name), write(text, digits))
    labels = {"a.png": ["3", "14"], "b.png": {"text": "28"}}
    (folder / "pages" / "labels.json").write_text(json.dumps(labels))
    random = np.random.default_rng(1)
    np.savez(folder / "hasy.npz", x=random.integers(0, 256, (30, 32, 32), dtype=np.uint8))
    return folder


def test_the_digits_benchmark(converted: tuple[Path, Path], few: Path, tmp_path: Path, digits) -> None:
    run, out = converted
    folder = _validation(tmp_path / "validation", digits)
    model = str(out / "seed.tflite")
    quick = SpeedConfig(threads=(1, 2), batches=(1, 4), rounds=1, seconds=0.001)
    benchmark.run_digits(tmp_path, model, run, ["seed", "svm"], folder, few, config=quick)
    results = json.loads((tmp_path / "digits.json").read_text())
    names = [model["model"] for model in results["models"]]
    assert names == ["seed float32", "seed int8", "seed float16", "seed dynamic", "seed", "svm"]
    full, small = results["models"][:2]
    low, high = full["accuracy_interval"]
    assert low < full["accuracy"] < high
    assert full["right"] - small["right"] == small["only_first_right"] - small["only_this_right"]
    assert len(small["differ"]) >= small["only_first_right"] + small["only_this_right"]
    assert np.sum(small["confusion"]) == small["total"]
    assert np.trace(small["confusion"]) == small["right"]
    assert full["signs"] == small["signs"] == 30
    assert full["signs_passed"] == 1  # seed has no threshold
    assert 0 < full["signs_passed_at_99"] <= 1
    pages = {row["model"]: row for row in results["folders"]}
    assert set(pages) == {"seed float32", "seed int8"}
    assert pages["seed int8"]["pages"] == 2
    costs = results["speed"]
    assert costs["multiply_accumulates"] == 46_365_184
    assert 0 < costs["int8_peak_share"] < 1.2
    assert {row["threads"] for row in costs["rows"]} == {1, 2}
    assert all(20 < size < 200 for size in costs["memory_mib"].values())
    assert "| svm |" in (tmp_path / "digits.md").read_text()
    for name in ("wrong", "disagreements", "confusion", "reliability"):
        assert cv2.imread(str(tmp_path / f"{name}.png")) is not None
    (folder / "hasy.npz").write_bytes(few.read_bytes())
    arguments = ["--run", str(run), "--model", model, "--mnist", str(few), "--validation", str(folder)]
    assert main(["benchmark", *arguments, "--out", str(tmp_path)]) == 1


def test_the_peers_run_the_same_weights(digits) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra peers")
    pytest.importorskip("onnx", reason="needs the extra peers")
    from digitlens_convert import peers

    keras.utils.set_random_seed(3)
    model = networks.digits()
    for layer in model.layers:  # moving statistics as training leaves them
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights(
                [weight + 0.3 * np.sin(np.arange(len(weight))) for weight in layer.get_weights()]
            )
    x = networks.to_input(digits[0][:40])
    session = onnxruntime.InferenceSession(peers.to_onnx(model), providers=["CPUExecutionProvider"])
    (answers,) = session.run(None, {"digit": x[..., 0][:, np.newaxis]})
    np.testing.assert_allclose(answers, model.predict(x, verbose=0), atol=1e-4)


def test_the_pages_benchmark(converted: tuple[Path, Path], digits, tmp_path: Path) -> None:
    run, _ = converted
    folder = _validation(tmp_path / "validation", digits) / "pages"
    arguments = ["--notebook", str(folder / "a.png"), "--keras", str(run / "seed.keras")]
    assert main(["benchmark", "--pages", str(folder), *arguments, "--out", str(tmp_path)]) == 0
    results = json.loads((tmp_path / "pages.json").read_text())
    (summary,) = results["folders"]
    assert (summary["pages"], summary["digits"], summary["errors"], summary["exact"]) == (2, 5, 1, 1)
    assert results["notebook"]["contours"] >= 3
    assert results["notebook"]["ratio"] > 0
    assert set(summary["milliseconds_stages"]) == {"glyphs", "rows", "numbers"}
    assert "| pages/b.png | 1 | 28 | 27 |" in (tmp_path / "pages.md").read_text()


@pytest.mark.parametrize(
    ("labels", "said"),
    [(None, "no such file"), ("[]", "labels.json"), ("{}", "names no picture"), ('{"x.png": "1"}', "x.png")],
)
def test_wrong_labels_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], labels: str | None, said: str
) -> None:
    if labels is not None:
        (tmp_path / "labels.json").write_text(labels)
    assert main(["benchmark", "--pages", str(tmp_path), "--out", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_a_folder_that_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(tmp_path), "--out", str(tmp_path)]) == 1
    assert "not a finished run" in capsys.readouterr().err


def test_wilson_is_the_published_interval() -> None:
    """Newcombe 1998, table I: 81 of 263 and 15 of 148, method 3."""
    assert stats.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert stats.wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert stats.wilson(0, 0) == (0, 1)


def test_mcnemar_is_exact() -> None:
    assert stats.mcnemar(0, 0) == 1
    assert stats.mcnemar(0, 5) == pytest.approx(2 / 32)
    assert stats.mcnemar(3, 5) == stats.mcnemar(5, 3) == pytest.approx(2 * 93 / 256)


def test_the_interval_of_a_ratio_holds_it() -> None:
    low, high = stats.ratio_interval([0, 0, 1, 3, 0, 0], [5, 5, 5, 5, 5, 5])
    assert low <= 4 / 30 <= high
    assert stats.ratio_interval([1, 1], [10, 10]) == (0.1, 0.1)


def test_calibration_error_of_known_bins() -> None:
    """Confidence 0.5 and half right is no error; confidence 1 and never right is error 1."""
    half = np.full(10, 0.5)
    assert stats.calibration_error(half, np.arange(10) < 5) == pytest.approx(0)
    assert stats.calibration_error(np.ones(4), np.zeros(4, bool)) == 1
    mixed = np.array([0.95] * 10 + [0.55] * 10)
    right = np.array([True] * 9 + [False] + [True] * 3 + [False] * 7)
    assert stats.calibration_error(mixed, right) == pytest.approx((10 * 0.05 + 10 * 0.25) / 20)


def test_risk_falls_with_coverage() -> None:
    confidence = np.array([0.9, 0.5, 0.8, 0.6])
    coverage, risk = stats.risk_coverage(confidence, np.array([True, False, True, True]))
    np.testing.assert_allclose(coverage, [0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(risk, [0, 0, 0, 0.25])
