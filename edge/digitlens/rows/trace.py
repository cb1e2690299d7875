"""The trace of a row: its hypotheses with their scores, worked out only when somebody looks."""

import sys
from functools import partial
from math import log

from digitlens.core.readings import Box
from digitlens.core.row_trace import HypothesisTrace, RowTrace
from digitlens.rows import ctc
from digitlens.rows.decision import Decision
from digitlens.rows.recognizer import BLANK, SEPARATOR
from digitlens.rows.row_reading import RowReading


def trace_row(
    box: Box, reading: RowReading, decision: Decision, texts: tuple[str, str, str], reason: str, count: int
) -> RowTrace:
    """The trace of a row.

    `texts` are the lattice's, the row network's and the chosen one. Where rescoring did not run, the
    hypotheses are the row network's `count` best.
    """
    lattice, row_network, chosen = texts
    hypotheses = partial(_hypotheses, reading, decision, texts, count)
    return RowTrace(
        box, reading.crop, reading.output.columns, lattice, row_network, chosen, reason, hypotheses
    )


def _hypotheses(
    reading: RowReading, decision: Decision, texts: tuple[str, str, str], count: int
) -> tuple[HypothesisTrace, ...]:
    """Best first; the two readings last where they have no score."""
    lattice, row_network, chosen = texts
    found: dict[str, tuple[str, float | None]] = {}
    if decision.hypotheses:
        scored = zip(decision.hypotheses, decision.scores.tolist(), strict=True)
        for hypothesis, score in sorted(scored, key=lambda pair: -pair[1]):
            found[hypothesis.text] = hypothesis.source, score
    else:
        output = reading.output
        for labeling in ctc.n_best(output.columns, BLANK, count, output.parameters):
            text = "".join(str(label) for label in labeling.labels if label < SEPARATOR)
            score = log(max(labeling.probability, sys.float_info.min))
            found.setdefault(text, ("row network" if text == row_network else "n-best", score))
        for text, source in ((row_network, "row network"), (lattice, "lattice")):
            if text:
                found.setdefault(text, (source, None))
    return tuple(
        HypothesisTrace(text, source, score, bool(text) and text == chosen)
        for text, (source, score) in found.items()
    )
