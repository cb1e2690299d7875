"""One formatting of a confidence."""

import pytest

from digitlens.core.confidence import percent


@pytest.mark.parametrize(
    ("confidence", "text"),
    [
        (1.0, "100 %"),
        (0.9999, "99 %"),
        (0.99, "99 %"),
        (0.29, "29 %"),
        (0.57, "57 %"),
        (0.0049, "0 %"),
        (0.0, "0 %"),
    ],
)
def test_whole_percent_rounded_down(confidence: float, text: str) -> None:
    assert percent(confidence) == text
