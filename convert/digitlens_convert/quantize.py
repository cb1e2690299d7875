"""Keras -> TFLite: float32, float16 and 8-bit weights, and full-integer int8 with uint8 pictures in."""

import contextlib
import io
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from digitlens.models.cards import Quantization, TensorSpec
from digitlens.models.interpreter import Network, Tensor
from digitlens_convert.graph import in_one_piece

REPRESENTATIVE = 1000
"""So many training pictures show the quantizer each layer's range."""
SIZES = (200, 500, 1000, 2000)
"""The same, where several sets are tried."""
SETS = 24
CROPS = 40_000
"""Pictures that those sets are drawn from."""
JUDGED = 8000
"""Training pictures that the sets are compared on."""


def convert(
    model: Any, kind: Quantization, inputs: npt.NDArray[np.float32], seed: int = 0, size: int = REPRESENTATIVE
) -> bytes:
    """A Keras model -> the bytes of a .tflite file.

    Args:
        model: takes (N, height, width, 1) float32, 0 where no ink is.
        kind: float16 keeps the weights in 16 bits, dynamic in 8, and both calculate with floats; int8
            makes weights and activations 8 bits wide and takes and gives uint8.
        inputs: training pictures as the model takes them, to draw the representative set from.
        seed: of that drawing.
        size: of that set.
    """
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if kind == "float16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    elif kind == "dynamic":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    elif kind == "int8":
        chosen = np.random.default_rng(seed).choice(len(inputs), min(size, len(inputs)), replace=False)
        # Both ends of the range, so that a gray level is one step of the input's quantization.
        top = np.full((1, *inputs.shape[1:]), np.max(inputs), np.float32)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: (
            [picture] for picture in (top, *(inputs[index : index + 1] for index in chosen))
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
        # Per-channel dense layers need FULLY_CONNECTED version 12, which tflite-runtime 2.14 lacks.
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        # Keras tells of every variable that it exports; the converter misses statistics that only
        # networks trained with quantization have.
        warnings.filterwarnings("ignore", "Statistics for quantized inputs")
        content: bytes = converter.convert()
    return in_one_piece(content) if kind == "int8" else content


def nearest(
    model: Any, inputs: npt.NDArray[np.float32], sets: int = SETS, classes: int | None = None
) -> bytes:
    """The int8 file whose probabilities are nearest to the model's own, of `sets` representative sets.

    `model` and `inputs` are as for convert; the model gives logits, of so many `classes`, one time or more;
    None takes those of the output's last axis.

    Each layer's zero point and step hang on the few largest values of the set: from one to the next the
    mean Kullback-Leibler divergence from the float network was seen to differ by a factor of ten. It is taken
    over training pictures, so that neither a validation set nor a test set chooses.
    """
    chosen = np.random.default_rng(SETS).choice(len(inputs), min(JUDGED, len(inputs)), replace=False)
    judged = inputs[chosen]
    wanted = np.asarray(model.predict(judged, batch_size=500, verbose=0))
    wanted = wanted.reshape(-1, classes or wanted.shape[-1])
    files = [convert(model, "int8", inputs, seed, SIZES[seed % len(SIZES)]) for seed in range(sets)]
    return min(files, key=lambda content: divergence(content, judged, wanted))


def divergence(content: bytes, inputs: npt.NDArray[np.float32], logits: npt.NDArray[np.float32]) -> float:
    """Mean Kullback-Leibler divergence of an int8 file's probabilities from `logits` (M, classes).

    There may be several for each of the (N, ...) inputs.
    """
    network = Network(content)
    pictures = np.rint(inputs / network.input.scale + network.input.zero_point).astype(np.uint8)
    steps = network.run(pictures).astype(np.float32) - network.output.zero_point
    given = _probabilities((steps * network.output.scale).reshape(logits.shape))
    wanted = _probabilities(logits)
    return float(np.sum(wanted * np.log((wanted + 1e-6) / (given + 1e-6)), axis=1).mean())


def _probabilities(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Softmax over the last axis of (N, classes)."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: npt.NDArray[np.float32] = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def ports(content: bytes, gray_level: float) -> tuple[TensorSpec, TensorSpec]:
    """Input and output of a .tflite file as its card describes them.

    A float network's input has no quantization of its own; `gray_level` is what one gray level is to it.
    """
    network = Network(content)
    entry = _port(network.input)
    if entry.dtype == "float32":
        entry = TensorSpec(entry.shape, entry.dtype, gray_level, 0)
    return entry, _port(network.output)


def _port(tensor: Tensor) -> TensorSpec:
    quantized = tensor.scale > 0
    return TensorSpec(
        (-1, *tensor.shape[1:]),
        tensor.dtype.name,
        tensor.scale if quantized else None,
        tensor.zero_point if quantized else None,
    )
