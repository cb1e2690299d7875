"""Parameters of the live loop: change detection, tracking, and when frames are read.

All but the gain of looks were set by hand on shaken pages and on recordings of a moving camera.
"""

from dataclasses import dataclass, field

from digitlens.config.parameters.following import FollowParameters


@dataclass(frozen=True)
class LookParameters:
    """How many different looks at a digit its frames are, and what they add to the confidence.

    The last six are fitted on 600 generated films (training command `looks --films 600 --seed 3`). On 300
    others the calibration error of steady numbers is 0.018 with them and 0.105 without. The gains are
    negative: in motion the readings of single frames are too sure of themselves.
    """

    patch_rows: int = 20
    """Height of the patch that is kept of a look, in samples."""
    patch_columns: int = 14
    """Width of that patch, in samples."""
    new_look: float = 0.1
    """Difference from all looks before that is one more look, as a fraction of the patch's variance."""
    same_look: float = 0.25
    """Difference below which it is none, as a fraction of `new_look`."""
    noise_margin: float = 2.0
    """Difference that passes for the camera's noise, in the noise's own expected differences."""
    most_looks: int = 12
    """Looks kept of a digit, a count; the one seen last the longest ago makes room."""
    memory: float = 3.0
    """Time after which a look that has not come back is forgotten, in seconds."""
    mean_step: float = 0.1
    """Least weight of a frame in the mean of its look, a fraction."""

    counted_looks: float = 2.0
    """Looks beyond which more change nothing, a count; a digit in motion has as many; of 1.5, 2 and 3 the one
    whose fit had the least calibration error on the films that it was fitted on."""
    gain: float = -0.34
    """Gain of a digit's log-odds by `counted_looks` looks, as a fraction of them."""
    digit_shift: float = -0.77
    """Change of a digit's log-odds by `counted_looks` looks, in nats."""
    number_gain: float = -0.44
    """Gain of a number's log-odds by `counted_looks` looks, as a fraction of them."""
    number_shift: float = 0.52
    """Change of a number's log-odds by `counted_looks` looks, in nats."""
    length: float = 0.6
    """Change of a number's log-odds by `counted_looks` looks, times the logarithm of its number of digits."""
    disagreement: float = 4.55
    """Loss of a number's log-odds if no frame read exactly this number, in nats."""


@dataclass(frozen=True)
class TrackingParameters:
    """How digits are matched from frame to frame, become certain, and form numbers."""

    looks: LookParameters = field(default_factory=LookParameters)
    """What counts as evidence of a confidence."""

    evidence_weight: float = 0.5
    """Weight of one frame's log-likelihoods, 0 to 1: consecutive frames see one stroke in one light."""
    evidence_decay: float = 0.95
    """Evidence kept per frame, as a fraction: about twenty frames count, so that a changed digit is seen."""
    likelihood_floor: float = 0.01
    """Lowest likelihood of a class in one frame, a probability: no frame decides alone."""
    confusion_share: float = 0.5
    """Likelihood of every other value, as a fraction of one minus the confidence."""
    confusion_cap: float = 0.9
    """Highest likelihood of another value, as a fraction of the confidence."""
    no_digit_share: float = 0.5
    """Likelihood of 'no digit', as a fraction of another value's: the reader took the glyph for a digit."""
    miss_probability: float = 0.2
    """Chance that a digit which is there is not found in a frame, a probability."""
    settled_log_odds: float = 8.0
    """Lead over the next class from which a digit is settled, in nats."""
    min_age: int = 6
    """Age below which no number is steady and no digit is dismissed as seldom seen, in frames."""
    min_seen_fraction: float = 0.4
    """Frames in which a digit must be seen, as a fraction of its age; an unsettled one below it is noise."""
    doubt_frames: int = 4
    """Consecutive frames with another value from which a settled digit is in doubt, in frames."""
    restart_frames: int = 10
    """Consecutive frames with another value from which a digit restarts, in frames."""
    link_score: float = 3.0
    """Score from which two digits belong to one number, or no longer do, in frames' votes."""
    min_sign_weight: float = 0.1
    """Weight below which a sign between two digits is forgotten, in frames' votes."""

    max_overlap: float = 0.6
    """Overlap above which two boxes compete for one place, as a fraction of the smaller box."""

    max_shift: float = 6.0
    """Greatest movement of the picture between two frames, in digit heights."""
    shift_bin: float = 0.5
    """Side of a bin in the vote for the shift, in digit heights."""
    shift_penalty: float = 0.02
    """Penalty of a longer shift, which breaks ties, in votes per bin."""
    other_value_vote: float = 0.3
    """Vote of a pair of different values, as a fraction of the vote of a pair of equal ones."""
    min_agreement: float = 0.3
    """Boxes that must vote for the winning shift, as a fraction of all."""
    shift_tolerance: float = 0.3
    """Distance of a pair from the common shift, for rotation and zoom, in digit heights."""
    min_similarity_pairs: int = 4
    """Pairs from which rotation and zoom stand out from the noise of the boxes, a count."""
    match_iou: float = 0.35
    """Intersection over union from which two boxes may be one digit, a fraction."""
    min_aspect: float = 0.5
    """Least width that a box is matched with, as a fraction of its height: a one's width varies by chance."""
    box_step: float = 0.5
    """Step of a tracked box to its match, as a fraction of the distance times their IoU."""

    scene_frames: int = 4
    """Frames of another sheet after which the one before is forgotten, in frames: up to three may be bad."""
    scene_similarity: float = 0.5
    """Digits read as before, as a fraction of the fewer of seen and tracked; fewer is another sheet."""

    change_frames: int = 3
    """Consecutive frames with another text before a steady number takes it, in frames."""
    forget_frames: int = 15
    """Frames without a settled digit after which it is forgotten, in frames: half a second."""
    edge_forget_frames: int = 90
    """The same at the picture's edge, which may hide the digit, in frames."""
    unsettled_forget_frames: int = 2
    """The same of a digit that is not settled, in frames."""
    unsteady_shown_frames: int = 2
    """Frames without one of its digits for which an unsteady number is still shown, in frames."""
    edge_margin: float = 0.08
    """Distance from the picture's edge within which a digit may be cut, in digit heights."""
    order_frames: int = 15
    """Interval at which the reading order is found again though the numbers stay the same, in frames."""
    max_digits: int = 400
    """Digits tracked at once, a count."""


@dataclass(frozen=True)
class ChangeParameters:
    """When a picture differs from the one that was read."""

    min_difference: float = 1.5
    """Least difference of two tiles' means that is a change, in gray levels: half is rounding and coding."""
    deviations: float = 5.5
    """Difference that is a change, in standard deviations of the noise: of 14,400 tiles some reach four."""
    max_noise: float = 1.5
    """Highest standard deviation that passes for noise, in gray levels: beyond it, the picture moves."""
    noise_frames: int = 32
    """Window of the noise estimate, in frames: its lower quartile is noise, the rest may be motion."""
    duplicate_difference: float = 0.01
    """Difference below which a frame repeats the one before and shows no noise, in gray levels."""


@dataclass(frozen=True)
class LoopParameters:
    """When the live loop reads a frame, and how it waits for its camera."""

    confirm_frames: int = 5
    """Frames of an unmoving picture that are read, in frames: one alone may be read wrongly."""
    unsteady_confirm_frames: int = 30
    """The same while a number is not steady, in frames."""
    refresh_frames: int = 30
    """Interval at which an unmoving picture is read all the same, in frames."""
    poll_interval: float = 0.25
    """Longest wait for a frame before signals and keys are looked at, in seconds."""
    following: FollowParameters = field(default_factory=FollowParameters)
    """When a moving picture is followed instead of read."""
    patience: float = 5.0
    """Time without a frame after which a camera that reports no error is lost, in seconds."""
    notice_time: float = 4.0
    """Time for which a message stands in the place of the status line, in seconds."""
    reopen_pauses: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
    """Pauses before a lost camera is opened again, in seconds; the last repeats. Opening costs CMA memory."""
