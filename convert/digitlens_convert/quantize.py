"""Keras -> TFLite: float32, float16, dynamic-range and full-integer int8 quantization with uint8 input."""

import contextlib
import io
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from digitlens.models.cards import Quantization, TensorSpec
from digitlens.models.interpreter import Network, Tensor
from digitlens_convert.config import SearchConfig
from digitlens_convert.graph import in_one_piece

REPRESENTATIVE = 1000
"""Pictures of a representative data set, which calibrates the layers' ranges."""


def convert(
    model: Any, kind: Quantization, inputs: npt.NDArray[np.float32], seed: int = 0, size: int = REPRESENTATIVE
) -> bytes:
    """A Keras model -> the bytes of a .tflite file; int8 ones run under XNNPACK without a fallback.

    Args:
        model: takes (N, height, width, 1) float32, 0 on paper.
        kind: float16 and dynamic store weights in 16 and 8 bits and compute in float32; int8 quantizes
            weights, activations, input and output.
        inputs: training pictures in the model's input format; the representative data set is drawn from
            them.
        seed: draws the representative data set.
        size: pictures of that set.
    """
    content = to_tflite(model, kind, inputs, seed, size)
    return in_one_piece(content) if kind == "int8" else content


def to_tflite(
    model: Any, kind: Quantization, inputs: npt.NDArray[np.float32], seed: int = 0, size: int = REPRESENTATIVE
) -> bytes:
    """The file as TensorFlow's converter writes it; see convert."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if kind == "float16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    elif kind == "dynamic":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    elif kind == "int8":
        chosen = np.random.default_rng(seed).choice(len(inputs), min(size, len(inputs)), replace=False)
        # The range's both ends are in the set, so that a gray level is one step of the input's quantization.
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
        # Keras prints every variable that it exports; the converter warns about statistics that only
        # quantization-aware training provides.
        warnings.filterwarnings("ignore", "Statistics for quantized inputs")
        content: bytes = converter.convert()
    return content


def nearest(
    model: Any,
    inputs: npt.NDArray[np.float32],
    search: SearchConfig | None = None,
    classes: int | None = None,
) -> bytes:
    """The int8 file, of those of several representative data sets, that is nearest to the float model.

    Each layer's scale and zero point depend on the few largest values in the set: the mean Kullback-Leibler
    divergence from the float network differed by a factor of ten between sets. It is measured on training
    pictures, so that neither a validation set nor a test set chooses.

    Args:
        model: as for convert; its outputs are logits.
        inputs: as for convert.
        search: which sets to try; None takes the defaults.
        classes: logits of a prediction, of which an output may hold several; None takes the last axis.
    """
    search = search or SearchConfig()
    random = np.random.default_rng(search.seed)
    compared = inputs[random.choice(len(inputs), min(search.compared, len(inputs)), replace=False)]
    wanted = np.asarray(model.predict(compared, batch_size=500, verbose=0))
    wanted = wanted.reshape(-1, classes or wanted.shape[-1])
    files = [
        convert(model, "int8", inputs, seed, search.sizes[seed % len(search.sizes)])
        for seed in range(search.sets)
    ]
    return min(files, key=lambda content: divergence(content, compared, wanted))


def divergence(content: bytes, inputs: npt.NDArray[np.float32], logits: npt.NDArray[np.float32]) -> float:
    """Mean Kullback-Leibler divergence of an int8 file's probabilities from those of `logits`, in nats.

    `logits` are (M, classes), M a multiple of the N inputs.
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

    `gray_level` is the input per gray level of a float network, whose input is not quantized.
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
