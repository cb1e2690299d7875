"""Fields that rules tie together: against all assignments one by one."""

import itertools
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from digitlens.sheets.expressions import Rule, parse
from digitlens.sheets.joint import Variable, solve

RULES = (
    "a + b = c", "a <= b", "a * b = c", "2 * a - b > c", "a + b + c = d", "d != a", "a = b / 2", "c >= a + 1",
    "a + b = c + d", "a * a = b",
)  # fmt: skip


def one_by_one(
    variables: list[Variable], rules: list[Rule], weights: list[float]
) -> Iterator[tuple[tuple[int, ...], float, bool]]:
    """Each assignment, its probability, and whether it keeps all rules."""
    for choice in itertools.product(*(range(len(one.units)) for one in variables)):
        values: dict[str, Fraction | None] = {}
        probability = 1.0
        for one, place in zip(variables, choice, strict=True):
            units = one.units[place]
            values[one.name] = None if units is None else Fraction(units, one.divisor)
            probability *= float(one.probabilities[place])
        kept = [rule.holds(values) for rule in rules]
        for weight, is_kept in zip(weights, kept, strict=True):
            probability *= 1.0 if is_kept else weight
        yield choice, probability, all(kept)


@pytest.mark.parametrize("seed", range(12))
def test_the_joint_decision_is_that_of_all_assignments_one_by_one(seed: int) -> None:
    random = np.random.default_rng(seed)
    names = "abcd"
    variables = []
    for name in names:
        units = [None, *sorted(random.choice(10, 3, replace=False).tolist())]
        probabilities = random.dirichlet(np.full(len(units), 0.5)) + 1e-3
        variables.append(Variable(name, tuple(units), int(random.choice([1, 1, 10])), probabilities))
    texts = random.choice(RULES, random.integers(1, 4), replace=False)
    rules = [parse(text, lambda name, in_sum: (name,)) for text in texts]
    weights = random.uniform(0.001, 0.5, len(rules)).tolist()
    solution = solve(variables, rules, weights, 0.0, 10**6)
    found = list(one_by_one(variables, rules, weights))
    total = sum(probability for _, probability, _ in found)
    total_kept = sum(probability for _, probability, kept in found if kept)
    best = max(probability for _, probability, _ in found)
    chosen = tuple(solution.choices[name] for name in names)
    assert next(probability for choice, probability, _ in found if choice == chosen) == pytest.approx(best)
    for place, name in enumerate(names):
        shares, kept_shares = np.zeros(4), np.zeros(4)
        for choice, probability, kept in found:
            shares[choice[place]] += probability / total
            kept_shares[choice[place]] += probability / max(total_kept, 1e-300) * kept
        np.testing.assert_allclose(solution.shares[name], shares, atol=1e-9)
        np.testing.assert_allclose(solution.kept_shares[name], kept_shares, atol=1e-9)


def test_few_states_still_find_what_is_likely() -> None:
    variables = [
        Variable(f"f{place}", tuple(range(10)), 1, np.where(np.arange(10) == 5, 0.9, 0.1 / 9))
        for place in range(20)
    ]
    total = Variable("total", (99, 100, 101), 1, np.array([0.3, 0.4, 0.3]))
    rule = parse(" + ".join(one.name for one in variables) + " = total", lambda name, in_sum: (name,))
    solution = solve([*variables, total], [rule], [1e-3], 1e-9, 200)
    assert solution.choices == {one.name: 5 for one in variables} | {"total": 1}
