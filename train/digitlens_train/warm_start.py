"""Begin with what a shipped int8 network knows: its weights back in the Keras network it was made of."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from digitlens.models import cards
from digitlens_train.data import DataError

Floats = npt.NDArray[np.float32]
Layer = tuple[Floats, Floats]


def shipped(source: str | Path) -> cards.Card:
    """The card of the network that a run began with.

    Raises:
        ModelError: there is no such model, or it does not fit its card.
    """
    card, _ = cards.load(cards.find(source))
    return card


def take_over(model: keras.Model, source: str | Path, pictures: Floats) -> None:
    """Give `model` the weights of a shipped network, by name or path, of the same layers.

    The int8 file has batch normalization folded into the convolutions. It is unfolded with the means and
    variances that `pictures`, (N, 28, 28, 1) float32 as the network takes them, have in each layer: the
    network answers as the file does, and learns on as one that was never folded.

    Raises:
        DataError: the file is of another network.
        ModelError: there is no such model, or it does not fit its card.
    """
    path = cards.find(source)
    _, content = cards.load(path)
    found = _layers(content)
    wanted = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense)]
    shapes = [tuple(layer.kernel.shape) for layer in wanted]
    if shapes != [kernel.shape for kernel, _ in found]:
        raise DataError(f"{path}: a network of other layers; --start takes one that was trained here")
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
    """Which of the schema's BuiltinOperator an operator is; old files keep it in another field."""
    code = model.operatorCodes[operator.opcodeIndex]
    return int(max(code.builtinCode, code.deprecatedBuiltinCode))


def _layers(content: bytes) -> list[Layer]:
    """The kernels, as Keras has them, and biases of a TFLite file's layers, in the order that they run in."""
    from tensorflow.lite.python import schema_py_generated as schema

    model = unpacked(content)
    graph = model.subgraphs[0]
    convolution, dense = schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.FULLY_CONNECTED
    layers = []
    for operator in graph.operators:
        if (kind := kind_of(model, operator)) not in (convolution, dense):
            continue
        kernel, bias = (_real(model, graph.tensors[index]) for index in operator.inputs[1:3])
        layers.append((kernel.transpose(1, 2, 3, 0) if kind == convolution else kernel.T, bias))
    return layers


def _real(model: Any, tensor: Any) -> Floats:
    """A quantized tensor's values: weights are int8, each output channel with a scale of its own."""
    raw = np.asarray(model.buffers[tensor.buffer].data, np.uint8).tobytes()
    values = np.frombuffer(raw, np.int8 if len(raw) == np.prod(tensor.shape) else np.int32)
    scale = np.asarray(tensor.quantization.scale, np.float32)
    shaped: Floats = values.reshape(tensor.shape).astype(np.float32)
    return shaped * (scale.reshape(-1, *[1] * (shaped.ndim - 1)) if len(scale) > 1 else scale)
