"""How networks are quantized."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class SearchConfig:
    """The search for the representative data set whose int8 network is nearest to the float one.

    Attributes:
        sets: representative data sets to try.
        sizes: their sizes, in turn, in pictures.
        compared: training pictures that the int8 networks are compared on.
        seed: draws these.
    """

    sets: int = 24
    sizes: tuple[int, ...] = (200, 500, 1000, 2000)
    compared: int = 8000
    seed: int = 24


@dataclass(frozen=True)
class RowsConfig:
    """How the row network is quantized and its accuracy measured.

    Attributes:
        width: width of the training rows, in pixels.
        count: rows that the representative data sets are drawn from.
        search: the representative data sets.
        tested: synthetic rows of MNIST's test digits that the card's accuracy is measured on.
    """

    width: int = 192
    count: int = 1500
    search: SearchConfig = field(default_factory=lambda: SearchConfig(sets=4))
    tested: int = 1000


@dataclass(frozen=True)
class ConvertConfig:
    """How each kind of network is quantized.

    Attributes:
        crops: training crops that the representative data sets of a digit network are drawn from.
        search: the representative data sets of a digit network.
        rows: the row network.
        ink: the representative data sets of the ink network.
    """

    crops: int = 40_000
    search: SearchConfig = field(default_factory=SearchConfig)
    rows: RowsConfig = field(default_factory=RowsConfig)
    ink: SearchConfig = field(
        default_factory=lambda: SearchConfig(sets=4, sizes=(50, 100, 200, 400), compared=64)
    )
