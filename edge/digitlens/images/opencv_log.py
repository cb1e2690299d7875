"""What OpenCV writes to the terminal by itself."""

import cv2


def silence_opencv() -> None:
    """A lost camera gets our line alone. OpenCV has moved the switch between its versions."""
    for module in (cv2, getattr(cv2.utils, "logging", None)):
        switch = getattr(module, "setLogLevel", None)
        if switch is not None:
            switch(0)
            return
