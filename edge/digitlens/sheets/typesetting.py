"""The width of a text in Helvetica, so that a page is laid out alike with and without a PDF library."""

MM_PER_POINT = 25.4 / 72
_FIRST, _LAST = " ", "~"
_WIDTHS = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
"""Advance widths of the letters from space to tilde, thousandths of the font's size."""
_OTHER = 611
"""Advance width of any other letter, thousandths of the font's size."""


def text_width(text: str, size: float) -> float:
    """A line's width at a font size in points; millimeters."""
    units = sum(
        _WIDTHS[ord(letter) - ord(_FIRST)] if _FIRST <= letter <= _LAST else _OTHER for letter in text
    )
    return units / 1000 * size * MM_PER_POINT


def wrapped(text: str, size: float, width: float) -> list[str]:
    """The text's lines, each at most so many millimeters wide; a longer word has a line of its own."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}" if line else word
            if line and text_width(longer, size) > width:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return lines
