"""The Keras networks, each a function that builds an uncompiled model."""

import keras
from keras import layers


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
