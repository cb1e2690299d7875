"""Alternatives for running the same weights: Keras itself, ONNX Runtime, OpenCV's dnn."""

from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import numpy.typing as npt
from keras import layers

from digitlens.core.arrays import Floats
from digitlens.core.errors import DependencyError, DigitLensError
from digitlens_convert.speed import Run
from digitlens_train.networks import to_input


def runners(model_file: Path) -> dict[str, Run]:
    """Functions of (N, 28, 28) uint8 by the peers' names; one thread each, except Keras.

    Raises:
        DigitLensError: the Keras model is missing.
        DependencyError: onnx or onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise DependencyError(
            "the peers need onnx and onnxruntime: pip install 'digitlens[peers]'"
        ) from error
    if not model_file.exists():
        raise DigitLensError(f"{model_file}: no such file; a training run writes it into its folder")
    model = keras.models.load_model(model_file, compile=False)
    content = to_onnx(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    net = cv2.dnn.readNetFromONNX(np.frombuffer(content, np.uint8))

    def opencv(pictures: npt.NDArray[np.uint8]) -> object:
        net.setInput(_channels_first(pictures))
        return net.forward()

    return {
        "ONNX Runtime float32": lambda pictures: session.run(None, {"digit": _channels_first(pictures)}),
        "OpenCV dnn float32": opencv,
        "Keras predict": lambda pictures: model.predict(to_input(pictures), verbose=0),
    }


def _channels_first(pictures: npt.NDArray[np.uint8]) -> Floats:
    return to_input(pictures)[..., 0][:, np.newaxis]


def to_onnx(model: keras.Model) -> bytes:
    """The network of networks.digits() as ONNX, batch normalization folded into the convolutions.

    Raises:
        DigitLensError: the model has a layer of another type.
    """
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[Any] = []
    weights: list[Any] = []
    name = "digit"

    def add(kind: str, inputs: list[str], **attributes: Any) -> str:
        output = f"{kind.lower()}{len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def keep(values: Floats, label: str) -> str:
        weights.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), label))
        return label

    pending: layers.Conv2D | None = None
    places: tuple[int, ...] = ()
    for index, layer in enumerate(model.layers):
        if isinstance(layer, layers.Conv2D):
            pending = layer
        elif isinstance(layer, layers.BatchNormalization) and pending is not None:
            gamma, beta, mean, variance = layer.get_weights()
            factor = gamma / np.sqrt(variance + layer.epsilon)
            kernel = np.transpose(pending.get_weights()[0] * factor, (3, 2, 0, 1))
            stride = pending.strides[0]
            inputs = [name, keep(kernel, f"kernel{index}"), keep(beta - mean * factor, f"bias{index}")]
            # TensorFlow's "same" pads an even side at stride 2 on the right and below only.
            pads = [1, 1, 1, 1] if stride == 1 else [0, 0, 1, 1]
            name = add("Conv", inputs, kernel_shape=[3, 3], strides=[stride, stride], pads=pads)
        elif isinstance(layer, layers.ReLU):
            name = add("Relu", [name])
        elif isinstance(layer, layers.AveragePooling2D):
            size, strides = list(layer.pool_size), list(layer.strides)
            name = add("AveragePool", [name], kernel_shape=size, strides=strides)
        elif isinstance(layer, layers.Flatten):
            places = layer.input.shape[1:]  # height, width, channels: ONNX has the channels first
            name = add("Flatten", [name])
        elif isinstance(layer, layers.Dense):
            kernel, bias = layer.get_weights()
            kernel = kernel.reshape(*places, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
            name = add("Gemm", [name, keep(kernel, "dense"), keep(bias, "logits")])
        elif not isinstance(layer, layers.InputLayer):
            raise DigitLensError(
                f"{layer.name}: a {type(layer).__name__} is not one of this network's layers"
            )
    entry = helper.make_tensor_value_info("digit", TensorProto.FLOAT, ["N", 1, 28, 28])
    end = helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 11])
    graph = helper.make_graph(nodes, "digits", [entry], [end], weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = made.SerializeToString()
    return content
