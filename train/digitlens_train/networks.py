"""The Keras networks, each a function that builds an uncompiled model, and their input."""

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from digitlens.rows.recognizer import NETWORK_CLASSES
from digitlens_train.data import Images

INPUT_SCALE = 1 / 78.57
"""Network input per gray level: MNIST's standard deviation becomes 1, black paper stays 0.

Inputs of unit variance learn faster than 0..1 (LeCun, Bottou, Orr and Mueller 1998). The mean is not
subtracted, because the convolutions pad with 0, which must mean paper.
"""
ROW_OUTPUTS = 2 * NETWORK_CLASSES
"""Logits of an output position of `numbers`, which is two columns."""
ROW_SCALE = 1 / 64
"""Network input per gray level of a row, for `numbers`."""


def to_input(images: Images) -> npt.NDArray[np.float32]:
    """(N, 28, 28) uint8 -> (N, 28, 28, 1) float32, the Keras networks' input."""
    return images[..., np.newaxis].astype(np.float32) * np.float32(INPUT_SCALE)


def seed() -> keras.Model:
    """The original notebook's network, unchanged.

    Input (N, 28, 28, 1) float32, output (N, 10) probabilities; 46 million
    multiply-accumulates a digit.
    """
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(128, 7, padding="same", activation="relu"),  # (28, 28, 128)
            layers.MaxPooling2D(),  # (14, 14, 128)
            layers.Conv2D(64, 5, padding="same", activation="relu"),  # (14, 14, 64)
            layers.MaxPooling2D(),  # (7, 7, 64)
            layers.Conv2D(32, 3, padding="same", activation="relu"),  # (7, 7, 32)
            layers.Flatten(),  # (1568,)
            layers.Dense(256, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ],
        name="seed",
    )


def digits() -> keras.Model:
    """The shipped network, for crops of paper: ten digits and *not a digit*.

    Input (N, 28, 28, 1) float32, output (N, 11) logits; 83,000 weights, 5.9 million
    multiply-accumulates a digit. Only convolutions, average pooling and a small dense layer, all of which
    have int8 kernels. Pooling leaves 3 x 3 places instead of one: where a stroke is distinguishes a digit
    from another character of the same strokes.
    """
    picture = keras.Input((28, 28, 1))
    x = _convolution(picture, 16)  # (28, 28, 16)
    x = _convolution(x, 32, stride=2)  # (14, 14, 32)
    x = _convolution(x, 32)
    x = _convolution(x, 48, stride=2)  # (7, 7, 48)
    x = _convolution(x, 48)
    x = _convolution(x, 64)  # (7, 7, 64); the receptive field is wider than the picture
    x = layers.AveragePooling2D(3, 2)(x)  # (3, 3, 64)
    return keras.Model(picture, layers.Dense(11)(layers.Flatten()(x)), name="digits")


def numbers() -> keras.Model:
    """Reads a row without segmentation: (N, 32, W, 1) float32, W a multiple of 4 -> (N, 1, W / 4, 42) logits.

    Each output position is two columns of 2 pixels, with 21 classes each: ten digits, ten kinds of signs,
    blank; a reshape makes W / 2 columns of it. 714,000 weights, 44 million multiply-accumulates for W = 128.
    Convolutions reduce the height to 1; then residual layers along the row widen a column's receptive field
    to some 180 pixels. Layers that keep the shape have skip connections (He et al. 2016).
    """
    row = keras.Input((32, None, 1))
    x = _convolution(row, 16, stride=2, side=5)  # (16, W / 2, 16)
    x = _convolution(x, 16)
    x = _convolution(x, 32, stride=2)  # (8, W / 4, 32)
    x = _convolution(x, 32, adds=True)
    x = _convolution(x, 64, stride=(2, 1))  # (4, W / 4, 64)
    for _ in range(4):
        x = _convolution(x, 64, adds=True)
    x = _convolution(x, 128, side=(4, 1), padding="valid")  # (1, W / 4, 128)
    for _ in range(6):
        x = _convolution(x, 128, side=(1, 5), adds=True)
    return keras.Model(row, layers.Conv2D(ROW_OUTPUTS, 1)(x), name="numbers")


def _convolution(
    x: keras.KerasTensor,
    filters: int,
    stride: int | tuple[int, int] = 1,
    side: int | tuple[int, int] = 3,
    padding: str = "same",
    adds: bool = False,
) -> keras.KerasTensor:
    y = layers.BatchNormalization()(
        layers.Conv2D(filters, side, strides=stride, padding=padding, use_bias=False)(x)
    )
    return layers.ReLU()(layers.Add()([x, y]) if adds else y)


INK_SCALE = 1 / 64
"""Network input per gray level of a picture, for `ink`."""
INK_CLASSES = 5
"""Paper, ink of handwritten digits, other writing, print, lines."""
INK_WIDTHS = (8, 16, 32, 56, 64)
"""Filters of `ink` at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's size."""
INK_BLOCKS = (0, 1, 1, 3, 5)
"""Blocks that keep the size, at each of these levels, on the way down."""


@keras.saving.register_keras_serializable("digitlens")
class DepthToSpace(layers.Layer):  # type: ignore[misc]
    """(N, H, W, 4 C) -> (N, 2 H, 2 W, C): four channels become four pixels.

    Enlarging by interpolation needs the size of the result, which TFLite fixes when it converts; this works
    for a picture of any size.
    """

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """(N, H, W, 4 C) -> (N, 2 H, 2 W, C)."""
        if keras.backend.backend() == "tensorflow":
            import tensorflow

            return tensorflow.nn.depth_to_space(x, 2)
        count, height, width, depth = keras.ops.shape(x)
        parts = keras.ops.reshape(x, (count, height, width, 2, 2, depth // 4))
        parts = keras.ops.transpose(parts, (0, 1, 3, 2, 4, 5))
        return keras.ops.reshape(parts, (count, 2 * height, 2 * width, depth // 4))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape that `call` gives."""
        count, height, width, depth = shape
        return count, height and 2 * height, width and 2 * width, (depth or 0) // 4


def ink() -> keras.Model:
    """Classifies a picture's pixels: (N, H, W, 1) float32 -> logits (N, H / 2, W / 2, 5).

    H and W are multiples of 32; 61,421 weights, 294 multiply-accumulates a pixel.

    A U-Net (Ronneberger, Fischer and Brox 2015) of depthwise separable convolutions with skip connections
    (Howard et al. 2017, Sandler et al. 2018). Most layers are at the coarse levels, where context is cheap:
    whether ink is a digit's, a letter's or a cell's border depends on what stands around it.
    """
    picture = keras.Input((None, None, 1))
    x = layers.Conv2D(INK_WIDTHS[0], 3, strides=2, padding="same", use_bias=False, name="stem")(picture)
    x = layers.ReLU()(layers.BatchNormalization(name="stem_norm")(x))  # (H / 2, W / 2, 8)
    skips = [x]
    for level in range(1, len(INK_WIDTHS)):
        x = _separable(x, INK_WIDTHS[level], f"down{level}", stride=2)
        for block in range(INK_BLOCKS[level]):
            x = _separable(x, INK_WIDTHS[level], f"level{level}_{block}")
        skips.append(x)
    x = skips.pop()  # (H / 32, W / 32, 64)
    for level in reversed(range(len(skips))):
        y = layers.Conv2D(INK_WIDTHS[level], 1, use_bias=False, name=f"up{level}")(x)
        y = layers.BatchNormalization(name=f"up{level}_norm")(y)
        # Each pixel four times: enlarging by interpolation would fix the picture's size at conversion.
        y = DepthToSpace(name=f"wide{level}")(layers.Concatenate()([y, y, y, y]))
        x = layers.ReLU()(layers.Add()([skips.pop(), y]))
        x = _separable(x, INK_WIDTHS[level], f"merge{level}")
    return keras.Model(picture, layers.Conv2D(INK_CLASSES, 1, name="classes")(x), name="ink")


def _separable(x: keras.KerasTensor, filters: int, name: str, stride: int = 1) -> keras.KerasTensor:
    """A depthwise 3 x 3 convolution, then a pointwise one; with a skip connection where the shape stays."""
    y = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False, name=f"{name}_across")(x)
    y = layers.BatchNormalization(name=f"{name}_across_norm")(y)
    y = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_along")(y)
    y = layers.BatchNormalization(name=f"{name}_along_norm")(y)
    return layers.ReLU()(layers.Add()([x, y]) if x.shape[-1] == filters and stride == 1 else y)
