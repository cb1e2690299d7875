"""Generated sheets: values that keep to the rules, pictures with their truth, and the fit to their cells."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="needs the extra train")
pytest.importorskip("zxingcpp", reason="needs the extra sheets")

from digitlens.sheets import marks
from digitlens.sheets.layout import lay_out
from digitlens.sheets.probabilities import FEATURES, NO_DIGIT, RIGHT, WRONG
from digitlens.sheets.rules import decide
from digitlens.sheets.template import load
from digitlens_convert.sheets import same
from digitlens_train.paper.material import Material
from digitlens_train.sheets import fit, pictures, values
from digitlens_train.sheets.examples import Examples

FORMS = ("exam_marks", "inventory_count", "score_card")


@pytest.mark.parametrize("name", FORMS)
def test_values_keep_to_all_rules(root: Path, name: str) -> None:
    template = load(root / "examples" / "sheets" / f"{name}.toml")
    for seed in range(3):
        written = values.draw(np.random.default_rng(seed), template)
        hypotheses = {}
        for field_name, one in written.items():
            field = template.fields[field_name]
            rows = np.full((field.cells, 3 if field.is_marked else 12), 1e-9)
            for index, text in enumerate(one.cells):
                rows[index, (int(bool(text)) if field.is_marked else int(text) if text else 10)] = 1
            hypotheses[field_name] = rows
        for field_name, decision in decide(hypotheses, template).items():
            assert same(written[field_name].value, decision.value), field_name
            assert decision.state in ("sure", "empty"), field_name


def test_a_picture_says_where_each_millimeter_lies(root: Path) -> None:
    template = load(root / "examples" / "sheets" / "exam_marks.toml")
    material = Material.load(None, "held_out")
    drawn = pictures.draw(np.random.default_rng(4), material, template, digits=(9, 10))
    again = pictures.draw(np.random.default_rng(4), material, template, digits=(9, 10))
    assert (drawn.gray == again.gray).all()
    marks = lay_out(template).fiducials
    centers = drawn.in_picture(np.array([(mark.x, mark.y) for mark in marks]))
    frames = drawn.in_picture(np.array([(mark.x - 3.6, mark.y) for mark in marks]))
    rings = drawn.in_picture(np.array([(mark.x - 1.8, mark.y) for mark in marks]))
    assert (centers > 0).all()
    dark, light = ([drawn.gray[round(y), round(x)] for x, y in places] for places in (frames, rings))
    assert np.mean(light) > np.mean(dark) + 40


def test_the_fit_gives_each_answer_its_share() -> None:
    random = np.random.default_rng(0)
    features = random.normal(0, 1, (1200, len(FEATURES))).astype(np.float32)
    answers = np.where(features[:, 0] > 1, NO_DIGIT, np.where(features[:, 1] > 0.5, WRONG, RIGHT))
    examples = Examples(features, answers, np.arange(1200))
    found = fit.chances(fit.fit(fit.CellsConfig(epochs=30), examples), examples)
    assert found.shape == (1200, 4)
    assert (found.argmax(axis=1) == answers).mean() > 0.9
    assert found[:, 3].max() < 0.01


@pytest.mark.slow
def test_the_digit_network_of_cells_learns_from_generated_sheets(root: Path, tmp_path: Path) -> None:
    """From `digits` on, with hands that need no data sets; a finished run that is resumed trains nothing."""
    pytest.importorskip("keras", reason="needs the extra train")
    from digitlens_train.networks import to_input
    from digitlens_train.sheets import cell_digits

    config = cell_digits.CellDigitsConfig(sheets=4, held_out_sheets=2, epochs=1, bn_batches=4)
    forms = (root / "examples" / "sheets" / "score_card.toml",)
    model = cell_digits.fit(config, forms, tmp_path, None, 1)
    with np.load(tmp_path / "held_out.npz") as arrays:
        pictures, labels = arrays["x"], arrays["y"]
        assert len(pictures) == len(labels) == len(arrays["heights"]) > 20
    assert set(labels) <= set(range(11))
    answers = model.predict(to_input(pictures), verbose=0)[:, :10].argmax(axis=1)
    assert (answers == labels)[labels < 10].mean() > 0.6  # begun at random it would be 0.1
    about = json.loads((tmp_path / "about.json").read_text())
    assert about["name"] == "cell_digits"
    assert 0 < about["threshold"] < 1
    again = cell_digits.fit(config, forms, tmp_path, None, 1, resume=True)
    history = (tmp_path / "history.csv").read_text()
    assert len(history.splitlines()) == 2
    assert again.count_params() == model.count_params()


def test_the_fit_of_marks_tells_them_apart() -> None:
    random = np.random.default_rng(0)
    features = random.normal(0, 1, (900, len(marks.FEATURES))).astype(np.float32)
    answers = (features[:, 0] + features[:, 5] > 0).astype(np.intp)
    network = fit.fit_marks(fit.CellsConfig(mark_epochs=40), Examples(features, answers, np.arange(900)))
    found = network.probabilities(features)
    assert ((found > 0.5) == (answers > 0)).mean() > 0.95
    assert found.min() < 0.03
    assert found.max() > 0.97
