"""What the frames say of one digit, and of two beside each other: evidence that adds up and fades."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

NONE = 10
"""The class after the ten digits: no digit."""
DAMP = 0.5
"""What a frame's evidence counts for: frames after each other see the same stroke in the same light."""
KEEP = 0.95
"""Of the evidence, that is left a frame later: twenty frames count, so that a changed digit is seen."""
LEAST = 0.01
"""The probability that a frame leaves to every class: one frame never decides."""
MISS = 0.2
"""The chance that a digit which is there is not found in a frame."""
SURE = 8.0
"""Natural logarithm of the odds against the next class, from which a digit is settled."""
YOUNG = 6
"""Frames that a number is not steady before, and how often a digit is seen is not known."""
SELDOM = 0.4
"""Of the frames: what is seen less often and not settled is a stray sign."""
AGAINST = 4
"""Frames one after another that read another value, from which a settled digit is in doubt."""
AFRESH = 10
"""The same, from which it begins anew: no bad frame is that long."""
LINKED = 3.0
"""Frames' worth of evidence, from which two digits belong to one number, or no longer do."""
UNSEEN = DAMP * np.log([MISS] * NONE + [1.0])
"""What a frame without it says of a digit."""


class DigitTrack:
    """One digit on the paper."""

    def __init__(self, box: Floats) -> None:
        self.box = box
        self.value = NONE  # the class that it is settled on, or the likeliest so far
        self.shown = 0  # the likeliest of 0 to 9
        self.confidence = 0.0  # in that, after all evidence
        self.clear = False  # of the picture's edges
        self.missed = 0  # in so many frames since it was seen last
        self.number = 0
        self.begin()

    @property
    def middle(self) -> float:
        """How far right its middle is, in pixels."""
        return float(self.box[0] + self.box[2] / 2)

    @property
    def sure(self) -> bool:
        """Whether it is settled, its evidence still says so, and so do the last frames."""
        return self.settled and self.lead >= 0 and self.against < AGAINST

    def begin(self) -> None:
        """Forget what was read in this place."""
        self.evidence = np.zeros(NONE + 1)  # log-probabilities but for a constant
        self.lead = 0.0  # of `value`, before the next class
        self.settled = False
        self.frames = 1
        self.seen = 1  # in so many of them
        self.against = 0  # so many one after another read another value than `shown`

    @property
    def nothing(self) -> bool:
        """Whether this is no digit: settled as such, or seen too seldom to be settled."""
        if self.settled:
            return self.value == NONE
        return self.frames >= YOUNG and self.seen < SELDOM * self.frames


class PairLink:
    """Whether a digit follows another one in the same number, and what sign stands between them."""

    def __init__(self) -> None:
        self.score = 0.0
        self.joined = False
        self.decided = False  # from then on only strong evidence changes it
        self.signs: dict[str, float] = {}

    def vote(self, together: bool, sign: str = "") -> None:
        """Take what one frame says."""
        self.score = KEEP * self.score + (1 if together else -1)
        if abs(self.score) >= LINKED:
            self.joined, self.decided = self.score > 0, True
        elif not self.decided:
            self.joined = self.score > 0
        if together:
            self.signs = {seen: KEEP * weight for seen, weight in self.signs.items() if weight > 0.1}
            self.signs[sign] = self.signs.get(sign, 0.0) + 1

    @property
    def settled(self) -> bool:
        """Whether they belong together beyond doubt."""
        return self.joined and self.score >= LINKED

    @property
    def sign(self) -> str:
        """What most frames have between them."""
        return max(self.signs, key=lambda sign: (self.signs[sign], sign))


def logs(values: npt.NDArray[np.intp], confidences: Floats) -> Floats:
    """A frame's evidence (N, 11) for digits (N,) of these values.

    What the doubt is about is not known: each other value may be half of it, no digit a quarter, for the
    reader has taken it for one.
    """
    doubt = 1 - confidences[:, np.newaxis]
    likely = np.repeat(np.minimum(doubt / 2, 0.9 * confidences[:, np.newaxis]), NONE + 1, axis=1)
    likely[:, NONE] /= 2
    likely[np.arange(len(values)), values] = confidences
    return np.asarray(DAMP * np.log(np.maximum(likely, LEAST)))


def take(digits: list[DigitTrack], told: Floats) -> None:
    """Add what a frame says (N, 11) of the digits, and decide what they are.

    A digit settles on the likeliest class, and keeps to it until another is sure.
    """
    if not digits:
        return
    evidence = KEEP * np.array([one.evidence for one in digits]) + told
    evidence -= evidence.max(axis=1, keepdims=True)
    best = evidence.argmax(axis=1)
    rows = np.arange(len(digits))
    leads = -np.partition(evidence, NONE - 1, axis=1)[:, NONE - 1]
    values = np.where(
        (leads >= SURE) | [not one.settled for one in digits], best, [one.value for one in digits]
    )
    leads = np.where(values == best, leads, evidence[rows, values])
    places = np.where(values == NONE, evidence[:, :NONE].argmax(axis=1), values)
    chances = np.exp(evidence[rows, places]) / np.exp(evidence).sum(axis=1)
    every = zip(
        digits, evidence, values.tolist(), leads.tolist(), places.tolist(), chances.tolist(), strict=True
    )
    for one, row, value, lead, place, chance in every:
        one.evidence, one.value, one.lead, one.shown, one.confidence = row, value, lead, place, chance
        one.settled = lead >= SURE or one.settled
