"""The row network, converted, and compared with its float32 file."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra train")

import keras

from digitlens.models import cards
from digitlens.rows.recognizer import WIDTHS, RowRecognizer
from digitlens_convert.__main__ import main
from digitlens_convert.config import ConvertConfig, RowsConfig, SearchConfig
from digitlens_convert.convert import convert
from digitlens_train import networks
from digitlens_train.run import About, finish
from tests.edge.pages import touch, write

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory, mnist: Path) -> tuple[Path, Path]:
    """The folder of a run, of random weights, and that of its models."""
    folder = tmp_path_factory.mktemp("converted")
    run, out = folder / "numbers", folder / "models"
    run.mkdir()
    keras.utils.set_random_seed(3)
    networks.numbers().save(run / "numbers.keras")
    made = ("python -m digitlens_train numbers",)
    finish(run, About("numbers", "strips", "random", "generated rows", made, temperature=1.0))
    rows = RowsConfig(count=20, search=SearchConfig(sets=1), tested=10)
    convert(run, out, mnist, ConvertConfig(rows=rows))
    return run, out


def test_both_files_have_true_cards(converted: tuple[Path, Path]) -> None:
    run, out = converted
    full, small = (
        RowRecognizer.load(path).card for path in (run / "numbers_float32.tflite", out / "numbers.tflite")
    )
    assert (full.quantization, small.quantization) == ("float32", "int8")
    assert (full.input.dtype, small.input.dtype) == ("float32", "uint8")
    assert full.input.shape == small.input.shape == (-1, 32, -1, 1)
    assert small.bytes < full.bytes / 3
    assert small.bytes <= 1_500_000
    assert small.accuracy.total == 10
    assert small.temperature == full.temperature


def test_int8_follows_float32(converted: tuple[Path, Path]) -> None:
    run, out = converted
    full, small = (
        RowRecognizer.load(run / "numbers_float32.tflite"),
        RowRecognizer.load(out / "numbers.tflite"),
    )
    random = np.random.default_rng(5)
    for width in WIDTHS:
        noise = random.integers(0, 256, (32, width), dtype=np.uint8)
        strip = np.asarray(cv2.GaussianBlur(noise, (0, 0), 2), np.uint8)
        assert np.abs(full.columns(strip) - small.columns(strip)).mean() < 0.02


def test_the_strips_benchmark(converted: tuple[Path, Path], tmp_path: Path, digits) -> None:
    run, out = converted
    folder = tmp_path / "rows"
    folder.mkdir()
    two = np.vstack([write("314", digits)] * 2)  # the row network reads a picture's only row
    cv2.imwrite(str(folder / "apart.png"), two)
    cv2.imwrite(str(folder / "close.png"), touch("4071", digits, 5))
    (folder / "labels.json").write_text(json.dumps({"apart.png": "314314", "close.png": "4071"}))
    arguments = ["--strips", str(folder), "--numbers", str(out / "numbers.tflite"), "--numbers-run", str(run)]
    assert main(["benchmark", *arguments, "--out", str(tmp_path)]) == 0
    results = json.loads((tmp_path / "strips.json").read_text())
    rows = {row["reader"]: row for row in results["folders"]}
    assert len(rows) == 5
    doubtful = rows["int8, doubtful rows by network"]
    assert (doubtful["pages_cut"], doubtful["pages_by_network"], doubtful["rows_by_network"]) == (1, 1, 1)
    assert doubtful["pages_cut_exact"] == 1
    assert rows["int8, all rows by network"]["pages_by_network"] == 2
    paired = rows["float32, all rows by network"]
    difference = paired["exact"] - rows["int8, all rows by network"]["exact"]
    assert paired["only_float32"] - paired["only_int8"] == difference
    (timed,) = results["strips"]
    assert (timed["pages"], timed["strips"]) == (2, 3)
    assert timed["recognition"] > 0
    assert [row["width"] for row in results["speed"]] == list(WIDTHS)
    assert all(row["int8_network"] > 0 and row["search"] > 0 for row in results["speed"])
    assert "| rows | cutting alone | 2 |" in (tmp_path / "strips.md").read_text()


def test_the_shipped_network_is_named() -> None:
    assert cards.names(rows=True) == ["numbers"]
    assert "numbers" not in cards.names()
