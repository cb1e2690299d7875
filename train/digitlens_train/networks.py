"""The Keras networks, each a function that builds an uncompiled model, and their input."""

import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from digitlens_train.data import Images

INPUT_SCALE = 1 / 78.57
"""A gray level as the network sees it: MNIST's standard deviation becomes 1, black paper stays 0.

Inputs of unit variance learn faster than 0..1 (LeCun, Bottou, Orr and Mueller 1998); the mean is left
in, because the convolutions' own padding is 0 and must mean paper.
"""
STRIP_SCALE = 1 / 64
"""A strip's gray level as the network `numbers` sees it."""


def to_input(images: Images) -> npt.NDArray[np.float32]:
    """(N, 28, 28) uint8 -> (N, 28, 28, 1) float32, what the Keras network takes."""
    return images[..., np.newaxis].astype(np.float32) * np.float32(INPUT_SCALE)


def seed() -> keras.Model:
    """The original notebook's network, to the letter.

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
    multiply-accumulates a digit. Only convolutions, means and a small dense layer, all of which have
    int8 kernels. The means are of nine places, not of the whole: where a stroke is tells a digit from
    a sign of the same strokes.
    """
    picture = keras.Input((28, 28, 1))
    x = _convolution(picture, 16)  # (28, 28, 16)
    x = _convolution(x, 32, stride=2)  # (14, 14, 32)
    x = _convolution(x, 32)
    x = _convolution(x, 48, stride=2)  # (7, 7, 48)
    x = _convolution(x, 48)
    x = _convolution(x, 64)  # (7, 7, 64); what each place has seen is wider than the picture
    x = layers.AveragePooling2D(3, 2)(x)  # (3, 3, 64)
    return keras.Model(picture, layers.Dense(11)(layers.Flatten()(x)), name="digits")


def numbers() -> keras.Model:
    """Reads a row whole: strips (N, 32, W, 1) float32, W a multiple of 4 -> (N, 1, W / 4, 26) logits.

    Each place of the output is two columns of a strip, 2 pixels each, of 13 classes: ten digits,
    separator, *not a digit*, blank; it is W / 2 columns after a reshape. 310,000 weights, 25 million
    multiply-accumulates for W = 128. The height is folded by convolutions; what a column has seen is
    some 80 pixels wide. Where a layer's shape is that of the one before, it adds to it (He et al. 2016).
    """
    strip = keras.Input((32, None, 1))
    x = _convolution(strip, 16, stride=2, side=5)  # (16, W / 2, 16)
    x = _convolution(x, 16)
    x = _convolution(x, 32, stride=2)  # (8, W / 4, 32)
    x = _convolution(x, 32, adds=True)
    x = _convolution(x, 64, stride=(2, 1))  # (4, W / 4, 64)
    x = _convolution(x, 64, adds=True)
    x = _convolution(x, 64, adds=True)
    x = _convolution(x, 128, side=(4, 1), padding="valid")  # (1, W / 4, 128)
    x = _convolution(x, 128, side=(1, 5), adds=True)
    x = _convolution(x, 128, side=(1, 5), adds=True)
    return keras.Model(strip, layers.Conv2D(26, 1)(x), name="numbers")


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
