"""Fit the small networks `rejection`, `pairs` and `plausibility` to what is found on generated pages."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from warnings import catch_warnings, simplefilter

import msgspec
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from digitlens.models import cards
from digitlens.models.cards import Card, TensorSpec
from digitlens.models.perceptron import Perceptron
from digitlens.numbers.grouping import DEFAULT_MODEL as PAIRS
from digitlens.numbers.plausibility import DEFAULT_MODEL as PLAUSIBILITY
from digitlens.numbers.rejection import DEFAULT_MODEL as REJECTION
from digitlens_convert.stats import accuracy
from digitlens_train.data import DataError
from digitlens_train.ensemble import mean
from digitlens_train.page_examples import gather
from digitlens_train.page_scores import FEATURES, Examples, Found, ScoresConfig
from digitlens_train.paper.layouts import HELD_OUT

INK = "ink"
"""The network that the Reader looks with, unless another is named."""
GLYPHS, NUMBERS = (REJECTION, PAIRS), (PLAUSIBILITY,)
"""Networks in the order of their fit: the second are fitted to what is read with the first."""
DESCRIPTIONS = {
    REJECTION: "whether a glyph is a handwritten digit",
    PAIRS: "whether two neighbors of a row are digits of one number",
    PLAUSIBILITY: "whether a number that was read stands on the paper, and is read right",
}
OF_THE_FIT = ("hidden", "decay", "batch", "learning_rate", "epochs")
"""Fields of ScoresConfig that have no part in how pages are drawn and read."""
FEWEST = 20
"""Fewest examples that a network is fitted to; two of each answer must be among them."""


OF_WHAT = {REJECTION: "glyphs", PAIRS: "pairs of digits", PLAUSIBILITY: "numbers"}


class Origin(msgspec.Struct, frozen=True):
    """Where collected arrays come from; kept with them, for cards of fits that are made again."""

    config: ScoresConfig
    command: str
    ink: str


def save(found: Found, origin: Origin, path: Path) -> None:
    """Write collected arrays, and where they come from, as an .npz file."""
    arrays = {
        f"{name}_{key}": value for name, each in found.examples.items() for key, value in asdict(each).items()
    }
    counts = np.array([found.written, found.right])
    np.savez_compressed(path, counts=counts, origin=np.array(msgspec.json.encode(origin).decode()), **arrays)


def load(path: Path) -> tuple[Found, Origin]:
    """The arrays of `save`.

    Raises:
        DataError: the file is missing, or it is none of `save`'s, or features have changed since.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            examples = {
                name: Examples(*(arrays[f"{name}_{field.name}"] for field in fields(Examples)))
                for name in FEATURES
                if f"{name}_inputs" in arrays.files
            }
            written, right = arrays["counts"].tolist()
            origin = msgspec.json.decode(str(arrays["origin"]), type=Origin)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; leave out --again to collect it") from error
    except Exception as error:  # numpy, zipfile and msgspec raise a dozen kinds
        raise DataError(f"{path}: not the arrays of this command") from error
    for name, each in examples.items():
        if each.inputs.shape[1:] != (len(FEATURES[name]),):
            raise DataError(f"{path}: {name} has other features by now; leave out --again to collect them")
    return Found(examples, written, right), origin


def fit(config: ScoresConfig, examples: Examples) -> Perceptron:
    """A perceptron, fitted to examples; the same seed gives the same.

    Raises:
        DataError: there are too few examples.
    """
    count, least = len(examples.answer), int(min(examples.answer.sum(), (~examples.answer).sum()))
    if count < FEWEST or least < 2:
        raise DataError(f"{count} examples, the rarer answer {least} times: too few; draw more --pages")
    mean, deviation = examples.inputs.mean(axis=0), examples.inputs.std(axis=0) + 1e-3
    network = MLPClassifier(
        config.hidden,
        alpha=config.decay,
        batch_size=min(config.batch, count // 2),
        learning_rate_init=config.learning_rate,
        max_iter=config.epochs,
        random_state=config.seed,
    )
    with catch_warnings():
        simplefilter("ignore", ConvergenceWarning)  # the epochs are as many as they are meant to be
        network.fit((examples.inputs - mean) / deviation, examples.answer)
    layers = zip(network.coefs_, network.intercepts_, strict=True)
    return Perceptron(
        mean.astype(np.float32),
        deviation.astype(np.float32),
        tuple((weights.astype(np.float32), bias.astype(np.float32)) for weights, bias in layers),
    )


def run(
    config: ScoresConfig,
    out: Path,
    data: Path | None = None,
    ink: str | Path = INK,
    processes: int = 2,
    again: bool = False,
    mean_with: Path | None = None,
) -> None:
    """Collect examples, fit the networks to them, and write all of it to the folder `out`.

    Args:
        config: of a fit that is made again only OF_THE_FIT counts; the rest, and the seed, are the arrays'.
        out: gets the examples of glyphs and of numbers, and of each network its weights and its card.
        data: the folder of Material.load; None: drawn digits and printed fonts alone.
        ink: the network that the Reader looks with, by name or path.
        processes: that read pages.
        again: fit anew to what `out` holds already; the examples of numbers stay, although they were read
            with the networks of before.
        mean_with: a folder with networks of another fit; of those it has the mean of both is written.

    Raises:
        DataError: a file of `data` or `out` is missing or broken, or there are too few examples.
        ModelError: no such network `ink`, or one of `mean_with` does not fit its card.
    """
    out.mkdir(parents=True, exist_ok=True)
    asked = Origin(config, _command(config, out, data, ink), _digest(ink)) if not again else None
    for stage, names in (("glyphs", GLYPHS), ("numbers", NUMBERS)):
        files = out / f"{stage}_learnt.npz", out / f"{stage}_held_out.npz"
        if asked is None:
            (learnt, origin), (held, other) = load(files[0]), load(files[1])
            if other != origin:
                raise DataError(f"{files[1]}: not of the same run as {files[0].name}")
            config = replace(origin.config, **{name: getattr(config, name) for name in OF_THE_FIT})
        else:
            origin = asked
            scores = out if stage == "numbers" else None
            learnt = gather(config, data, ink, "learnt", processes, scores)
            save(learnt, origin, files[0])
            held = gather(config, data, ink, "held_out", processes, scores)
            save(held, origin, files[1])
        networks = {name: fit(config, learnt.examples[name]) for name in names}
        others = {} if mean_with is None else _others(mean_with, names)
        networks |= {name: mean(other, networks[name]) for name, (other, _) in others.items()}
        for name, network in networks.items():
            card = others[name][1] if name in others else None
            _write(name, network, learnt, held, config, origin, out, card)
        print(table(networks, learnt, held), flush=True)


def _others(folder: Path, names: Sequence[str]) -> dict[str, tuple[Perceptron, Card]]:
    """The networks of these names that a folder has, with their cards."""
    return {
        name: (Perceptron.load(path, len(FEATURES[name])), cards.load(path)[0])
        for name in names
        if (path := folder / f"{name}.npz").exists()
    }


def table(networks: dict[str, Perceptron], learnt: Found, held: Found) -> str:
    """How often each network is right, on both parts and by layout, beside always giving one answer."""
    lines = ["network       pages                  examples  accuracy  one answer"]
    for name, network in networks.items():
        examples = held.examples[name]
        rows = {"learnt": learnt.examples[name], "held out": examples}
        rows |= {layout: examples.chosen(examples.layout == layout) for layout in np.unique(examples.layout)}
        for title, part in rows.items():
            right, yes = right_answers(network, part), int(part.answer.sum())
            total = len(part.answer)
            most = max(yes, total - yes)
            shares = f"{right / max(1, total):8.2%}  {most / max(1, total):10.2%}"
            lines.append(f"{name:12}  {title:20}  {total:9,}  {shares}")
    return "\n".join(lines)


def right_answers(network: Perceptron, examples: Examples) -> int:
    """How often the network answers rightly."""
    return int(np.count_nonzero((network.logits(examples.inputs) > 0) == examples.answer))


def _write(
    name: str,
    network: Perceptron,
    learnt: Found,
    held: Found,
    config: ScoresConfig,
    origin: Origin,
    out: Path,
    other: Card | None = None,
) -> None:
    """The weights and the card of a network; `other` is the card of what it is the mean with."""
    path = out / f"{name}.npz"
    content = network.save(path)
    examples = held.examples[name]
    made = origin.config
    what = OF_WHAT[name]
    tested = (
        f"{what} that the reader found on {made.held_out_pages} generated pages by held-out hands and fonts, "
        f"the layouts {', '.join(HELD_OUT)}, which training leaves out, among them; the interval takes them "
        "as independent, which those of one page are not"
    )
    trained = (
        f"{len(learnt.examples[name].answer):,} {what} that the reader found on {made.pages:,} generated "
        f"pages (digitlens_train.paper), looking with the network ink of sha256 {origin.ink[:12]}"
    )
    again = [origin.command]
    if config != made:
        again.append(f"{origin.command} --again, with {_changes(made, config)}")
    if other is not None:
        trained = f"the mean of two fits: {other.training_data}; and {trained}"
        again = [*other.make_again, f"{again[-1]} --mean-with DIR, the folder of that"]
    card = Card(
        name=name,
        kind="perceptron",
        description=DESCRIPTIONS[name],
        bytes=len(content),
        sha256=cards.digest(content),
        quantization="float32",
        input=TensorSpec((-1, len(FEATURES[name])), "float32"),
        output=TensorSpec((-1,), "float32"),
        training_data=trained,
        accuracy=accuracy(tested, right_answers(network, examples), len(examples.answer)),
        make_again=tuple(again),
    )
    cards.save(card, path.with_suffix(".json"))


def _command(config: ScoresConfig, out: Path, data: Path | None, ink: str | Path) -> str:
    """The command line that does the same."""
    counts = f"--pages {config.pages} --held-out-pages {config.held_out_pages} --seed {config.seed}"
    chosen = "" if str(ink) == INK else f" --ink {shlex.quote(str(ink))}"
    folder = "" if data is None else "--data DIR "
    return f"python -m digitlens_train scores {folder}--out {shlex.quote(str(out))} {counts}{chosen}"


def _changes(before: ScoresConfig, after: ScoresConfig) -> str:
    """What differs in two configurations."""
    old, new = asdict(before), asdict(after)
    return ", ".join(f"{key} {value}" for key, value in new.items() if value != old[key])


def _digest(model: str | Path) -> str:
    """The sha256 of a model, by name or path."""
    return cards.load(cards.find(model))[0].sha256
