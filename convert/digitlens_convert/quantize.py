"""Keras -> TFLite: float32, float16 and 8-bit weights, and full-integer int8 with uint8 pictures in."""

import contextlib
import io
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from digitlens.cards import Port, Quantization
from digitlens.interpreter import Network, Tensor

REPRESENTATIVE = 1000
"""So many training pictures show the quantizer each layer's range."""


def convert(model: Any, kind: Quantization, inputs: npt.NDArray[np.float32]) -> bytes:
    """A Keras model -> the bytes of a .tflite file.

    Args:
        model: takes (N, height, width, 1) float32, 0 where no ink is.
        kind: float16 keeps the weights in 16 bits, dynamic in 8, and both calculate with floats; int8
            makes weights and activations 8 bits wide and takes and gives uint8.
        inputs: the training half's pictures as the model takes them, to draw the representative set from.
    """
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if kind == "float16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    elif kind == "dynamic":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    elif kind == "int8":
        chosen = np.random.default_rng(0).choice(len(inputs), min(REPRESENTATIVE, len(inputs)), replace=False)
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
    return content


def ports(content: bytes, gray_level: float) -> tuple[Port, Port]:
    """Input and output of a .tflite file as its card describes them.

    A float network's input has no quantization of its own; `gray_level` is what one gray level is to it.
    """
    network = Network(content)
    entry = _port(network.input)
    if entry.dtype == "float32":
        entry = Port(entry.shape, entry.dtype, gray_level, 0)
    return entry, _port(network.output)


def _port(tensor: Tensor) -> Port:
    quantized = tensor.scale > 0
    return Port(
        (-1, *tensor.shape[1:]),
        tensor.dtype.name,
        tensor.scale if quantized else None,
        tensor.zero_point if quantized else None,
    )
