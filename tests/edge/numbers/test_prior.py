"""Digits among digits, letters among letters."""

import numpy as np
import pytest

from digitlens.numbers import prior


def test_a_lone_glyph_keeps_its_probability() -> None:
    likely, share = prior.em_class_prior(np.array([0.35]), 0.2, 0.2, 8)
    assert likely[0] == pytest.approx(0.35)
    assert share > 0.2


def test_other_glyphs_decide_a_doubtful_one() -> None:
    doubtful = 0.5
    among_digits, _ = prior.em_class_prior(np.array([doubtful] + [0.99] * 9), 0.2, 0.2, 4)
    among_letters, _ = prior.em_class_prior(np.array([doubtful] + [0.02] * 9), 0.2, 0.2, 4)
    assert among_letters[0] < 0.3 < doubtful < 0.6 < among_digits[0]
    assert among_letters[1:].max() < 0.02
    assert among_digits[1:].min() > 0.98


def test_the_fraction_of_non_digits_is_estimated() -> None:
    """Probabilities made where a fifth is no digit, on a page where it is three quarters."""
    random = np.random.default_rng(2)
    other = random.random(4000) < 0.75
    evidence = np.exp(random.normal(np.where(other, -2, 2), 2))  # the likelihood ratio, as it must be
    sure = 0.8 * evidence / (0.8 * evidence + 0.2)
    likely, share = prior.em_class_prior(sure, 0.2, 0.2, 8)
    assert share == pytest.approx(0.75, abs=0.03)
    assert np.mean(likely) == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("sure", [0.0, 1.0])
@pytest.mark.parametrize("trained", [0.0, 0.5, 1.0])
def test_certainty_stays_a_number(sure: float, trained: float) -> None:
    likely, share = prior.em_class_prior(np.full(5, sure), trained, trained, 2)
    assert np.all(np.isfinite(likely))
    assert np.all((likely >= 0) & (likely <= 1))
    assert 0 < share < 1
