"""The shipped models, their cards, and what does not fit."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import msgspec
import numpy as np
import pytest

from digitlens import Classifier, DependencyError, ModelError
from digitlens.models import cards
from digitlens.models.interpreter import Network


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("digits", 0.99), ("seed", 0.98), ("svm", 0.97)])
def test_shipped_models_read_real_digits(digits, name: str, least: float) -> None:
    x, y = digits
    probabilities = Classifier.load(name).probabilities(x)
    assert probabilities.shape == (1000, 10)
    assert probabilities.dtype == np.float32
    assert np.all(probabilities >= 0)
    assert np.all(probabilities.sum(axis=1) <= 1.01)
    assert np.mean(probabilities.argmax(axis=1) == y) >= least


def test_batches_of_any_size_read_the_same(digits) -> None:
    x, _ = digits
    classifier = Classifier.load()
    expected = classifier.probabilities(x[:70])
    parts = [classifier.probabilities(x[start:end]) for start, end in ((0, 1), (1, 34), (34, 34), (34, 70))]
    np.testing.assert_array_equal(np.concatenate(parts), expected)


@pytest.mark.parametrize("name", cards.names())
def test_cards_describe_their_files(name: str) -> None:
    path = cards.find(name)
    card, content = cards.load(path)
    assert card.name == name
    assert card.bytes == len(content)
    low, high = card.accuracy.interval
    assert low < card.accuracy.fraction < high
    assert card.accuracy.total == 10_000
    assert card.make_again


def test_every_shipped_model_has_a_card(root: Path) -> None:
    models = [
        path for path in (root / "edge/digitlens/models").iterdir() if path.suffix in (".tflite", ".npz")
    ]
    assert {path.stem for path in models} >= {*cards.names(), *cards.names(rows=True), "ink", "pairs"}
    for path in models:
        card, content = cards.load(path)
        assert (card.name, card.bytes) == (path.stem, len(content))
        assert cards.SUFFIXES[card.kind] == path.suffix
        assert card.make_again


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    source = cards.find("seed")
    for suffix in (".tflite", ".json"):
        shutil.copy(source.with_suffix(suffix), tmp_path / f"mine{suffix}")
    return tmp_path / "mine.tflite"


def test_a_model_by_path(copied: Path, digits) -> None:
    x, _ = digits
    ours = Classifier.load("seed").probabilities(x[:5])
    np.testing.assert_array_equal(Classifier.load(copied).probabilities(x[:5]), ours)


def test_a_changed_byte_is_refused(copied: Path) -> None:
    content = bytearray(copied.read_bytes())
    content[-100] ^= 1
    copied.write_bytes(content)
    with pytest.raises(ModelError, match="do not fit its card"):
        Classifier.load(copied)


def test_a_missing_card_is_refused(copied: Path) -> None:
    copied.with_suffix(".json").unlink()
    with pytest.raises(ModelError, match="has no card"):
        Classifier.load(copied)


@pytest.mark.parametrize("text", [b"", b"{}", b"[1", b"\xff\xfe", b'{"format": 2}'])
def test_a_broken_card_is_refused(copied: Path, text: bytes) -> None:
    copied.with_suffix(".json").write_bytes(text)
    with pytest.raises(ModelError, match="not a model's card"):
        Classifier.load(copied)


@pytest.mark.parametrize("content", [b"", b"garbage", bytes(5000)])
def test_bytes_that_are_no_network(copied: Path, content: bytes) -> None:
    card, _ = cards.load(copied)
    copied.write_bytes(content)
    cards.save(msgspec.structs.replace(card, sha256=cards.digest(content)), copied.with_suffix(".json"))
    with pytest.raises(ModelError, match="not a network"):
        Classifier.load(copied)


def test_a_card_of_another_shape_is_refused(copied: Path) -> None:
    card, _ = cards.load(copied)
    other = msgspec.structs.replace(card, input=msgspec.structs.replace(card.input, shape=(-1, 32, 32, 1)))
    cards.save(other, copied.with_suffix(".json"))
    with pytest.raises(ModelError, match="its card says"):
        Classifier.load(copied)


def test_an_svm_is_never_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "svm.npz"
    np.savez(path, weights=np.array([{"a": 1}], dtype=object), bias=0, slope=0, offset=0)
    card, _ = cards.load(cards.find("svm"))
    cards.save(
        msgspec.structs.replace(card, sha256=cards.digest(path.read_bytes())), path.with_suffix(".json")
    )
    with pytest.raises(ModelError, match="not a linear SVM"):
        Classifier.load(path)


def test_no_such_model() -> None:
    with pytest.raises(ModelError, match="seed"):
        Classifier.load("nonesuch")


@pytest.mark.parametrize(
    "batch", [np.zeros((2, 28, 28)), np.zeros((28, 28), np.uint8), np.zeros((1, 32, 32), np.uint8)]
)
def test_a_wrong_batch_is_named(batch) -> None:
    with pytest.raises(ValueError, match="must be"):
        Classifier.load().probabilities(batch)


def test_an_unknown_interpreter_is_named() -> None:
    with pytest.raises(DependencyError, match="litert"):
        Classifier.load(runtime="nonesuch")


def test_both_interpreters_read_the_same(root: Path) -> None:
    """litert and its predecessor: to the bit with TFLite's own kernels; XNNPACK rounds differently.

    In a fresh process: tflite-runtime does not work in one that has loaded TensorFlow.
    """
    if find_spec("tflite_runtime") is None or find_spec("ai_edge_litert") is None:
        pytest.skip("needs litert and tflite-runtime together (Python 3.11 with the extra tflite)")
    program = (
        "import sys, numpy as np\n"
        "from digitlens import Classifier\n"
        "x = np.load(sys.argv[1])['x']\n"
        "for portable in (True, False):\n"
        "    load = lambda name: Classifier.load(runtime=name, portable=portable).probabilities(x)\n"
        "    old, new = load('tflite-runtime'), load('litert')\n"
        "    print(np.count_nonzero(old != new), np.count_nonzero(old.argmax(1) != new.argmax(1)))"
    )
    path = root / "tests" / "data" / "digits.npz"
    said = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    portable, fast = ([int(count) for count in line.split()] for line in said.stdout.splitlines())
    assert portable == [0, 0]
    assert fast[1] <= 2  # of 1,000 digits


def test_without_an_interpreter_the_fix_is_named() -> None:
    """In a fresh interpreter in which no TFLite module can be imported."""
    program = (
        "import sys\n"
        "for name in ('ai_edge_litert', 'tflite_runtime', 'tensorflow'): sys.modules[name] = None\n"
        "import digitlens\n"
        "try: digitlens.Classifier.load()\n"
        "except digitlens.DependencyError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "pip install ai-edge-litert" in said.stdout


def test_the_network_says_which_interpreter_it_took() -> None:
    _, content = cards.load(cards.find("seed"))
    assert Network(content).runtime in ("litert", "tflite-runtime", "tensorflow")
