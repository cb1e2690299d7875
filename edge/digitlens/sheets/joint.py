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

LEFT, RIGHT = 1, 2
"""What a rule has seen: a value on its left side, one on its right."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A field and what may stand in it."""

    name: str
    values: tuple[Fraction | None, ...]
    """Numbers to calculate with; None where nothing is written."""
    probabilities: Doubles
    """(values,)."""


@dataclass(frozen=True, slots=True)
class Solution:
    """The likeliest assignment, and what each field's values have of the probability of all assignments."""

    choices: dict[str, int]
    """The place of each field's value."""
    shares: dict[str, Doubles]
    """(values,), adding up to 1."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A rule, in integers."""

    rule: Rule
    steps: dict[str, int]
    """What one unit of a field adds to left minus right; empty for a rule with products."""
    scale: int
    last: int
    """The place of the last of its fields."""
    weight: float
    """Of assignments that break it."""


@dataclass(slots=True)
class _Step:
    """How states went over into the next ones by a field's values."""

    factors: Doubles
    """(states, values)."""
    following: Indices
    """(states, values): the next state; -1 for none."""
    origin: Indices
    """(next states,): of the likeliest assignment, the state before."""
    choice: Indices
    """(next states,): and the value."""


def solve(
    variables: Sequence[Variable], rules: Sequence[Rule], weights: Sequence[float], least: float, most: int
) -> Solution | None:
    """The joint decision; None if no assignment is possible.

    An assignment's probability is the product of its values' and, for each rule that it breaks, of the rule's
    weight, 0 to 1. States less likely than `least` times the likeliest, or beyond the `most` likeliest, are
    dropped.
    """
    order = _ordered(variables, rules)
    places = {variable.name: place for place, variable in enumerate(order)}
    asked = [_asked(rule, weight, order, places) for rule, weight in zip(rules, weights, strict=True)]
    states = _States(asked, places, order)
    steps: list[_Step] = []
    for place, variable in enumerate(order):
        step = states.take(place, variable, least, most)
        if step is None:
            return None
        steps.append(step)
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
        return _Asked(rule, {}, 1, last, weight)
    denominators = {
        name: lcm(*(value.denominator for value in order[places[name]].values if value is not None), 1)
        for name in rule.fields
    }
    scale = lcm(
        *(factor.denominator * denominators.get(names[0] if names else "", 1) for factor, names in terms)
    )
    steps: dict[str, int] = {}
    for factor, names in terms:
        name = names[0] if names else ""
        steps[name] = steps.get(name, 0) + int(factor * scale)
    return _Asked(rule, steps, scale, last, weight)


class _States:
    """Partial assignments, merged where the open rules cannot tell them apart."""

    def __init__(self, asked: Sequence[_Asked], places: dict[str, int], order: Sequence[Variable]) -> None:
        self.asked, self.order = asked, order
        self.of_field = {
            name: [index for index, one in enumerate(asked) if name in one.rule.fields] for name in places
        }
        self.sums = np.ones(1)
        self.best = np.ones(1)
        self.columns: dict[tuple[int, str], Int64s] = {}
        """Of each open rule: left minus right, what it has "seen", and of products each field's value."""
        self.before: list[Doubles] = []
        """The states' probabilities before each step."""
        signs = np.random.default_rng(0).integers(1, 2**62, 4096) * 2 + 1
        self.multipliers: Int64s = signs.astype(np.int64)

    def take(self, place: int, variable: Variable, least: float, most: int) -> _Step | None:
        """Go over to the states with one more field; None if none is possible."""
        self.before.append(self.sums)
        count, values = len(self.sums), len(variable.values)
        factors = np.tile(variable.probabilities / variable.probabilities.max(), (count, 1))
        columns = {key: np.repeat(column, values) for key, column in self.columns.items()}
        for index in self.of_field[variable.name]:
            self._add(columns, index, variable, count)
            if self.asked[index].last == place:
                factors *= self._close(columns, index).reshape(count, values)
        sums = (self.sums[:, np.newaxis] * factors).ravel()
        best = (self.best[:, np.newaxis] * factors).ravel()
        alive = np.flatnonzero(best >= max(best.max() * least, 1e-300))
        if not len(alive):
            return None
        key = np.zeros(len(alive), np.int64)
        for multiplier, column in zip(self.multipliers, columns.values(), strict=False):
            key += column[alive] * multiplier
        _, first, merged = np.unique(key, return_index=True, return_inverse=True)
        merged_sums = np.bincount(merged, sums[alive])
        kept = np.arange(len(first))
        if len(kept) > most:
            kept = np.sort(np.argpartition(merged_sums, -most)[-most:])
        renamed = np.full(len(first), -1)
        renamed[kept] = np.arange(len(kept))
        following = np.full(count * values, -1)
        following[alive] = renamed[merged]
        origin = np.zeros(len(first), np.intp)
        ascending = np.argsort(best[alive], kind="stable")
        origin[merged[ascending]] = alive[ascending]  # the last one to be written is the likeliest
        origin = origin[kept]
        self.sums = merged_sums[kept] / merged_sums.max()
        self.best = best[origin] / best.max()
        self.columns = {key: column[alive[first[kept]]] for key, column in columns.items()}
        return _Step(factors, following.reshape(count, values), origin // values, origin % values)

    def _add(
        self, columns: dict[tuple[int, str], Int64s], index: int, variable: Variable, count: int
    ) -> None:
        """Put a field's values into the columns of a rule, of all states times all values."""
        asked = self.asked[index]
        size = count * len(variable.values)
        if (index, "seen") not in columns:
            sides = ((LEFT, asked.rule.left), (RIGHT, asked.rule.right))
            start = sum(side for side, terms in sides if not any(names for _, names in terms))
            columns[index, "seen"] = np.full(size, start, np.int64)
            columns[index, "sum"] = np.full(size, asked.steps.get("", 0), np.int64)
        bits = (LEFT * _is_on(variable, asked.rule.left)) | (RIGHT * _is_on(variable, asked.rule.right))
        seen = [bits if value is not None else 0 for value in variable.values]
        columns[index, "seen"] = columns[index, "seen"] | np.tile(np.array(seen, np.int64), count)
        if asked.steps:
            step = asked.steps.get(variable.name, 0)
            added = [int((value or 0) * step) for value in variable.values]
            columns[index, "sum"] = columns[index, "sum"] + np.tile(np.array(added, np.int64), count)
        else:
            columns[index, variable.name] = np.tile(np.arange(len(seen), dtype=np.int64), count)

    def _close(self, columns: dict[tuple[int, str], Int64s], index: int) -> Doubles:
        """The weight of a rule whose fields are all there, for each assignment; its columns are dropped."""
        asked = self.asked[index]
        own = {name: columns.pop((one, name)) for one, name in list(columns) if one == index}
        is_asked = own["seen"] == LEFT | RIGHT
        if asked.steps:
            holds = _holds(own["sum"], asked.rule)
        else:
            values = {one.name: one.values for one in self.order}
            holds = np.ones(len(is_asked), bool)
            for state in np.flatnonzero(is_asked):
                known = {name: values[name][own[name][state]] for name in asked.rule.fields}
                holds[state] = asked.rule.holds(known)
        return np.where(is_asked & ~holds, asked.weight, 1.0)


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
    after = np.ones(len(states.sums))
    choices: dict[str, int] = {}
    shares: dict[str, Doubles] = {}
    for variable, step, before in zip(reversed(order), reversed(steps), reversed(states.before), strict=True):
        choices[variable.name] = int(step.choice[state])
        state = int(step.origin[state])
        onward = np.where(step.following >= 0, after[step.following], 0.0) * step.factors
        share = (before[:, np.newaxis] * onward).sum(axis=0)
        shares[variable.name] = share / share.sum()
        after = onward.sum(axis=1)
        after /= after.max()
    return Solution(choices, shares)
