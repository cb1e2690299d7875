"""Stands in for libcamera's Python, of which the adapter uses the transform alone."""

from dataclasses import dataclass


@dataclass
class Transform:
    hflip: int = 0
    vflip: int = 0
