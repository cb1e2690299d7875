"""Silences OpenCV's own log."""

import cv2


def silence_opencv() -> None:
    """Keep OpenCV from writing to the terminal; the switch has moved between its versions."""
    for module in (cv2, getattr(cv2.utils, "logging", None)):
        switch = getattr(module, "setLogLevel", None)
        if switch is not None:
            switch(0)
            return
