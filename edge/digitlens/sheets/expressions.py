"""Rules over fields: "a + b <= 2 * c" -> two sums of products, and whether values keep to them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple

Relation = Literal["=", "!=", "<", "<=", ">", ">="]
Product = tuple[str, ...]
"""Names of the fields that are multiplied, sorted; without names: a constant."""
MAX_TERMS = 1000
"""Products of a rule at most."""
MAX_DEPTH = 50
"""Brackets within brackets at most."""

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*(?:\.\w+)*)|(?P<sign><=|>=|==|!=|[-+*/()<>=]))"
)


class Term(NamedTuple):
    """A factor times the values of some fields."""

    factor: Fraction
    fields: Product


@dataclass(frozen=True, slots=True)
class Rule:
    """Two sides that are compared; each is a sum of products of fields' values."""

    text: str
    """As people read it."""
    left: tuple[Term, ...]
    relation: Relation
    right: tuple[Term, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields that it ties together, each once."""
        sides = (*self.left, *self.right)
        return tuple(dict.fromkeys(name for term in sides for name in term.fields))

    def holds(self, values: Mapping[str, Fraction | None]) -> bool:
        """Whether it holds; an empty field (None) counts as 0.

        A rule with a side whose fields are all empty is not asked, and holds.
        """
        for side in (self.left, self.right):
            names = [name for term in side for name in term.fields]
            if names and all(values[name] is None for name in names):
                return True
        return compare(_sum(self.left, values) - _sum(self.right, values), self.relation)


class RuleProblem(Exception):  # noqa: N818  # becomes a TemplateError where its line is known
    """An error in a rule's text."""


def compare(difference: Fraction | int, relation: Relation) -> bool:
    """Whether left minus right is what the relation asks for."""
    return {
        "=": difference == 0, "!=": difference != 0, "<": difference < 0, "<=": difference <= 0,
        ">": difference > 0, ">=": difference >= 0,
    }[relation]  # fmt: skip


def parse(text: str, resolve: Callable[[str, bool], tuple[str, ...]]) -> Rule:
    """A rule's text -> the rule.

    `resolve` gives the fields that a name stands for: one, or, where its second argument is true because the
    name stands in sum(), any number; it raises RuleProblem for a name that stands for none.

    Raises:
        RuleProblem: it is not a rule.
    """
    parser = _Parser(text, resolve)
    left = parser.sum()
    sign = parser.next()
    if sign not in ("=", "==", "!=", "<", "<=", ">", ">="):
        raise RuleProblem(f"{_found(sign)} where one of = != < <= > >= must stand")
    right = parser.sum()
    if end := parser.next():
        raise RuleProblem(f"{_found(end)} after its end")
    relation: Relation = "=" if sign == "==" else sign  # type: ignore[assignment]  # one of those above
    rule = Rule(" ".join(text.split()), _terms(left), relation, _terms(right))
    if not rule.fields:
        raise RuleProblem("names no field")
    return rule


_Sum = dict[Product, Fraction]


class _Parser:
    """The recursive descent over a rule's signs."""

    def __init__(self, text: str, resolve: Callable[[str, bool], tuple[str, ...]]) -> None:
        self.tokens, self.place, self.depth, self.resolve = _tokens(text), 0, 0, resolve

    def next(self) -> str:
        """The next sign, taken; empty at the end."""
        token = self.peek()
        self.place += 1
        return token

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def sum(self) -> _Sum:
        total = self.product()
        while self.peek() in ("+", "-"):
            sign = 1 if self.next() == "+" else -1
            total = _added(total, self.product(), sign)
        return total

    def product(self) -> _Sum:
        total = self.factor()
        while self.peek() in ("*", "/"):
            if self.next() == "*":
                total = _multiplied(total, self.factor())
                continue
            divisor = self.factor()
            if list(divisor) != [()] or not divisor[()]:
                raise RuleProblem("divides by something that is not a number, or is 0")
            total = {names: factor / divisor[()] for names, factor in total.items()}
        return total

    def factor(self) -> _Sum:
        sign = self.next()
        if sign in ("-", "("):
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise RuleProblem(f"has more than {MAX_DEPTH} signs and brackets within each other")
            inner = _added({}, self.factor(), -1) if sign == "-" else self._until_bracket()
            self.depth -= 1
            return inner
        if sign[:1].isdigit():
            return {(): Fraction(sign)}
        if sign == "sum" and self.peek() == "(":
            self.next()
            name = self.next()
            if not name[:1].isalpha():
                raise RuleProblem("sum() takes the name of a table's column")
            total: _Sum = {(one,): Fraction(1) for one in self.resolve(name, True)}
            if self.next() != ")":
                raise RuleProblem("the bracket after sum is not closed")
            return total
        if re.match(r"[A-Za-z_]", sign):
            (name,) = self.resolve(sign, False)
            return {(name,): Fraction(1)}
        raise RuleProblem(f"{_found(sign)} where a field or a number must stand")

    def _until_bracket(self) -> _Sum:
        inner = self.sum()
        if self.next() != ")":
            raise RuleProblem("a bracket is not closed")
        return inner


def _tokens(text: str) -> list[str]:
    tokens, place = [], 0
    while text[place:].strip():
        found = _TOKEN.match(text, place)
        if found is None:
            raise RuleProblem(f'"{text[place:].strip()[:1]}" has no meaning in a rule')
        tokens.append(found.group().strip())
        place = found.end()
    return tokens


def _added(one: _Sum, other: _Sum, sign: int) -> _Sum:
    total = dict(one)
    for names, factor in other.items():
        total[names] = total.get(names, Fraction(0)) + sign * factor
    return total


def _multiplied(one: _Sum, other: _Sum) -> _Sum:
    if len(one) * len(other) > MAX_TERMS:
        raise RuleProblem(f"has more than {MAX_TERMS} products")
    total: _Sum = {}
    for names, factor in one.items():
        for more, times in other.items():
            product = tuple(sorted(names + more))
            total[product] = total.get(product, Fraction(0)) + factor * times
    return total


def _terms(total: _Sum) -> tuple[Term, ...]:
    return tuple(Term(factor, names) for names, factor in total.items() if factor)


def _sum(side: tuple[Term, ...], values: Mapping[str, Fraction | None]) -> Fraction:
    total = Fraction(0)
    for factor, names in side:
        for name in names:
            factor *= values[name] or 0
        total += factor
    return total


def _found(token: str) -> str:
    return f'"{token}"' if token else "it ends"
