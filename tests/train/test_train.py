"""The training commands, on a small MNIST: checkpoints, resuming, wrong input."""

import csv
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra train")
pytest.importorskip("sklearn", reason="needs the extra train")

from digitlens.models import hog
from digitlens_train import networks, pages
from digitlens_train.__main__ import main
from digitlens_train.data import DataError, load_mnist

pytestmark = pytest.mark.slow

SMALL = ("--limit", "60")


def _rows(out: Path) -> list[dict[str, str]]:
    with (out / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_network_is_the_notebooks() -> None:
    layers = [(type(layer).__name__, layer.get_config()) for layer in networks.seed().layers]
    found = [
        (name, config.get("filters") or config.get("units") or config.get("rate"), config.get("kernel_size"),
         config.get("padding"), config.get("activation"))
        for name, config in layers
    ]  # fmt: skip
    pool = ("MaxPooling2D", None, None, "valid", None)
    assert found == [
        ("Conv2D", 128, (7, 7), "same", "relu"),
        pool,
        ("Conv2D", 64, (5, 5), "same", "relu"),
        pool,
        ("Conv2D", 32, (3, 3), "same", "relu"),
        ("Flatten", None, None, None, None),
        ("Dense", 256, None, None, "relu"),
        ("Dropout", 0.2, None, None, None),
        ("Dense", 10, None, None, "softmax"),
    ]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, mnist: Path) -> Path:
    """A run of two epochs, as from --phases 1 1."""
    out = tmp_path_factory.mktemp("run") / "seed"
    assert main(["cnn", "--mnist", str(mnist), "--out", str(out), "--phases", "1", "1", *SMALL]) == 0
    return out


def test_each_epoch_has_its_checkpoint_and_its_row(run: Path) -> None:
    assert [row["epoch"] for row in _rows(run)] == ["1", "2"]
    assert all(row["test_accuracy"] for row in _rows(run))
    for name in ("epoch-01.weights.h5", "epoch-02.weights.h5", "seed.keras", "about.json", "history.png"):
        assert (run / name).stat().st_size > 0


def test_a_finished_run_trains_nothing(run: Path, mnist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (run / "epoch-02.weights.h5").stat().st_mtime_ns
    assert (
        main(["cnn", "--mnist", str(mnist), "--out", str(run), "--phases", "1", "1", *SMALL, "--resume"]) == 0
    )
    said = capsys.readouterr().out
    assert "nothing to train" in said
    assert "Epoch" not in said
    assert (run / "epoch-02.weights.h5").stat().st_mtime_ns == before


def test_an_interrupted_run_resumes(run: Path, mnist: Path, tmp_path: Path) -> None:
    """Interrupted after its first epoch: the second is trained, the first one's row stays as it was."""
    for name in ("config.json", "epoch-01.weights.h5"):
        (tmp_path / name).write_bytes((run / name).read_bytes())
    lines = (run / "history.csv").read_text().splitlines(keepends=True)
    (tmp_path / "history.csv").write_text("".join(lines[:2]))
    (tmp_path / "partial.weights.h5").write_bytes(b"half a checkpoint")
    assert (
        main(["cnn", "--mnist", str(mnist), "--out", str(tmp_path), "--phases", "1", "1", *SMALL, "--resume"])
        == 0
    )
    resumed, complete = _rows(tmp_path), _rows(run)
    assert resumed[0] == complete[0]
    # Adam's state and the order of the digits are restored; dropout's random state is not.
    assert float(resumed[1]["loss"]) == pytest.approx(float(complete[1]["loss"]), abs=0.05)


def test_a_run_is_not_overwritten(run: Path, mnist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cnn", "--mnist", str(mnist), "--out", str(run), "--phases", "1", "1", *SMALL]) == 1
    assert "--resume" in capsys.readouterr().err
    assert main(["cnn", "--mnist", str(mnist), "--out", str(run), "--phases", "5", *SMALL, "--resume"]) == 1
    assert "other settings" in capsys.readouterr().err
    assert len(_rows(run)) == 2


def test_the_svm_is_plain_arrays(mnist: Path, tmp_path: Path) -> None:
    assert main(["svm", "--mnist", str(mnist), "--out", str(tmp_path)]) == 0
    svm = hog.load((tmp_path / "svm.npz").read_bytes(), "svm.npz")
    data = load_mnist(mnist)
    assert np.mean(svm.probabilities(data.x_test).argmax(axis=1) == data.y_test) > 0.8


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        (None, "no such file"),
        ({}, "not MNIST"),
        ({"x_train": np.zeros((3, 28, 28), np.uint8)}, "not MNIST"),
        (dict.fromkeys(("x_train", "y_train", "x_test", "y_test"), np.zeros((3, 5), np.uint8)), "must be"),
    ],
)
def test_a_wrong_file_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arrays: dict[str, np.ndarray] | None, said: str
) -> None:
    path = tmp_path / "mnist.npz"
    if arrays is not None:
        np.savez(path, **arrays)
    assert main(["cnn", "--mnist", str(path), "--out", str(tmp_path / "run")]) == 1
    error = capsys.readouterr().err
    assert str(path) in error
    assert said in error
    assert len(error.splitlines()) == 1


def test_a_failed_download_names_the_option(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A real connection, refused: nobody listens at the proxy's address."""
    import keras

    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr(keras.src.utils.file_utils.config, "keras_home", lambda: str(tmp_path), raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(DataError, match="--mnist FILE"):
        load_mnist()


def test_pages_are_seeded(mnist: Path, tmp_path: Path) -> None:
    data = load_mnist(mnist)
    drawn = [pages.compose(["12 3"], data.x_train, data.y_train, seed, pages.Paper()) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert np.any(drawn[0] != drawn[2])
    assert main(["sheet", "12x", "--mnist", str(mnist), "--out", str(tmp_path / "a.png")]) == 1
