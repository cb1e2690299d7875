"""Check digits: whether a number's last digits follow from the others."""

from digitlens.sheets.fields import Check

CHANCE: dict[Check, float] = {"luhn": 1 / 10, "mod11": 1 / 11, "mod97": 1 / 97, "ean": 1 / 10}
"""The share of numbers that fit by chance."""
FEWEST: dict[Check, int] = {"luhn": 2, "mod11": 2, "mod97": 3, "ean": 2}
"""Digits of the shortest number that can be checked, its check digits included."""


def fits(digits: str, check: Check) -> bool:
    """Whether a number of digits alone has the right check digits.

    luhn: of cards, and of many numbers of members. mod11: weights 2, 3, 4 and so on from the second last
    digit, and the sum is a multiple of 11 (ISBN-10 without X). mod97: the number leaves the remainder 1
    (ISO 7064, of IBANs). ean: weights 3 and 1 from the second last digit (EAN, UPC, ISBN-13).
    """
    if len(digits) < FEWEST[check]:
        return False
    values = [int(digit) for digit in reversed(digits)]
    if check == "luhn":
        doubled = (2 * value - 9 * (value > 4) for value in values[1::2])
        return (sum(values[0::2]) + sum(doubled)) % 10 == 0
    if check == "mod11":
        return sum(weight * value for weight, value in enumerate(values, 1)) % 11 == 0
    if check == "mod97":
        return int(digits) % 97 == 1
    return (sum(values[0::2]) + 3 * sum(values[1::2])) % 10 == 0
