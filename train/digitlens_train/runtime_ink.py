"""The runtime's own view of a drawn picture, with the shipped network `ink`: its contrast and its glyphs."""

from dataclasses import replace
from functools import cache

from digitlens.config.parameters.paper import PaperParameters
from digitlens.core.arrays import Gray
from digitlens.paper.ink import find_ink
from digitlens.paper.network import InkNetwork
from digitlens.paper.page import Glyph, find_page

RUNTIME = PaperParameters()
ALL = replace(RUNTIME, least_digit=0.0)
"""Takes whatever is no line for a glyph: the digit network is to learn what it must refuse, too."""


@cache
def network() -> InkNetwork:
    """The shipped network, loaded once a process."""
    return InkNetwork.load()


def contrast(gray: Gray) -> Gray:
    """(H, W) uint8 -> how much darker, or on dark paper lighter, than its paper a pixel is, (H, W) uint8."""
    ink = network()
    return find_ink(gray, ink.logits(gray), ink.scale, RUNTIME.edge, RUNTIME.faintest).contrast


def find_glyphs(gray: Gray) -> list[Glyph]:
    """The glyphs of a picture (H, W) uint8, whatever the network takes their ink for; lines are none."""
    return find_page(gray, network(), printed=True, parameters=ALL).glyphs
