"""The page reader of free numbers: what `digitlens read` finds, as rows."""

import hashlib
from dataclasses import dataclass

from digitlens.batch.rows import PRINTED, READ, Row
from digitlens.config.parameters.reader import LEAST_CONFIDENCE
from digitlens.config.settings import SignUse
from digitlens.core.arrays import Pixels
from digitlens.core.readings import Number
from digitlens.core.version import __version__
from digitlens.models import cards
from digitlens.models.classifier import DEFAULT, Classifier
from digitlens.reader import Reader

MOST_DIGITS = 15
"""Most digits of a text whose value a float64 holds exactly."""


@dataclass(frozen=True, slots=True)
class NumberOptions:
    """Options of the Reader in each worker, as of digitlens.reader.Reader.

    Args:
        model: a shipped classifier's name, or a model file's path.
        separator: written for a decimal point or comma.
        printed: printed digits are read, too.
        turn: degrees by which a page is turned; None finds out.
        signs: signs part numbers, or are kept in their texts.
        least_confidence: numbers less probable are left out.
    """

    model: str = DEFAULT
    separator: str = ""
    printed: bool = False
    turn: int | None = None
    signs: SignUse = "part"
    least_confidence: float = LEAST_CONFIDENCE

    def open(self) -> "NumberReader":
        """Load the models.

        Raises:
            ModelError, DependencyError: they cannot be loaded.
        """
        reader = Reader(
            Classifier.load(self.model),
            separator=self.separator,
            printed=self.printed,
            turn=self.turn,
            signs=self.signs,
            least_confidence=self.least_confidence,
        )
        return NumberReader(reader, self.separator)

    def fingerprint(self) -> dict[str, str]:
        """The version, the digests of the models and the options.

        Raises:
            ModelError: there is no such model.
        """
        path = cards.find(self.model)
        found = {"digitlens": __version__, "model": f"{path.stem} {_digest(path.read_bytes())}"}
        shipped = sorted(
            other for other in cards.find(DEFAULT).parent.iterdir() if other.suffix in (".tflite", ".npz")
        )
        joined = hashlib.sha256()
        for other in shipped:
            joined.update(other.name.encode() + b"\0" + other.read_bytes())
        found["networks"] = joined.hexdigest()[:16]
        found["separator"] = self.separator
        found["printed"] = "yes" if self.printed else "no"
        found["turn"] = "auto" if self.turn is None else str(self.turn)
        found["signs"] = self.signs
        found["least_confidence"] = str(self.least_confidence)
        return found


class NumberReader:
    """Reads a page's numbers as rows, in reading order."""

    color = False

    def __init__(self, reader: Reader, separator: str = "") -> None:
        self._reader, self._separator = reader, separator

    def __call__(self, image: Pixels) -> list[Row]:
        """(H, W) uint8 gray -> a row a number."""
        return [self._row(number) for number in self._reader.read(image).numbers]

    def _row(self, number: Number) -> Row:
        x, y, width, height = number.box
        state = PRINTED if number.printed else READ
        return Row(
            None, number.text, value_of(number.text, self._separator), round(float(number.confidence), 6),
            x, y, width, height, state, None,
        )  # fmt: skip


def value_of(text: str, separator: str = "") -> float | None:
    """A text of digits, with a separator or without, as a number; None if it is none, or too long."""
    plain = text.replace(separator, ".") if separator else text
    if not plain.replace(".", "", 1).isdecimal() or len(plain) > MOST_DIGITS + 1:
        return None
    digits = plain.replace(".", "", 1).lstrip("0")
    return float(plain) if len(digits) <= MOST_DIGITS else None


def _digest(content: bytes) -> str:
    return cards.digest(content)[:16]
