"""Fields that rules tie together: their likeliest values, and how likely each is, jointly.

The fields are taken one after the other. After each, assignments that are alike in all that the rules still
ask for (sums so far, and whether anything was written) are one state: its probability is their sum, and it
remembers the likeliest of them. That is exact unless there are more states than are kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Doubles
from digitlens.sheets.expressions import Rule, Term

Int64s = npt.NDArray[np.int64]
Indices = npt.NDArray[np.intp]
Truths = npt.NDArray[np.bool_]

_MULTIPLIERS = np.random.default_rng(0).integers(1, 2**62, 4096, np.int64) * 2 + 1
"""Odd numbers that make one key, with hardly a chance of two alike, of the columns of a state."""
LEFT, RIGHT = 1, 2
"""What a rule has seen: a value on its left side, one on its right."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A field and what may stand in it."""

    name: str
    units: tuple[int | None, ...]
    """Numbers to calculate with, times the divisor; None where nothing is written."""
    divisor: int
    """Units of 1."""
    probabilities: Doubles
    """(values,)."""


@dataclass(frozen=True, slots=True)
class Solution:
    """The likeliest assignment, and what each field's values have of the probability of all assignments."""

    choices: dict[str, int]
    """The place of each field's value."""
    shares: dict[str, Doubles]
    """(values,), adding up to 1."""
    kept_shares: dict[str, Doubles]
    """The same of those assignments alone that break no rule; zeros if there are none."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A rule, in integers."""

    rule: Rule
    steps: dict[str, int]
    """What a unit of each field adds to left minus right; empty for a rule with products."""
    last: int
    """The place of the last of its fields."""
    weight: float
    """Of assignments that break it."""


@dataclass(frozen=True, slots=True)
class _Step:
    """How states went over into the next ones by a field's values: (pairs,) of a state and a value each."""

    source: Indices
    """The state before."""
    value: Indices
    target: Indices
    """The state after; -1 for one that was dropped."""
    factors: Doubles
    """(2, pairs): the pair's probability; and 0 in the second where it breaks a rule."""
    before: Doubles
    """(2, states): the probabilities of the states before; the second of assignments that break no rule."""
    likeliest: Indices
    """(states after,): the pair of the likeliest assignment."""


def solve(
    variables: Sequence[Variable], rules: Sequence[Rule], weights: Sequence[float], least: float, most: int
) -> Solution:
    """The joint decision.

    An assignment's probability is the product of its values' and, for each rule that it breaks, of the rule's
    weight, more than 0. States less likely than `least` times the likeliest, or beyond the `most` likeliest,
    are dropped.
    """
    order = _ordered(variables, rules)
    places = {variable.name: place for place, variable in enumerate(order)}
    asked = [_asked(rule, weight, order, places) for rule, weight in zip(rules, weights, strict=True)]
    states = _States(asked, places, order)
    steps = [states.take(place, variable, least, most) for place, variable in enumerate(order)]
    return _solution(order, steps, states)


def _ordered(variables: Sequence[Variable], rules: Sequence[Rule]) -> list[Variable]:
    """Rule by rule, the shortest first, so that as few rules as possible are open at a time."""
    by_name = {variable.name: variable for variable in variables}
    names = dict.fromkeys(
        name for rule in sorted(rules, key=lambda rule: len(rule.fields)) for name in rule.fields
    )
    return [by_name[name] for name in (*names, *(name for name in by_name if name not in names))]


def _asked(rule: Rule, weight: float, order: Sequence[Variable], places: dict[str, int]) -> _Asked:
    last = max(places[name] for name in rule.fields)
    terms = [*rule.left, *(Term(-factor, names) for factor, names in rule.right)]
    if any(len(names) > 1 for _, names in terms):
        return _Asked(rule, {}, last, weight)
    divisors = {"": 1} | {name: order[places[name]].divisor for name in rule.fields}
    names_of = [(factor, names[0] if names else "") for factor, names in terms]
    scale = lcm(*(factor.denominator * divisors[name] for factor, name in names_of))
    steps: dict[str, int] = {}
    for factor, name in names_of:
        steps[name] = steps.get(name, 0) + int(factor * scale / divisors[name])
    return _Asked(rule, steps, last, weight)


class _States:
    """Partial assignments, merged where the open rules cannot tell them apart."""

    def __init__(self, asked: Sequence[_Asked], places: dict[str, int], order: Sequence[Variable]) -> None:
        self.asked, self.order = asked, order
        self.of_field = {
            name: [index for index, one in enumerate(asked) if name in one.rule.fields] for name in places
        }
        self.sums = np.ones((2, 1))
        """(2, states): probabilities, and those of assignments that break no rule."""
        self.best = np.ones(1)
        """(states,): the probability of the likeliest assignment of each."""
        self.columns: dict[tuple[int, str], Int64s] = {}
        """Of each open rule: left minus right, what it has "seen", and of products each field's value."""

    def take(self, place: int, variable: Variable, least: float, most: int) -> _Step:
        """Go over to the states with one more field."""
        before, values = self.sums, len(variable.units)
        probabilities = variable.probabilities / variable.probabilities.max()
        best = np.outer(self.best, probabilities).ravel()
        pairs = np.flatnonzero(best >= max(best.max() * least, 1e-300))
        source, value, best = pairs // values, pairs % values, best[pairs]
        factors = np.tile(probabilities[value], (2, 1))
        columns = {key: column[source] for key, column in self.columns.items()}
        for index in self.of_field[variable.name]:
            self._add(columns, index, variable, value)
            if self.asked[index].last == place:
                holds = self._close(columns, index)
                weights = np.where(holds, 1.0, self.asked[index].weight)
                factors *= (weights, holds)
                best = best * weights
        key = np.zeros(len(pairs), np.int64)
        for multiplier, column in zip(_MULTIPLIERS, columns.values(), strict=False):
            key += column * multiplier
        _, first, merged = np.unique(key, return_index=True, return_inverse=True)
        sums = np.array([np.bincount(merged, before[one, source] * factors[one]) for one in (0, 1)])
        kept = np.arange(len(first))
        if len(kept) > most:
            kept = np.sort(np.argpartition(sums[0], -most)[-most:])
        renamed = np.full(len(first), -1)
        renamed[kept] = np.arange(len(kept))
        likeliest = np.zeros(len(first), np.intp)
        ascending = np.argsort(best)
        likeliest[merged[ascending]] = ascending  # the last one to be written is the likeliest
        likeliest = likeliest[kept]
        self.sums = sums[:, kept] / np.maximum(sums.max(axis=1, keepdims=True), 1e-300)
        self.best = best[likeliest] / best.max()
        self.columns = {key: column[first[kept]] for key, column in columns.items()}
        return _Step(source, value, renamed[merged], factors, before, likeliest)

    def _add(
        self, columns: dict[tuple[int, str], Int64s], index: int, variable: Variable, value: Indices
    ) -> None:
        """Put a field's values into the columns of a rule."""
        asked = self.asked[index]
        if (index, "seen") not in columns:
            sides = ((LEFT, asked.rule.left), (RIGHT, asked.rule.right))
            start = sum(side for side, terms in sides if not any(names for _, names in terms))
            columns[index, "seen"] = np.full(len(value), start, np.int64)
            columns[index, "sum"] = np.full(len(value), asked.steps.get("", 0), np.int64)
        bits = (LEFT * _is_on(variable, asked.rule.left)) | (RIGHT * _is_on(variable, asked.rule.right))
        seen = [bits if units is not None else 0 for units in variable.units]
        columns[index, "seen"] = columns[index, "seen"] | np.array(seen, np.int64)[value]
        if asked.steps:
            step = asked.steps.get(variable.name, 0)
            added = [(units or 0) * step for units in variable.units]
            columns[index, "sum"] = columns[index, "sum"] + np.array(added, np.int64)[value]
        else:
            columns[index, variable.name] = value.astype(np.int64)

    def _close(self, columns: dict[tuple[int, str], Int64s], index: int) -> Truths:
        """Whether a rule whose fields are all there holds, or is not asked; its columns are dropped."""
        asked = self.asked[index]
        own = {name: columns.pop((one, name)) for one, name in list(columns) if one == index}
        holds: Truths = own["seen"] != LEFT | RIGHT
        if asked.steps:
            return holds | _holds(own["sum"], asked.rule)
        values = {
            one.name: [None if units is None else Fraction(units, one.divisor) for units in one.units]
            for one in self.order
        }
        for place in np.flatnonzero(~holds):
            known = {name: values[name][own[name][place]] for name in asked.rule.fields}
            holds[place] = asked.rule.holds(known)
        return holds


def _is_on(variable: Variable, side: tuple[Term, ...]) -> bool:
    return any(variable.name in names for _, names in side)


def _holds(difference: Int64s, rule: Rule) -> Truths:
    is_zero: Truths = difference == 0
    if rule.relation in ("=", "!="):
        return is_zero if rule.relation == "=" else ~is_zero
    is_beyond: Truths = difference < 0 if rule.relation[0] == "<" else difference > 0
    return is_beyond | is_zero if rule.relation[1:] else is_beyond


def _solution(order: Sequence[Variable], steps: Sequence[_Step], states: _States) -> Solution:
    """The likeliest assignment backwards, and the shares of all values."""
    state = int(states.best.argmax())
    after = np.ones((2, len(states.best)))
    choices: dict[str, int] = {}
    shares: tuple[dict[str, Doubles], dict[str, Doubles]] = ({}, {})
    for variable, step in zip(reversed(order), reversed(steps), strict=True):
        pair = step.likeliest[state]
        choices[variable.name], state = int(step.value[pair]), int(step.source[pair])
        onward = np.where(step.target >= 0, after[:, step.target], 0.0) * step.factors
        after = np.zeros_like(step.before)
        for one in (0, 1):
            weights = step.before[one, step.source] * onward[one]
            share = np.bincount(step.value, weights, minlength=len(variable.units))
            shares[one][variable.name] = share / max(share.sum(), 1e-300)
            after[one] = np.bincount(step.source, onward[one], minlength=after.shape[1])
            after[one] /= max(after[one].max(), 1e-300)
    return Solution(choices, *shares)
