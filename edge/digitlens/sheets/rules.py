"""The decision on a form's fields: of what may stand in them, the likeliest that keeps to all constraints."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

import numpy as np
from msgspec import structs

from digitlens.config.parameters.sheets import RuleParameters
from digitlens.sheets.candidates import Candidates, candidates_of
from digitlens.sheets.decisions import FieldDecision, Hypotheses, State
from digitlens.sheets.expressions import Rule
from digitlens.sheets.fields import Field, Table, Template
from digitlens.sheets.joint import Solution, Variable, solve
from digitlens.sheets.written import Known, Value, in_units

ALL: frozenset[Known] = frozenset(("count", "range", "check", "list", "sum"))
"""All kinds of constraints."""


def decide(
    hypotheses: Mapping[str, Hypotheses],
    template: Template,
    parameters: RuleParameters | None = None,
    use: frozenset[Known] = ALL,
) -> dict[str, FieldDecision]:
    """What stands in the fields that there are hypotheses of, those that rules tie together jointly.

    A rule is only asked if there are hypotheses of all its fields, so that a form's pages can be decided on
    one by one. `use` are the kinds of constraints that are asked.

    Raises:
        ValueError: a field is not the template's, or has probabilities of another number of cells.
    """
    parameters = parameters or RuleParameters()
    for name in hypotheses:
        if name not in template.fields:
            raise ValueError(f"the template {template.name} has no field {name}")
    fields = {name: field for name, field in template.fields.items() if name in hypotheses}
    candidates = {
        name: candidates_of(field, hypotheses[name], use, parameters) for name, field in fields.items()
    }
    decisions = {
        name: _unreadable(one) for name, one in candidates.items() if one.unreadable > 0.5 or not one.values
    }
    readable = {name: field for name, field in fields.items() if name not in decisions}
    rules = [rule for rule in template.rules if "sum" in use and readable.keys() >= set(rule.fields)]
    for names, tied in _components(readable, rules):
        decisions |= _Component(readable, candidates, names, tied, parameters).decisions()
    _require(template, decisions)
    return {name: decisions[name] for name in fields}


def _components(fields: Iterable[str], rules: Sequence[Rule]) -> Iterator[tuple[list[str], list[Rule]]]:
    """Fields that rules tie together, with these rules; a field without a rule by itself."""
    group = {name: [name] for name in fields}
    for rule in rules:
        joined: list[str] = []
        for name in rule.fields:
            if name not in joined:
                joined += group[name]
        group |= dict.fromkeys(joined, joined)
    seen: set[str] = set()
    for name, names in group.items():
        if name not in seen:
            seen |= set(names)
            yield names, [rule for rule in rules if rule.fields[0] in names]


class _Component:
    """Fields that rules tie together."""

    def __init__(
        self, fields: Mapping[str, Field], candidates: Mapping[str, Candidates], names: Sequence[str],
        rules: Sequence[Rule], parameters: RuleParameters,
    ) -> None:  # fmt: skip
        self.fields = {name: fields[name] for name in names}
        self.candidates = {name: candidates[name] for name in names}
        self.rules, self.parameters = rules, parameters
        most = parameters.most_values if rules else parameters.most_readings
        self.values = {name: _likeliest(one.values, most) for name, one in self.candidates.items()}
        self.kept = {
            name: sum(one.values[value] for value in self.values[name])
            / max(sum(one.values.values()), 1e-300)
            for name, one in self.candidates.items()
        }

    def decisions(self) -> dict[str, FieldDecision]:
        """One for each field."""
        variables = [self._variable(name) for name in self.fields]
        if not self.rules:
            (alone,) = variables
            shares = alone.probabilities / alone.probabilities.sum()
            only = Solution({alone.name: int(shares.argmax())}, {alone.name: shares}, {alone.name: shares})
            return {alone.name: self._decision(alone.name, only, only, [])}
        loose = strict = self._solution(variables, self.rules)
        kept, broken = self.rules, list[Rule]()
        while more := [rule for rule in kept if not self._holds(rule, strict)]:
            broken += more  # these bind nothing; of what keeps to the others the likeliest is taken
            kept = [rule for rule in kept if rule not in more]
            strict = self._solution(variables, kept)
        return {name: self._decision(name, loose, strict, broken) for name in self.fields}

    def _solution(self, variables: Sequence[Variable], rules: Sequence[Rule]) -> Solution:
        weights = [self._weight(rule) for rule in rules]
        return solve(variables, rules, weights, self.parameters.least_state, self.parameters.most_states)

    def _variable(self, name: str) -> Variable:
        values = self.values[name]
        units = tuple(value if isinstance(value, int) else None for value in values)
        each = [self.candidates[name].values[value] for value in values]
        return Variable(name, units, 10 ** self.fields[name].decimals, np.array(each, np.float64))

    def _number(self, name: str) -> Callable[[Value], Fraction | None]:
        """What a field's value is in calculations."""
        scale = 10 ** self.fields[name].decimals
        return lambda value: Fraction(value, scale) if isinstance(value, int) else None

    def _holds(self, rule: Rule, solution: Solution) -> bool:
        values = {}
        for name in rule.fields:
            values[name] = self._number(name)(self._chosen(name, solution))
        return rule.holds(values)

    def _weight(self, rule: Rule) -> float:
        """The probability of an assignment that breaks the rule, relative to one that keeps it."""
        wrong = self.parameters.wrong_sum
        odds = wrong / (1 - wrong)
        if rule.relation == "=":  # writers get a digit wrong; there are nine wrong ones for each cell
            odds /= 9 * max(self.fields[name].cells for name in rule.fields)
        return min(odds, 1.0)

    def _decision(
        self, name: str, loose: Solution, strict: Solution, broken: Sequence[Rule]
    ) -> FieldDecision:
        field, one, choice = self.fields[name], self.candidates[name], strict.choices[name]
        share = float(loose.shares[name][choice])
        unreadable = self._unreadable(name, broken)
        confidence = share * self.kept[name] * (1 - one.broken) * (1 - unreadable)
        posterior = float(strict.kept_shares[name][choice])
        rule = next((rule for rule in broken if name in rule.fields), None)
        is_sure = confidence >= self.parameters.sure
        value = self.values[name][choice]
        state: State
        if one.problem:
            state, reason = "rule", f"{one.raw} {one.problem}"
        elif rule is not None:
            state, reason = "rule", self._broken(rule, strict)
        elif value is None and field.kind != "tick" and is_sure:
            state, reason = "empty", ""
        else:
            state = "sure" if is_sure else "doubt"
            reason = "" if is_sure else self._alternative(name, choice, loose)
            if value != one.raw_value:
                reason = "; ".join(filter(None, (self._change(name, value), reason)))
        return FieldDecision(_outward(field, value), one.raw, confidence, state, reason, posterior)

    def _unreadable(self, name: str, broken: Sequence[Rule]) -> float:
        """The probability of ink that is no digit; a sum that holds all the same speaks against that."""
        unreadable = self.candidates[name].unreadable
        if not any(
            rule.relation == "=" and rule not in broken and name in rule.fields for rule in self.rules
        ):
            return unreadable
        by_chance = unreadable / (9 * self.fields[name].cells)
        return by_chance / (by_chance + 1 - unreadable)

    def _broken(self, rule: Rule, solution: Solution) -> str:
        """What a broken rule says, and what stands there."""
        sides = []
        for terms in (rule.left, rule.right):
            total = Fraction(0)
            for factor, names in terms:
                for name in names:
                    factor *= self._number(name)(self._chosen(name, solution)) or 0
                total += factor
            sides.append(f"{float(total):.10g}")
        counted = all(self.fields[name].kind in ("integer", "decimal") for name in rule.fields)
        return f"{rule.text} does not hold" + (f": {sides[0]} and {sides[1]}" if counted else "")

    def _chosen(self, name: str, solution: Solution) -> Value:
        return self.values[name][solution.choices[name]]

    def _change(self, name: str, value: Value) -> str:
        """Why the value is not what the ink alone looks like."""
        one, text = self.candidates[name], in_units(self.fields[name], value) or "empty"
        if one.raw_problem:
            return f"{text}, for {one.raw} {one.raw_problem}"
        rule = next((rule.text for rule in self.rules if name in rule.fields), "")
        return f"{text}, not {one.raw or 'empty'}, by {rule}" if rule else f"{text}, not {one.raw or 'empty'}"

    def _alternative(self, name: str, choice: int, solution: Solution) -> str:
        """What else it may be."""
        one = self.candidates[name]
        shares = solution.shares[name] * (1 - one.broken) * (1 - one.unreadable)
        shares[choice] = 0
        other = int(shares.argmax())
        if max(shares[other], one.unreadable, one.broken) < 0.01:
            return "many other readings are possible"
        if one.unreadable > max(shares[other], one.broken):
            return f"may be ink that is no digit ({one.unreadable:.0%})"
        if one.broken > shares[other]:
            return f"may be something that is not allowed ({one.broken:.0%})"
        text = in_units(self.fields[name], self.values[name][other]) or "empty"
        return f"may also be {text} ({shares[other]:.0%})"


def _likeliest(values: Mapping[Value, float], most: int) -> tuple[Value, ...]:
    """The likeliest values, in their order."""
    if len(values) <= most:
        return tuple(values)
    least = sorted(values.values(), reverse=True)[most - 1]
    return tuple(value for value, probability in values.items() if probability >= least)[:most]


def _unreadable(one: Candidates) -> FieldDecision:
    if one.unreadable > 0.5:
        return FieldDecision(None, one.raw, one.unreadable, "unreadable", "ink that is no digit")
    return FieldDecision(None, one.raw, 1 - one.unreadable, "rule", f"{one.raw} {one.problem}")


def _outward(field: Field, value: Value) -> int | float | str | bool | None:
    """A value as FieldDecision has it."""
    if field.kind == "tick":
        return value is not None
    if isinstance(value, int) and field.kind == "integer":
        return value
    if isinstance(value, int) and field.kind == "decimal":
        return float(Fraction(value, 10**field.decimals))
    return None if value is None else in_units(field, value)


def _require(template: Template, decisions: dict[str, FieldDecision]) -> None:
    """Say which empty fields are required; in a table of empty rows those of rows that are begun."""
    begun = {
        (field.table, field.row)
        for name, field in template.fields.items()
        if name in decisions and decisions[name].value not in (None, False)
    }
    labeled = {block.name for block in template.blocks if isinstance(block, Table) and block.rows[0]}
    for name, decision in decisions.items():
        field = template.fields[name]
        wanted = not field.table or field.table in labeled or (field.table, field.row) in begun
        if field.required and wanted and decision.state == "empty":
            decisions[name] = structs.replace(decision, reason="is required")
