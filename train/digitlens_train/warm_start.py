"""Warm start from a shipped int8 network: its weights, put back into the Keras network it came from."""

from pathlib import Path
from typing import Any

import keras
import numpy as np

from digitlens.core.arrays import Floats
from digitlens.models import cards
from digitlens_train.data import DataError

Layer = tuple[Floats, Floats]


def shipped(source: str | Path) -> cards.Card:
    """The card of the network that a run starts from.

    Raises:
        ModelError: the model is missing, or does not match its card.
    """
    card, _ = cards.load(cards.find(source))
    return card


def take_over(model: keras.Model, source: str | Path, pictures: Floats) -> None:
    """Set the weights of `model` from a shipped network of the same layers, by name or path.

    The int8 file has batch normalization folded into the convolutions. It is unfolded with the means and
    variances of each layer over `pictures`, (N, 28, 28, 1) float32: the network answers as the file does,
    and trains as if it had never been folded.

    Raises:
        DataError: the file has other layers.
        ModelError: the model is missing, or does not match its card.
    """
    path = cards.find(source)
    _, content = cards.load(path)
    found = _layers(content)
    wanted = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense)]
    shapes = [tuple(layer.kernel.shape) for layer in wanted]
    if shapes != [kernel.shape for kernel, _ in found]:
        raise DataError(f"{path}: a network of other layers; --warm-start takes one of `digits`")
    x = pictures
    filled = iter(found)
    for layer in model.layers[1:]:  # the first is the input
        if isinstance(layer, keras.layers.Conv2D):
            kernel, bias = next(filled)
            layer.set_weights([kernel])
        elif isinstance(layer, keras.layers.Dense):
            layer.set_weights(list(next(filled)))
        elif isinstance(layer, keras.layers.BatchNormalization):
            mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
            spread = np.sqrt(variance + layer.epsilon)
            layer.set_weights([spread, mean + bias, mean, variance])
        x = np.asarray(layer(x, training=False))


def unpacked(content: bytes) -> Any:
    """The bytes of a .tflite file as objects of TensorFlow's schema."""
    from tensorflow.lite.python import schema_py_generated as schema

    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(bytearray(content)))


def kind_of(model: Any, operator: Any) -> int:
    """The operator's BuiltinOperator in the schema; old files store it in another field."""
    code = model.operatorCodes[operator.opcodeIndex]
    return int(max(code.builtinCode, code.deprecatedBuiltinCode))


def _layers(content: bytes) -> list[Layer]:
    """The kernels, in Keras's layout, and biases of a TFLite file's layers, in execution order."""
    from tensorflow.lite.python import schema_py_generated as schema

    model = unpacked(content)
    graph = model.subgraphs[0]
    convolution, dense = schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.FULLY_CONNECTED
    layers = []
    for operator in graph.operators:
        if (kind := kind_of(model, operator)) not in (convolution, dense):
            continue
        kernel, bias = (_dequantized(model, graph.tensors[index]) for index in operator.inputs[1:3])
        layers.append((kernel.transpose(1, 2, 3, 0) if kind == convolution else kernel.T, bias))
    return layers


def _dequantized(model: Any, tensor: Any) -> Floats:
    """A tensor's values: weights are int8, quantized per output channel; biases int32."""
    raw = np.asarray(model.buffers[tensor.buffer].data, np.uint8).tobytes()
    values = np.frombuffer(raw, np.int8 if len(raw) == np.prod(tensor.shape) else np.int32)
    scale = np.asarray(tensor.quantization.scale, np.float32)
    shaped: Floats = values.reshape(tensor.shape).astype(np.float32)
    return shaped * (scale.reshape(-1, *[1] * (shaped.ndim - 1)) if len(scale) > 1 else scale)
