"""Data augmentation of batches of rows, on the device that learns them."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from digitlens.rows.crop import CROP_HEIGHT
from digitlens.rows.recognizer import NETWORK_BLANK

MIDDLE = (CROP_HEIGHT - 1) / 2
KNOT = 10
"""Distance between the control points of a warp, in pixels."""


@dataclass(frozen=True)
class Strength:
    """Strengths of the changes: standard deviations, or the share of the rows that a change applies to."""

    across: float = 0.14
    upright: float = 0.09
    shift: float = 1.1
    slant: float = 0.17
    warp: float = 0.9
    pen: float = 0.4
    soft: float = 0.3
    pattern: float = 0.15
    line: float = 0.1
    grain: float = 0.25
    gain: float = 0.16


MILD = Strength(0.0, 0.05, 0.8, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1)
STRONG = Strength()


def augment(pictures: Tensor, columns: Tensor, strength: Strength) -> tuple[Tensor, Tensor]:
    """(N, 32, W) and (N, W / STEP) uint8 -> pictures of that shape, float32 and 0 to 255, and columns.

    The columns move with the ink.
    """
    gray = pictures.float()
    if strength.across or strength.slant or strength.warp:
        gray, columns = _moved(gray, columns, strength)
    else:
        gray = _sampled(gray, *_scales(gray, strength))
    gray = _repenned(gray, strength)
    gray = _degraded(gray, strength)
    gain = torch.exp(_normal(gray, strength.gain))
    return (gray * gain).clamp(0, 255), columns


def _normal(like: Tensor, deviation: float) -> Tensor:
    """One draw for each picture, (N, 1, 1)."""
    return deviation * torch.randn(len(like), 1, 1, device=like.device)


def _uniform(like: Tensor, low: float, high: float) -> Tensor:
    return low + (high - low) * torch.rand(len(like), 1, 1, device=like.device)


def _chosen(like: Tensor, share: float) -> Tensor:
    """1 for a random `share` of the pictures, else 0, (N, 1, 1)."""
    return (torch.rand(len(like), 1, 1, device=like.device) < share).float()


def _scales(gray: Tensor, strength: Strength) -> tuple[Tensor, Tensor]:
    """The source x and y of each pixel where pictures are only shifted and stretched vertically."""
    _, height, width = gray.shape
    x = torch.arange(width, device=gray.device).expand(1, height, width).float()
    y = torch.arange(height, device=gray.device)[:, None].expand(1, height, width).float()
    stretch = torch.exp(_normal(gray, strength.upright))
    return x.expand_as(gray), (y - MIDDLE - _normal(gray, strength.shift)) / stretch + MIDDLE


def _moved(gray: Tensor, columns: Tensor, strength: Strength) -> tuple[Tensor, Tensor]:
    """Stretch, slant and warp the pictures, and stretch the columns with them."""
    count, height, width = gray.shape
    x, y = _scales(gray, strength)
    inked = (gray.amax(dim=1) > 40) * torch.arange(1, width + 1, device=gray.device)
    room = width / (inked.amax(dim=1) + 3.0)  # no ink may leave the picture
    stretch = torch.minimum(torch.exp(_normal(gray, strength.across)), room[:, None, None].clamp(min=1.0))
    x = x / stretch
    knots = torch.randn(count, 2, 4, max(4, width // KNOT), device=gray.device)
    knots = knots * strength.warp * torch.rand(count, 1, 1, 1, device=gray.device)
    warp = functional.interpolate(knots, (height, width), mode="bilinear", align_corners=True)
    gray = _sampled(gray, x + _normal(gray, strength.slant) * (y - MIDDLE) + warp[:, 0], y + warp[:, 1])
    steps = torch.arange(columns.shape[1], device=gray.device)[None, :] / stretch[:, :, 0]
    source = steps.round().long()
    beyond = source >= columns.shape[1]
    moved = columns.gather(1, source.clamp(max=columns.shape[1] - 1))
    return gray, torch.where(beyond, torch.full_like(moved, NETWORK_BLANK), moved)


def _sampled(gray: Tensor, x: Tensor, y: Tensor) -> Tensor:
    _, height, width = gray.shape
    grid = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], dim=3)
    sampled = functional.grid_sample(gray[:, None], grid, mode="bilinear", align_corners=True)
    return sampled[:, 0]


def _repenned(gray: Tensor, strength: Strength) -> Tensor:
    """A broader or a finer pen, and defocus."""
    if strength.pen:
        broad = functional.max_pool2d(gray[:, None], 3, 1, 1)[:, 0]
        fine = -functional.max_pool2d(-gray[:, None], (2, 2), 1, 1)[:, 0, :-1, :-1]
        changed = _chosen(gray, strength.pen)
        more = _chosen(gray, 0.5)
        part = changed * torch.rand_like(changed)
        gray = gray + part * (more * 0.8 * (broad - gray) + (1 - more) * 0.6 * (fine - gray))
    if strength.soft:
        soft = gray[:, None]
        for _ in range(2):
            soft = functional.avg_pool2d(soft, 3, 1, 1)
        part = _chosen(gray, strength.soft) * _uniform(gray, 0, 0.9)
        gray = gray + part * (soft[:, 0] - gray)
    return gray


def _degraded(gray: Tensor, strength: Strength) -> Tensor:
    """A printed pattern of waves, a ruled line, and noise."""
    _, height, width = gray.shape
    device = gray.device
    x = torch.arange(width, device=device)[None, None, :].float()
    y = torch.arange(height, device=device)[None, :, None].float()
    if strength.pattern:
        angle, pitch = _uniform(gray, 0, 3.1416), _uniform(gray, 0.4, 2.0)
        bend = _uniform(gray, 0, 6) * torch.sin(_uniform(gray, 0.02, 0.2) * x + _uniform(gray, 0, 6))
        phase = pitch * (torch.cos(angle) * x + torch.sin(angle) * (y + bend))
        waves = (torch.sin(phase).abs() ** 4) * _uniform(gray, 10, 90) * _chosen(gray, strength.pattern)
        gray = torch.maximum(gray, waves)
    if strength.line:
        place = _uniform(gray, -1, height) + _normal(gray, 0.02) * (x - width / 2)
        line = (1 - ((y - place).abs() / _uniform(gray, 0.5, 2.0)).clamp(max=1)) * _uniform(gray, 40, 255)
        gray = torch.maximum(gray, line * _chosen(gray, strength.line))
    if strength.grain:
        noise = torch.randn_like(gray) * _uniform(gray, 0, 18) * _chosen(gray, strength.grain)
        gray = gray + noise
    return gray
