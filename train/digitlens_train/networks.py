"""The Keras networks, each a function that builds an uncompiled model, and their input."""

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from digitlens_train.data import Images

INPUT_SCALE = 1 / 78.57
"""Network input per gray level: MNIST's standard deviation becomes 1, black paper stays 0.

Inputs of unit variance learn faster than 0..1 (LeCun, Bottou, Orr and Mueller 1998). The mean is not
subtracted, because the convolutions pad with 0, which must mean paper.
"""
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
    """Reads a row without segmentation: (N, 32, W, 1) float32, W a multiple of 4 -> (N, 1, W / 4, 26) logits.

    Each output position is two columns of 2 pixels, with 13 classes each: ten digits, separator, *not a
    digit*, blank; a reshape makes W / 2 columns of it. 310,000 weights, 25 million multiply-accumulates
    for W = 128. Convolutions reduce the height to 1; a column's receptive field is some 80 pixels wide.
    Layers that keep the shape have skip connections (He et al. 2016).
    """
    row = keras.Input((32, None, 1))
    x = _convolution(row, 16, stride=2, side=5)  # (16, W / 2, 16)
    x = _convolution(x, 16)
    x = _convolution(x, 32, stride=2)  # (8, W / 4, 32)
    x = _convolution(x, 32, adds=True)
    x = _convolution(x, 64, stride=(2, 1))  # (4, W / 4, 64)
    x = _convolution(x, 64, adds=True)
    x = _convolution(x, 64, adds=True)
    x = _convolution(x, 128, side=(4, 1), padding="valid")  # (1, W / 4, 128)
    x = _convolution(x, 128, side=(1, 5), adds=True)
    x = _convolution(x, 128, side=(1, 5), adds=True)
    return keras.Model(row, layers.Conv2D(26, 1)(x), name="numbers")


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
