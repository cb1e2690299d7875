"""Rewrites an int8 network so that XNNPACK runs all of it, and counts its multiply-accumulates.

For an operation that XNNPACK does not support, it falls back to TFLite's own kernels: in a small network that
costs as much as a layer.
"""

from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from tensorflow.lite.python import schema_py_generated as schema

from digitlens_train.warm_start import kind_of, unpacked

OPERATOR = schema.BuiltinOperator
MULTIPLYING = OPERATOR.CONV_2D, OPERATOR.DEPTHWISE_CONV_2D, OPERATOR.FULLY_CONNECTED
RESHAPING = (OPERATOR.SHAPE, OPERATOR.STRIDED_SLICE, OPERATOR.PACK, OPERATOR.RESHAPE)
"""The operations of Keras's Flatten with a dynamic batch."""


def in_one_piece(content: bytes) -> bytes:
    """The bytes of an int8 .tflite file -> the same network in operations that need no fallback.

    Average pooling becomes a depthwise convolution with equal weights, and the flattening before a dense
    layer is removed, since the layer flattens its input anyway. Under XNNPACK the outputs are identical;
    TFLite's own kernels round average pooling differently.
    """
    model = unpacked(content)
    graph = model.subgraphs[0]
    for operator in graph.operators:
        if kind_of(model, operator) == OPERATOR.AVERAGE_POOL_2D:
            _convolve(model, graph, operator)
    _unflatten(model, graph)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def multiply_accumulates(content: bytes) -> int:
    """Multiply-accumulates of a .tflite file's convolutions and dense layers, for a batch of one."""
    model = unpacked(content)
    graph = model.subgraphs[0]
    total = 0
    for operator in graph.operators:
        if kind_of(model, operator) in MULTIPLYING:
            weights, output = (
                graph.tensors[index].shape for index in (operator.inputs[1], operator.outputs[0])
            )
            # A weight of one output channel is used once for each of the channel's places.
            total += int(np.prod(weights)) * int(np.prod(output[1:-1]))
    return total


def _convolve(model: Any, graph: Any, pool: Any) -> None:
    """Average pooling as a depthwise convolution: all weights 1, their scale 1 / (height * width)."""
    before, options = graph.tensors[pool.inputs[0]], pool.builtinOptions
    if options.padding != schema.Padding.VALID or options.fusedActivationFunction:
        return  # at the border, padded pooling averages fewer places
    channels, count = int(before.shape[3]), options.filterHeight * options.filterWidth
    weights = np.ones((1, options.filterHeight, options.filterWidth, channels), np.int8)
    scale = float(before.quantization.scale[0]) / count
    entries = [
        _tensor(model, graph, "mean/weights", weights, schema.TensorType.INT8, 1 / count),
        _tensor(model, graph, "mean/bias", np.zeros(channels, np.int32), schema.TensorType.INT32, scale),
    ]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = OPERATOR.DEPTHWISE_CONV_2D
    code.version = 3  # int8
    model.operatorCodes.append(code)
    convolution = schema.DepthwiseConv2DOptionsT()
    convolution.padding, convolution.depthMultiplier = options.padding, 1
    convolution.strideH, convolution.strideW = options.strideH, options.strideW
    convolution.dilationHFactor = convolution.dilationWFactor = 1
    pool.opcodeIndex = len(model.operatorCodes) - 1
    pool.builtinOptionsType = schema.BuiltinOptions.DepthwiseConv2DOptions
    pool.builtinOptions = convolution
    pool.inputs = [pool.inputs[0], *entries]


def _unflatten(model: Any, graph: Any) -> None:
    """Bypass the flattening before dense layers, and remove it where nothing else uses it."""
    made = {index: operator for operator in graph.operators for index in operator.outputs}
    for dense in graph.operators:
        if kind_of(model, dense) != OPERATOR.FULLY_CONNECTED:
            continue
        flatten = made.get(dense.inputs[0])
        if flatten is None or kind_of(model, flatten) != OPERATOR.RESHAPE:
            continue
        dense.inputs[0] = flatten.inputs[0]
    while idle := [operator for operator in graph.operators if _is_idle(model, graph, operator)]:
        graph.operators = [operator for operator in graph.operators if operator not in idle]


def _is_idle(model: Any, graph: Any, operator: Any) -> bool:
    """Whether it is of RESHAPING and its outputs are unused."""
    used = {index for other in graph.operators for index in other.inputs} | set(graph.outputs)
    return kind_of(model, operator) in RESHAPING and not used.intersection(operator.outputs)


def _tensor(model: Any, graph: Any, name: str, values: npt.NDArray[Any], kind: int, scale: float) -> int:
    """Add a constant tensor with a single scale; returns its index."""
    buffer, tensor, steps = schema.BufferT(), schema.TensorT(), schema.QuantizationParametersT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    model.buffers.append(buffer)
    steps.scale, steps.zeroPoint = np.array([scale], np.float32), np.array([0], np.int64)
    tensor.name, tensor.shape, tensor.type, tensor.hasRank = name.encode(), list(values.shape), kind, True
    tensor.buffer, tensor.quantization = len(model.buffers) - 1, steps
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1
