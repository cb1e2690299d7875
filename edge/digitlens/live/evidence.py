"""Evidence of one digit's value, and of two digits being neighbors: it adds up over frames and fades."""

import numpy as np
import numpy.typing as npt

from digitlens.config.parameters.tracking import TrackingParameters
from digitlens.core.arrays import Doubles
from digitlens.live.looks import Looks, probability

Indices = npt.NDArray[np.intp]

NO_DIGIT = 10
"""The class after the ten digits: not a digit."""


class DigitTrack:
    """One digit on the paper, followed from frame to frame; `box` (4,) is x, y, width, height in pixels."""

    def __init__(self, box: Doubles, parameters: TrackingParameters) -> None:
        self.box = box
        self.value = NO_DIGIT  # the class that it is settled on, or the likeliest so far
        self.likeliest = 0  # of 0 to 9
        self.is_inside = False  # clear of the picture's edges
        self.is_printed = False  # in a printed number, when it was last seen
        self.missed = 0  # frames since it was last seen
        self.number = 0  # id of the number that it belongs to; 0 for none
        self._parameters = parameters
        self.restart()

    def confidence_in(self, value: int) -> float:
        """Probability of a value, 0 to 9, by all looks at the digit."""
        return probability(self.looks.log_odds(value))

    @property
    def is_certain(self) -> bool:
        """Whether it is settled, and neither its evidence nor the last frames speak against its value."""
        return self.is_settled and self.lead >= 0 and self.contradictions < self._parameters.doubt_frames

    @property
    def is_noise(self) -> bool:
        """Whether this is no digit: settled as such, or seen too seldom to be settled."""
        if self.is_settled:
            return self.value == NO_DIGIT
        least = self._parameters.min_seen_fraction * self.frames
        return self.frames >= self._parameters.min_age and self.seen < least

    def restart(self) -> None:
        """Forget the values read in this place."""
        self.looks = Looks(self._parameters.looks)
        self.evidence = np.zeros(NO_DIGIT + 1)  # log-probabilities up to a constant
        self.lead = 0.0  # log-odds of `value` over the next class
        self.is_settled = False
        self.frames = 1  # age
        self.seen = 1  # frames of these in which it was found
        self.contradictions = 0  # consecutive frames that read another value than `likeliest`


class PairLink:
    """Whether a digit follows another one in the same number, and the sign between them."""

    def __init__(self, parameters: TrackingParameters) -> None:
        self.score = 0.0
        self.is_joined = False
        self.is_decided = False  # from then on only strong evidence changes `is_joined`
        self.signs: dict[str, float] = {}
        self._parameters = parameters

    def vote(self, together: bool, sign: str = "") -> None:
        """Add the vote of one frame."""
        decay = self._parameters.evidence_decay
        self.score = decay * self.score + (1 if together else -1)
        if abs(self.score) >= self._parameters.link_score:
            self.is_joined, self.is_decided = self.score > 0, True
        elif not self.is_decided:
            self.is_joined = self.score > 0
        if together:
            least = self._parameters.min_sign_weight
            self.signs = {seen: decay * weight for seen, weight in self.signs.items() if weight > least}
            self.signs[sign] = self.signs.get(sign, 0.0) + 1

    @property
    def is_settled(self) -> bool:
        """Whether the two belong together beyond doubt."""
        return self.is_joined and self.score >= self._parameters.link_score

    @property
    def sign(self) -> str:
        """The sign that most frames have between them; empty for none."""
        return max(self.signs, key=lambda sign: (self.signs[sign], sign))


def log_likelihoods(values: Indices, confidences: Doubles, parameters: TrackingParameters) -> Doubles:
    """A frame's weighted log-likelihoods (N, 11) for digits of `values` (N,) and `confidences` (N,)."""
    sure = confidences[:, np.newaxis]
    other = np.minimum(parameters.confusion_share * (1 - sure), parameters.confusion_cap * sure)
    likelihoods = np.repeat(other, NO_DIGIT + 1, axis=1)
    likelihoods[:, NO_DIGIT] *= parameters.no_digit_share
    likelihoods[np.arange(len(values)), values] = confidences
    floored = np.maximum(likelihoods, parameters.likelihood_floor)
    return np.asarray(parameters.evidence_weight * np.log(floored))


def unseen_log_likelihoods(parameters: TrackingParameters) -> Doubles:
    """The weighted log-likelihoods (11,) for a digit that a frame does not show."""
    missed = np.log([parameters.miss_probability] * NO_DIGIT + [1.0])
    return np.asarray(parameters.evidence_weight * missed)


def accumulate(digits: list[DigitTrack], frame: Doubles, parameters: TrackingParameters) -> None:
    """Add a frame's log-likelihoods (N, 11) to the digits' evidence, and decide their values.

    A digit settles on the likeliest class, and keeps it until another class is settled.
    """
    if not digits:
        return
    evidence = parameters.evidence_decay * np.array([one.evidence for one in digits]) + frame
    evidence -= evidence.max(axis=1, keepdims=True)
    best = evidence.argmax(axis=1)
    rows = np.arange(len(digits))
    leads = -np.partition(evidence, NO_DIGIT - 1, axis=1)[:, NO_DIGIT - 1]
    free = (leads >= parameters.settled_log_odds) | [not one.is_settled for one in digits]
    values = np.where(free, best, [one.value for one in digits])
    leads = np.where(values == best, leads, evidence[rows, values])
    shown = np.where(values == NO_DIGIT, evidence[:, :NO_DIGIT].argmax(axis=1), values)
    columns = (values.tolist(), leads.tolist(), shown.tolist())
    for one, row, value, lead, likeliest in zip(digits, evidence, *columns, strict=True):
        one.evidence, one.value, one.lead = row, value, lead
        one.likeliest = likeliest
        one.is_settled = lead >= parameters.settled_log_odds or one.is_settled
