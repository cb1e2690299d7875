"""Signs on demand: what stands between, before and behind the digits of a row, written into the numbers."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from digitlens.core.readings import Box, Digit, Number, number
from digitlens.rows.recognizer import BRACKET, COLON, DASH, EQUALS, PLUS, POINT, SLASH, TIMES

WRITTEN = {
    POINT: ".",
    DASH: "-",
    SLASH: "/",
    PLUS: "+",
    TIMES: "x",
    EQUALS: "=",
    COLON: ":",
    BRACKET: "(",
}
"""How a sign is written in a number's text; an opening bracket becomes a closing one behind a digit."""
BEFORE = frozenset("-+(")
"""Signs that may begin a number."""
BEHIND = frozenset("=)")
"""Signs that may end one."""


@dataclass(frozen=True)
class RowSign:
    """A sign of a row: its class, and the box of its ink in the picture."""

    label: int
    box: Box


@dataclass
class _Token:
    """A digit or a sign of a row in writing order; `start` marks the first digit of a number."""

    text: str
    box: Box
    digit: Digit | None = None
    start: bool = False


@dataclass
class _Run:
    """Tokens that become one number."""

    tokens: list[_Token] = field(default_factory=list)

    def number(self) -> Number | None:
        """The number with its signs; None without a digit."""
        while self.tokens and self.tokens[-1].digit is None and self.tokens[-1].text not in BEHIND:
            self.tokens.pop()
        while self.tokens and self.tokens[0].digit is None and self.tokens[0].text not in BEFORE:
            self.tokens.pop(0)
        digits = tuple(token.digit for token in self.tokens if token.digit is not None)
        if not digits:
            return None
        return msgspec.structs.replace(number(digits), text="".join(token.text for token in self.tokens))


def with_signs(numbers: Iterable[Number], signs: Iterable[RowSign], point: str, reach: float) -> list[Number]:
    """The numbers of one row with its signs in their texts; numbers with a sign between them become one.

    Args:
        numbers: of the row.
        signs: that the row network sees in it.
        point: written for a decimal point or comma.
        reach: greatest distance between a sign and the digit beside it, heights of the digit.
    """
    numbers = sorted(numbers, key=lambda found: found.box[0])
    digits = [
        _Token(str(digit.value), digit.box, digit, start=not k)
        for found in numbers
        for k, digit in enumerate(found.digits)
    ]
    tokens = digits + [
        _Token(point if sign.label == POINT else WRITTEN[sign.label], sign.box)
        for sign in signs
        if sign.label in WRITTEN and not any(_covers(token.box, sign.box) for token in digits)
    ]
    tokens.sort(key=lambda token: token.box[0] + token.box[2] / 2)
    runs = [_Run()]
    for token in tokens:
        run = runs[-1].tokens
        apart = bool(run) and (
            not _near(run[-1], token, reach) or (token.start and run[-1].digit is not None)
        )
        if apart:
            runs.append(_Run([token]))
        else:
            run.append(token)
        if token.text == "(" and runs[-1].tokens[:-1] and runs[-1].tokens[-2].digit is not None:
            token.text = ")"
    parts = [part for run in runs for part in _at_lone_brackets(run)]
    return [found for part in parts if (found := part.number()) is not None]


def _at_lone_brackets(run: _Run) -> list[_Run]:
    """The run, parted where a bracket has no other half, as behind the letter or number of a list's item."""
    opened: list[int] = []
    lone = set()
    for k, token in enumerate(run.tokens):
        if token.text == "(":
            opened.append(k)
        elif token.text == ")" and opened:
            opened.pop()
        elif token.text == ")":
            lone.add(k)
    parts = [_Run()]
    for k, token in enumerate(run.tokens):
        if k in lone or k in opened:
            parts.append(_Run())
        else:
            parts[-1].tokens.append(token)
    return parts


def _near(before: _Token, after: _Token, reach: float) -> bool:
    """Whether two tokens may be of one number; digits of one number are, however far apart."""
    if before.digit is not None and after.digit is not None:
        return True
    height = max(before.box[3], after.box[3])
    return after.box[0] - (before.box[0] + before.box[2]) <= reach * height


def _covers(digit: Box, sign: Box) -> bool:
    """Whether a sign's middle lies within a digit, whose ink it then is."""
    middle = sign[0] + sign[2] / 2
    return digit[0] + 0.15 * digit[2] < middle < digit[0] + 0.85 * digit[2]
