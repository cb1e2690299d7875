"""The ink network: its size, the two networks' equality, the pool of patches, small runs."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra train")
pytest.importorskip("torch", reason="needs the extra gpu")

import keras
import torch

from digitlens_train import ink, ink_network, networks, patch_pool, pixels
from digitlens_train.data import DataError
from digitlens_train.paper.classes import IGNORED, Kind
from digitlens_train.paper.material import Material
from digitlens_train.patch_pool import PatchPool
from digitlens_train.run import Figures

pytestmark = pytest.mark.slow

SMALL = ink.InkConfig(steps=6, epoch_steps=3, batch=2, side=64, pool=64, first=32, held_out=8, warm_up=2)


@pytest.fixture(scope="module")
def network() -> ink_network.Ink:
    """A network whose weights and statistics are none of those it begins with."""
    torch.manual_seed(4)
    network = ink_network.Ink()
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if "running_var" in name:
                value.uniform_(0.5, 2)
            elif value.is_floating_point():
                value.add_(torch.randn_like(value) * 0.1)
    return network.eval()


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    out = tmp_path_factory.mktemp("ink") / "complete"
    ink.fit(SMALL, out, processes=1)
    return out


def test_the_network_is_small() -> None:
    model = networks.ink()
    side = 256
    multiplying = [layer for layer in model.layers if hasattr(layer, "kernel")]
    outputs = keras.Model(model.input, [layer.output for layer in multiplying])
    # A weight is used once for each place of the output.
    places = [np.prod(np.shape(map_)[1:3]) for map_ in outputs(np.zeros((1, side, side, 1), np.float32))]
    work = sum(
        int(np.prod(layer.kernel.shape) * count) for layer, count in zip(multiplying, places, strict=True)
    )
    weights, a_pixel = model.count_params(), work / side**2
    print(f"{weights:,} weights, {a_pixel:.1f} multiply-accumulates a pixel")  # noqa: T201
    assert weights <= 80_000
    assert a_pixel <= 300


def test_the_network_equals_the_keras_one(network: ink_network.Ink) -> None:
    model = networks.ink()
    ink_network.to_keras(network, model)
    pictures = np.random.default_rng(2).integers(0, 256, (2, 64, 96)).astype(np.float32)
    wanted = np.asarray(model(pictures[..., np.newaxis] * networks.INK_SCALE, training=False))
    with torch.no_grad():
        given = network(ink_network.to_input(torch.from_numpy(pictures))).permute(0, 2, 3, 1).numpy()
    assert wanted.shape == (2, 32, 48, networks.INK_CLASSES)
    np.testing.assert_allclose(given, wanted, rtol=1e-3, atol=1e-3)


def test_weights_return_from_keras(network: ink_network.Ink) -> None:
    model, again = networks.ink(), ink_network.Ink()
    ink_network.to_keras(network, model)
    ink_network.from_keras(again, model)
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(again.state_dict()[name], value)


def test_confusion_counts_known_pixels() -> None:
    truth = np.array([[0, 1, 1, IGNORED]], np.uint8)
    counts = pixels.confusion(truth, np.array([[0, 1, 4, 1]]))
    assert counts.sum() == 3
    assert counts[Kind.DIGIT, Kind.LINE] == 1
    named = pixels.named(pixels.unions(counts))
    assert (named["paper"], named["digit"], named["line"]) == (1.0, 0.5, 0.0)


def test_a_perfect_answer_scores_1(network: ink_network.Ink) -> None:
    gray, _ = patch_pool.draw(np.random.default_rng(1), Material.load(None), 64, 3)
    with torch.no_grad():
        answers = network(ink_network.to_input(torch.from_numpy(gray).float())).argmax(dim=1)
    confusion, _ = ink.score(network, (gray, answers.numpy().astype(np.uint8)), batch=2)
    assert confusion.sum() == np.trace(confusion) == 3 * 32 * 32


def test_the_pool_keeps_the_latest() -> None:
    with PatchPool(None, 64, 40, (7,), 1) as pool:
        pool.refill(96)
        assert pool.drawn >= 96
        gray, classes = pool.choose(np.random.default_rng(0), 50)
    assert gray.shape == (50, 64, 64)
    assert classes.shape == (50, 32, 32)
    assert set(np.unique(classes)) <= {*Kind, IGNORED}
    assert len({picture.tobytes() for picture in gray}) > 20


def test_a_worker_that_fails_ends_the_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with (
        PatchPool(tmp_path, 64, 32, (7,), 1) as pool,
        pytest.raises(DataError, match="a process that draws patches has ended"),
    ):
        pool.refill(32)
    assert "generated paper needs it" in capfd.readouterr().err


def test_a_run_ends_with_its_files(complete: Path) -> None:
    names = {path.name for path in complete.iterdir()}
    assert {"ink.keras", "about.json", "held_out.npz", "patches.npz", "history.csv"} <= names
    model = keras.models.load_model(complete / "ink.keras", compile=False)
    assert model.output_shape == (None, None, None, networks.INK_CLASSES)
    assert "digitlens_train ink --steps 6 --seed 2026 --rate 0.003" in (complete / "about.json").read_text()
    state = torch.load(complete / "epoch-02.pt", weights_only=True)
    assert state["step"] == 6


def test_a_run_resumes(complete: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def stop(figures: Figures) -> None:
        if figures["epoch"] == 2:
            raise KeyboardInterrupt

    longer = replace(SMALL, steps=10)
    with pytest.raises(KeyboardInterrupt):
        ink.fit(longer, tmp_path, processes=1, observe=stop)
    assert not (tmp_path / "ink.keras").exists()
    with pytest.raises(DataError, match="holds a run already"):
        ink.fit(longer, tmp_path, processes=1)
    before = (tmp_path / "history.csv").read_text()
    ink.fit(longer, tmp_path, resume=True, processes=1)
    history = (tmp_path / "history.csv").read_text()
    assert history.startswith(before)
    assert len(history.splitlines()) == 5
    assert sorted(path.name for path in tmp_path.glob("*.pt")) == ["epoch-03.pt", "epoch-04.pt"]
    assert torch.load(tmp_path / "epoch-04.pt", weights_only=True)["step"] == 10
    assert re.search(r"IoU: paper \d\.\d{3}, digit", capsys.readouterr().out)


@pytest.mark.parametrize("name", ["ink.keras", "epoch-02.pt"])
def test_a_run_starts_from_weights(complete: Path, tmp_path: Path, name: str) -> None:
    at_rest = replace(SMALL, steps=1, learning_rate=0.0, weight_decay=0.0)
    ink.fit(at_rest, tmp_path / "on", warm_start=complete / name, processes=1)
    first = torch.load(complete / "epoch-02.pt", weights_only=True)["mean"]
    on = torch.load(tmp_path / "on" / "epoch-01.pt", weights_only=True)["mean"]
    torch.testing.assert_close(on["parts.stem.weight"], first["parts.stem.weight"])


def test_other_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "numbers.keras"
    networks.numbers().save(path)
    with pytest.raises(DataError, match="not the weights of the ink network"):
        ink.fit(SMALL, tmp_path / "run", warm_start=path, processes=1)
    assert not (tmp_path / "run").exists()


def test_augmentation_keeps_shape_and_range() -> None:
    torch.manual_seed(1)
    gray = torch.full((200, 8, 8), 230, dtype=torch.uint8)
    changed = ink.augment(gray)
    assert changed.shape == gray.shape
    assert 0 <= float(changed.min()) <= float(changed.max()) <= 255
    inverted = (changed.mean(dim=(1, 2)) < 100).sum()
    assert 1 <= int(inverted) <= 20
