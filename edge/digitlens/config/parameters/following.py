"""Parameters of following a picture that only moved, set by hand on films of shaken sheets.

Pixels are those of the picture at half its size, in which it is followed.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class FollowParameters:
    """When a moving picture is the one that was read, and how often it is read all the same."""

    enabled: bool = True
    """Whether a picture that only moved is followed; False reads every frame of a moving picture."""
    refresh_frames: int = 15
    """Interval at which a moving picture is read all the same, in frames: half a second."""
    doubtful_refresh_frames: int = 4
    """The same while a number stays in doubt after LoopParameters.unsteady_confirm_frames, in frames."""

    most_digits: int = 24
    """Most digits in which corners are sought, a count; of more, some from all over."""
    digit_corners: int = 4
    """Most corners that are sought in a digit, a count."""
    corner_quality: float = 0.05
    """Least strength of a corner, as a fraction of its digit's strongest."""
    corner_distance: float = 4.0
    """Least distance of two corners, in pixels."""
    corner_window: int = 13
    """Side of the window that is found again around a corner, in pixels."""
    pyramid_levels: int = 3
    """Halvings of the picture in the search for corners, a count."""
    corner_error: float = 1.0
    """Distance up to which a corner agrees with the movement, in pixels."""
    least_corners: int = 6
    """Corners that must agree with it, a count."""
    least_agreement: float = 0.6
    """Corners that must agree with it, as a fraction of all."""
    most_zoom: float = 1.15
    """Largest change of size that is followed, as a factor."""

    least_difference: float = 5.0
    """Least difference that is a change, in gray levels."""
    deviations: float = 6.0
    """Difference that is a change, in standard deviations of the noise."""
    contrast_share: float = 0.3
    """Difference that blur may make beside a stroke, as a fraction of the contrast there."""
    max_noise: float = 3.0
    """Highest standard deviation of the difference that passes for noise, in gray levels."""
    least_pixels: int = 4
    """Pixels that must differ, a count."""
    light_tiles: int = 32
    """Side of the tiles over which light is evened out, in pixels: wider than a digit."""
    new_paper: float = 0.5
    """Width of new paper at the picture's edge that is looked at, as a fraction of a digit's height."""
    new_ink: float = 20.0
    """Contrast of ink on new paper that must be read, in gray levels."""
