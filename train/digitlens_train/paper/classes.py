"""What a pixel of paper shows: the classes that the ink network learns to tell apart."""

from enum import IntEnum


class Kind(IntEnum):
    """The class of a pixel; the numbers are those of class maps and of `Canvas.alpha`."""

    PAPER = 0
    DIGIT = 1
    """Ink of handwritten digits, also where it crosses a line."""
    WRITING = 2
    """Other handwriting: letters, words, signs, scribbles, drawings, struck-out numbers, tally marks."""
    PRINT = 3
    """Printed characters, printed digits too, and stamps."""
    LINE = 4
    """Ruled and squared lines, frames, boxes, rings, cell borders, bars."""


IGNORED = 255
"""Value in class maps of pixels that are not learnt from."""
