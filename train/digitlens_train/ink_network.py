"""`ink` in PyTorch, which fits depthwise convolutions on a CPU two to three times as fast as Keras."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from digitlens_train.networks import INK_BLOCKS, INK_CLASSES, INK_SCALE, INK_WIDTHS
from digitlens_train.teacher import EPSILON, Same


class Ink(nn.Module):
    """digitlens_train.networks.ink; its parts bear the names of the Keras layers."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.ModuleDict()
        self._add("stem", Same(1, INK_WIDTHS[0], 3, 2, bias=False))
        for level in range(1, len(INK_WIDTHS)):
            before, filters = INK_WIDTHS[level - 1], INK_WIDTHS[level]
            self._add_separable(f"down{level}", before, filters, 2)
            for block in range(INK_BLOCKS[level]):
                self._add_separable(f"level{level}_{block}", filters, filters)
        for level in reversed(range(len(INK_WIDTHS) - 1)):
            filters = INK_WIDTHS[level]
            self._add(f"up{level}", nn.Conv2d(INK_WIDTHS[level + 1], filters, 1, bias=False))
            self._add_separable(f"merge{level}", filters, filters)
        self.parts["classes"] = nn.Conv2d(INK_WIDTHS[0], INK_CLASSES, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, H, W) -> logits (N, INK_CLASSES, H / 2, W / 2)."""
        x = functional.relu(self._run("stem", x))
        skips = [x]
        for level in range(1, len(INK_WIDTHS)):
            x = self._separable(f"down{level}", x)
            for block in range(INK_BLOCKS[level]):
                x = self._separable(f"level{level}_{block}", x, adds=True)
            skips.append(x)
        x = skips.pop()
        for level in reversed(range(len(skips))):
            y = functional.interpolate(self._run(f"up{level}", x), scale_factor=2, mode="nearest")
            x = self._separable(f"merge{level}", functional.relu(skips.pop() + y), adds=True)
        logits: Tensor = self.parts["classes"](x)
        return logits

    def _add(self, name: str, convolution: nn.Conv2d) -> None:
        self.parts[name] = convolution
        self.parts[f"{name}_norm"] = nn.BatchNorm2d(convolution.out_channels, eps=EPSILON, momentum=0.01)

    def _add_separable(self, name: str, entry: int, filters: int, stride: int = 1) -> None:
        self._add(f"{name}_across", Same(entry, entry, 3, stride, groups=entry, bias=False))
        self._add(f"{name}_along", nn.Conv2d(entry, filters, 1, bias=False))

    def _run(self, name: str, x: Tensor) -> Tensor:
        y: Tensor = self.parts[f"{name}_norm"](self.parts[name](x))
        return y

    def _separable(self, name: str, x: Tensor, adds: bool = False) -> Tensor:
        y = self._run(f"{name}_along", self._run(f"{name}_across", x))
        return functional.relu(x + y if adds else y)


def to_input(gray: Tensor) -> Tensor:
    """(N, H, W), 0 to 255 -> (N, 1, H, W), the network's input."""
    return (gray * INK_SCALE)[:, None].contiguous(memory_format=torch.channels_last)


def to_keras(network: Ink, model: keras.Model) -> None:
    """Set the Keras network's weights from those of the same network in PyTorch."""
    for name, part in network.parts.items():
        if isinstance(part, nn.Conv2d):
            # Keras has (h, w, in, out), and (h, w, in, 1) of a depthwise convolution.
            order = (2, 3, 0, 1) if part.groups > 1 else (2, 3, 1, 0)
            weights = [_array(part.weight).transpose(order)]
            weights += [] if part.bias is None else [_array(part.bias)]
        else:
            weights = [_array(t) for t in (part.weight, part.bias, part.running_mean, part.running_var)]
        model.get_layer(name).set_weights(weights)


def from_keras(network: Ink, model: keras.Model) -> None:
    """Set the network's weights from those of the same Keras network."""
    for name, part in network.parts.items():
        weights = [torch.from_numpy(np.array(array)) for array in model.get_layer(name).get_weights()]
        if isinstance(part, nn.Conv2d):
            order = (2, 3, 0, 1) if part.groups > 1 else (3, 2, 0, 1)
            weights[0] = weights[0].permute(order)
            targets = [part.weight] if part.bias is None else [part.weight, part.bias]
        else:
            targets = [part.weight, part.bias, part.running_mean, part.running_var]
        with torch.no_grad():
            for target, array in zip(targets, weights, strict=True):
                if target.shape != array.shape:
                    raise ValueError(f"{name}: {tuple(array.shape)}, expected {tuple(target.shape)}")
                target.copy_(array)


def _array(tensor: Any) -> npt.NDArray[np.float32]:
    array: npt.NDArray[np.float32] = tensor.detach().float().cpu().numpy()
    return array
