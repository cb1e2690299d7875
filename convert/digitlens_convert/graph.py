"""An int8 network's operations as ones that XNNPACK runs in one go, from the first to the last.

Where it meets an operation that it does not know, it hands the numbers back to TFLite's own kernels and takes
them up again behind it: for a small network that costs as much as a layer.
"""

from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from tensorflow.lite.python import schema_py_generated as schema

from digitlens_train.warm_start import kind_of, unpacked

OPERATOR = schema.BuiltinOperator
RESHAPING = (OPERATOR.SHAPE, OPERATOR.STRIDED_SLICE, OPERATOR.PACK, OPERATOR.RESHAPE)
"""What Keras' Flatten becomes where the batch is of any size."""


def in_one_piece(content: bytes) -> bytes:
    """The bytes of an int8 .tflite file -> the same network in operations that need no fallback.

    A mean over places becomes a depthwise convolution whose weights are all alike, and what flattens the
    entry of a dense layer is left out: the layer takes it as it is. Under XNNPACK the answers are the same
    to the bit; TFLite's own kernels round a mean a little otherwise.
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


def _convolve(model: Any, graph: Any, pool: Any) -> None:
    """The mean as a depthwise convolution: every weight is one step of a scale of 1 over their number."""
    before, options = graph.tensors[pool.inputs[0]], pool.builtinOptions
    if options.padding != schema.Padding.VALID or options.fusedActivationFunction:
        return  # a padded mean is of fewer places at the border
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
    """Leave out what flattens the entries of dense layers, where it does nothing else."""
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
    """Whether it only shapes what nobody asks for."""
    asked = {index for other in graph.operators for index in other.inputs} | set(graph.outputs)
    return kind_of(model, operator) in RESHAPING and not asked.intersection(operator.outputs)


def _tensor(model: Any, graph: Any, name: str, values: npt.NDArray[Any], kind: int, scale: float) -> int:
    """The index of a new constant tensor of one scale."""
    buffer, tensor, steps = schema.BufferT(), schema.TensorT(), schema.QuantizationParametersT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    model.buffers.append(buffer)
    steps.scale, steps.zeroPoint = np.array([scale], np.float32), np.array([0], np.int64)
    tensor.name, tensor.shape, tensor.type, tensor.hasRank = name.encode(), list(values.shape), kind, True
    tensor.buffer, tensor.quantization = len(model.buffers) - 1, steps
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1
