"""The ink network, converted, and compared with its float32 file by pixels."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra train")

import keras

from digitlens.models import cards
from digitlens.models.interpreter import Network
from digitlens.paper.bands import PARTS, Bands, windows
from digitlens.paper.network import InkNetwork
from digitlens_convert.__main__ import main
from digitlens_convert.config import ConvertConfig, SearchConfig
from digitlens_convert.convert import convert
from digitlens_train import networks, patch_pool
from digitlens_train.paper.material import Material
from digitlens_train.run import About, finish

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folder of a run, of random weights, and that of its models."""
    folder = tmp_path_factory.mktemp("converted")
    run, out = folder / "ink", folder / "models"
    run.mkdir()
    keras.utils.set_random_seed(3)
    networks.ink().save(run / "ink.keras")
    material = Material.load(None)
    for number, name in enumerate(("patches", "held_out")):
        gray, classes = patch_pool.draw(np.random.default_rng(number), material, 64, 12)
        np.savez(run / f"{name}.npz", gray=gray, classes=classes)
    finish(run, About("ink", "ink", "random", "generated paper", ("python -m digitlens_train ink",)))
    convert(run, out, config=ConvertConfig(ink=SearchConfig(sets=1, sizes=(12,), compared=4)))
    return run, out


def test_both_files_have_true_cards(converted: tuple[Path, Path]) -> None:
    run, out = converted
    full, small = (InkNetwork.load(path).card for path in (run / "ink_float32.tflite", out / "ink.tflite"))
    assert (full.quantization, small.quantization) == ("float32", "int8")
    assert (full.input.dtype, small.input.dtype) == ("float32", "uint8")
    assert (full.input.shape, small.input.shape) == ((-1, -1, -1, 1), (-1, -1, -1, 9))
    assert full.input.scale == small.input.scale == networks.INK_SCALE
    assert (small.input.zero_point, small.output.shape) == (0, (-1, -1, -1, networks.INK_CLASSES))
    assert small.bytes <= 215_000
    assert 0 < small.accuracy.total <= 12 * 32 * 32
    low, high = small.accuracy.interval
    assert low <= small.accuracy.fraction <= high
    assert "digitlens_convert convert runs/ink" in small.make_again[-1]


def test_int8_follows_float32(converted: tuple[Path, Path]) -> None:
    run, out = converted
    full, small = (InkNetwork.load(path) for path in (run / "ink_float32.tflite", out / "ink.tflite"))
    gray = np.random.default_rng(4).integers(0, 256, (70, 102)).astype(np.uint8)
    wanted, given = full.logits(gray).argmax(axis=2), small.logits(gray).argmax(axis=2)
    assert wanted.shape == given.shape == (35, 51)
    assert np.mean(wanted == given) > 0.8


@pytest.mark.parametrize("shape", [(1, 1), (33, 95), (64, 64), (101, 7)])
def test_pictures_of_odd_sizes(converted: tuple[Path, Path], shape: tuple[int, int]) -> None:
    run, out = converted
    for path in (run / "ink_float32.tflite", out / "ink.tflite"):
        logits = InkNetwork.load(path).logits(np.full(shape, 200, np.uint8))
        assert logits.shape == (-(-shape[0] // 2), -(-shape[1] // 2), networks.INK_CLASSES)
        assert logits.dtype == np.int16


def test_both_give_nats(converted: tuple[Path, Path]) -> None:
    run, out = converted
    gray = np.random.default_rng(4).integers(0, 256, (64, 96)).astype(np.uint8)
    full, small = (
        network.scale * (logits - logits[..., :1])
        for network in map(InkNetwork.load, (run / "ink_float32.tflite", out / "ink.tflite"))
        for logits in (network.logits(gray).astype(np.float64),)
    )
    assert np.abs(full - small).mean() < 0.3 * np.abs(full).mean()


def test_xnnpack_runs_all_of_it_at_any_size(converted: tuple[Path, Path]) -> None:
    _, content = cards.load(converted[1] / "ink.tflite")
    network = Network(content, runtime="litert")
    for size in ((64, 96), (32, 32), (160, 64)):
        given = network.run(windows(np.zeros(size, np.uint8))[np.newaxis])
        assert given.shape == (1, size[0] // 2, size[1] // 2, networks.INK_CLASSES)
        names = [operator["op_name"] for operator in network._interpreter._get_ops_details()]
        assert names.count("DELEGATE") == 1
        # TFLite lists what it handed over; all that it runs itself comes after the delegate.
        assert names[-1] == "DELEGATE"


def test_its_parts_give_what_all_of_it_gives(converted: tuple[Path, Path]) -> None:
    _, content = cards.load(converted[1] / "ink.tflite")
    complete, parted = (Network(content, runtime="litert") for _ in range(2))
    assert set(PARTS) < {*parted.signatures}
    gray = np.random.default_rng(4).integers(0, 256, (96, 64)).astype(np.uint8)
    np.testing.assert_array_equal(Bands(parted).run(gray), complete.run(windows(gray)[np.newaxis])[0])


def test_the_ink_benchmark(converted: tuple[Path, Path], tmp_path: Path) -> None:
    run, out = converted
    model = ["--ink", str(out / "ink.tflite"), "--ink-run", str(run)]
    assert main(["benchmark", *model, "--out", str(tmp_path)]) == 0
    results = json.loads((tmp_path / "ink.json").read_bytes())
    assert [row["model"] for row in results["models"]] == ["float32", "int8"]
    assert results["patches"] == 12
    assert 0.8 < results["agreement"] <= 1
    table = (tmp_path / "ink.md").read_text()
    assert table.count("\n| int8 |") == table.count("\n| float32 |") == 1


def test_a_run_without_patches_is_named(
    converted: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = converted
    for name in ("ink_float32.tflite", "ink_float32.json"):
        (tmp_path / name).write_bytes((run / name).read_bytes())
    model = ["--ink", str(out / "ink.tflite"), "--ink-run", str(tmp_path)]
    assert main(["benchmark", *model, "--out", str(tmp_path / "out")]) == 1
    assert "held_out.npz: no patches" in capsys.readouterr().err
