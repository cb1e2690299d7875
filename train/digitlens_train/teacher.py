"""The networks of distillation, in PyTorch: the teacher, and `numbers`, which learns from it."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from digitlens.rows.recognizer import NETWORK_CLASSES
from digitlens_train.networks import ROW_SCALE

EPSILON = 1e-3
"""Keras's default epsilon of batch normalization."""


class Same(nn.Conv2d):
    """A convolution padded as TensorFlow's `same`: with a stride, more on the right and below."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', ceil(H / stride), ceil(W / stride))."""
        pads: list[int] = []
        for axis in (3, 2):
            side, stride = self.kernel_size[axis - 2], self.stride[axis - 2]
            total = max(0, (-(-x.shape[axis] // stride) - 1) * stride + side - x.shape[axis])
            pads += [total // 2, total - total // 2]
        if pads[0] == pads[1] and pads[2] == pads[3]:
            return functional.conv2d(
                x, self.weight, self.bias, self.stride, (pads[2], pads[0]), 1, self.groups
            )
        return functional.conv2d(
            functional.pad(x, pads), self.weight, self.bias, self.stride, 0, 1, self.groups
        )


class Layer(nn.Module):
    """Convolution, batch normalization, with `adds` a skip connection, and with `bends` ReLU."""

    def __init__(
        self,
        entry: int,
        filters: int,
        side: Any = 3,
        stride: Any = 1,
        adds: bool = False,
        same: bool = True,
        bends: bool = True,
    ) -> None:
        super().__init__()
        self.convolution = (Same if same else nn.Conv2d)(entry, filters, side, stride, bias=False)
        self.normal = nn.BatchNorm2d(filters, eps=EPSILON, momentum=0.01)
        self.adds, self.bends = adds, bends

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H', W')."""
        y = self.normal(self.convolution(x))
        if self.adds:
            y = y + x
        return functional.relu(y) if self.bends else y


class Numbers(nn.Sequential):
    """digitlens_train.networks.numbers, layer by layer."""

    def __init__(self) -> None:
        super().__init__(
            Layer(1, 16, 5, 2),
            Layer(16, 16),
            Layer(16, 32, 3, 2),
            Layer(32, 32, adds=True),
            Layer(32, 64, 3, (2, 1)),
            *(Layer(64, 64, adds=True) for _ in range(4)),
            Layer(64, 128, (4, 1), same=False),
            *(Layer(128, 128, (1, 5), adds=True) for _ in range(6)),
            nn.Conv2d(128, 2 * NETWORK_CLASSES, 1),
        )


class Residual(nn.Module):
    """Two convolutions with a skip connection (He et al. 2016)."""

    def __init__(self, filters: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(Layer(filters, filters), Layer(filters, filters, bends=False))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> the same shape."""
        return functional.relu(x + self.layers(x))


class Teacher(nn.Module):
    """Some forty times as large as `numbers`: residual convolutions, then attention along the row.

    Attention (Vaswani et al. 2017) lets the rest of the row show how this hand writes; convolutions encode
    the positions (Chu et al. 2021).
    """

    def __init__(self, width: int = 48, wide: int = 384, depth: int = 3) -> None:
        super().__init__()
        self.features = nn.Sequential(
            Layer(1, 32, 3),
            Layer(32, width, 3, 2),
            Residual(width),
            Residual(width),
            Layer(width, 2 * width, 3, (2, 1)),
            Residual(2 * width),
            Residual(2 * width),
            Layer(2 * width, 4 * width, 3, (2, 1)),
            Residual(4 * width),
            Residual(4 * width),
            Layer(4 * width, wide, (4, 1), same=False),
        )
        self.places = nn.Conv1d(wide, wide, 15, padding=7, groups=wide)
        self.attention = nn.ModuleList(
            nn.TransformerEncoderLayer(
                wide, 6, 2 * wide, 0.1, functional.gelu, batch_first=True, norm_first=True
            )
            for _ in range(depth)
        )
        self.between = nn.ModuleList(nn.Conv1d(wide, wide, 5, padding=2, groups=wide) for _ in range(depth))
        self.normal = nn.LayerNorm(wide)
        self.logits = nn.Linear(wide, NETWORK_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, HEIGHT, W) -> logits (N, W / STEP, NETWORK_CLASSES)."""
        y = self.features(x)[:, :, 0]
        y = (y + self.places(y)).transpose(1, 2)
        for attend, near in zip(self.attention, self.between, strict=True):
            y = attend(y)
            y = y + near(y.transpose(1, 2)).transpose(1, 2)
        logits: Tensor = self.logits(self.normal(y))
        return logits


def to_input(gray: Tensor) -> Tensor:
    """(N, HEIGHT, W), 0 to 255 -> (N, 1, HEIGHT, W), the networks' input."""
    return (gray * ROW_SCALE)[:, None].contiguous(memory_format=torch.channels_last)


def columns(network: nn.Module, gray: Tensor) -> Tensor:
    """(N, HEIGHT, W), 0 to 255 -> logits (N, W / STEP, NETWORK_CLASSES)."""
    outputs: Tensor = network(to_input(gray))
    if outputs.dim() == 4:  # (N, 2 * NETWORK_CLASSES, 1, W / 4): two columns a position
        outputs = outputs[:, :, 0].transpose(1, 2).reshape(len(outputs), -1, NETWORK_CLASSES)
    return outputs


def copied(network: nn.Module) -> nn.Module:
    """A copy that takes no gradients."""
    return copy.deepcopy(network).eval().requires_grad_(False)


def save(network: nn.Module, path: Path) -> None:
    """Write the weights as an npz of half floats; the file is replaced atomically."""
    partial = path.with_name(f"partial-{path.name}")
    state = {k: v.cpu() for k, v in network.state_dict().items()}
    np.savez(partial, **{k: (v.half() if v.is_floating_point() else v).numpy() for k, v in state.items()})
    partial.replace(path)


def load(network: nn.Module, path: Path) -> None:
    """Read a file of `save`.

    Raises:
        OSError, ValueError, KeyError, RuntimeError: the file is missing, or of another network.
    """
    with np.load(path, allow_pickle=False) as arrays:
        state = {_current(k): torch.from_numpy(arrays[k]) for k in arrays.files}
    network.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})


def _current(key: str) -> str:
    """A weight's name now; teachers saved by digitlens 0.1 have other names for two parts."""
    part, _, rest = key.partition(".")
    return f"{ {'look': 'features', 'told': 'logits'}.get(part, part) }.{rest}"


def _modules(network: nn.Module) -> list[nn.Module]:
    return [part for part in network.modules() if isinstance(part, nn.Conv2d | nn.BatchNorm2d)]


def set_weights(network: nn.Module, weights: Sequence[npt.NDArray[np.float32]]) -> None:
    """Set the weights from those of the same Keras network, in Keras's order and layout."""
    left = list(weights)

    def into(parameter: Tensor, value: npt.NDArray[np.float32]) -> None:
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))

    for part in _modules(network):
        if isinstance(part, nn.Conv2d):
            kernel = left.pop(0)  # (h, w, in, out)
            into(part.weight, kernel.transpose(3, 2, 0, 1))
            if part.bias is not None:
                into(part.bias, left.pop(0))
        elif isinstance(part, nn.BatchNorm2d):
            for tensor in (part.weight, part.bias, part.running_mean, part.running_var):
                into(tensor, left.pop(0))


def get_weights(network: nn.Module) -> list[npt.NDArray[np.float32]]:
    """The weights in Keras's order and layout."""
    found = []
    for part in _modules(network):
        if isinstance(part, nn.Conv2d):
            kernel = part.weight.detach().float().cpu().numpy()
            found.append(kernel.transpose(2, 3, 1, 0))
            if part.bias is not None:
                found.append(part.bias.detach().float().cpu().numpy())
        elif isinstance(part, nn.BatchNorm2d):
            tensors = part.weight, part.bias, part.running_mean, part.running_var
            found += [tensor.detach().float().cpu().numpy() for tensor in tensors if tensor is not None]
    return found
