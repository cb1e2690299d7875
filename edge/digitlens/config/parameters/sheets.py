"""Parameters of forms: how often people break the rules, and from when a field is sure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RuleParameters:
    """What the decision on a form's fields goes by."""

    slip: float = 5e-4
    """Chance that a cell's probabilities are wrong, and any digit stands there; set by hand; probability."""
    wrong_count: float = 0.01
    """Chance that a writer leaves a gap, or writes too few digits; set by hand; probability."""
    wrong_range: float = 0.005
    """Chance that a writer writes a value out of range, or no date; set by hand; probability."""
    wrong_check: float = 0.01
    """Chance that a writer writes a number with a wrong check digit; set by hand; probability."""
    wrong_list: float = 0.01
    """Chance that a writer writes a number that is not in its list; set by hand; probability."""
    wrong_sum: float = 0.03
    """Chance that a writer breaks a rule over several fields; set by hand; probability."""
    sure: float = 0.99
    """Confidence from which a field is sure; set by hand; probability."""
    least_reading: float = 1e-6
    """Readings of a field this much less likely than its likeliest are dropped; set by hand; ratio."""
    most_readings: int = 2000
    """Readings of a field that are kept; set by hand; readings."""
    least_state: float = 1e-9
    """Partial assignments this much less likely than the likeliest are dropped; set by hand; ratio."""
    most_states: int = 1000
    """Partial assignments that are kept; set by hand; assignments."""
