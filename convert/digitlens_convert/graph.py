"""Rewrites an int8 network so that XNNPACK runs all of it, and counts its multiply-accumulates.

For an operation that XNNPACK does not support, it falls back to TFLite's own kernels: in a small network that
costs as much as a layer.
"""

import copy
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from tensorflow.lite.python import schema_py_generated as schema

from digitlens.paper.bands import PARTS
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
    return _packed(model, len(content))


def unfolded(content: bytes) -> bytes:
    """The bytes of a network of gray pictures -> the same network, which takes each pixel with those around.

    XNNPACK keeps a pointer for each place of a convolution's window at each of its outputs: for the first
    convolution of `ink` and a picture of 1280 x 720 pixels those are 17 MB. A convolution of one place needs
    none. So the caller lays out the windows (digitlens.paper.bands.windows), as 3 x 3 channels of a picture
    of half the size; the weights are the same bytes in the same order, and so are the outputs.
    """
    model = unpacked(content)
    graph = model.subgraphs[0]
    first = next(one for one in graph.operators if kind_of(model, one) == OPERATOR.CONV_2D)
    weights, options = graph.tensors[first.inputs[1]], first.builtinOptions
    filters, height, width, channels = (int(side) for side in weights.shape)
    window = height, width, channels, options.strideH, options.strideW, options.padding
    if window != (3, 3, 1, 2, 2, schema.Padding.SAME):
        raise ValueError(f"the first convolution is {window}, not 3 x 3 of one channel at every other pixel")
    weights.shape = [filters, 1, 1, height * width]
    options.strideH = options.strideW = 1
    for index in {*graph.inputs, first.inputs[0]}:  # between them only the type changes
        tensor = graph.tensors[index]
        tensor.shape = [1, 1, 1, height * width]
        if tensor.shapeSignature is not None:
            tensor.shapeSignature = [-1, -1, -1, height * width]
    return _packed(model, len(content))


def in_parts(content: bytes) -> bytes:
    """The bytes of `ink` -> the same network, and beside it its three parts, which share its weights.

    Each part has a signature (digitlens.paper.bands.PARTS): `down` ends at an eighth of the picture's size,
    `inside` goes on from there to the same size, and `up` makes the classes of it. `down` and `up` see few
    pixels around each, so that a picture is run through them in bands: most of the network's memory is for
    their large layers.
    """
    model = unpacked(content)
    graph = model.subgraphs[0]
    kinds = [kind_of(model, operator) for operator in graph.operators]
    halving = [
        place
        for place, operator in enumerate(graph.operators)
        if kinds[place] == OPERATOR.DEPTHWISE_CONV_2D and operator.builtinOptions.strideH == 2
    ]
    doubling = [place for place, kind in enumerate(kinds) if kind == OPERATOR.DEPTH_TO_SPACE]
    # A halving layer's second half is a convolution, a doubling one begins with a convolution and a copying.
    cuts = (0, halving[1] + 2, doubling[-2] - 2, len(kinds))
    for name, start, end in zip(PARTS, cuts, cuts[1:], strict=False):
        _add_part(model, graph, name, start, end)
    return _packed(model, len(content))


def _add_part(model: Any, graph: Any, name: str, start: int, end: int) -> None:
    """Add the operators `start` to `end` as a subgraph with a signature; tensors keep their order."""
    inside = graph.operators[start:end]
    made = {index for operator in inside for index in operator.outputs}
    used = {index for operator in inside for index in operator.inputs if index >= 0}
    constant = {index for index in used if model.buffers[graph.tensors[index].buffer].data is not None}
    elsewhere = {index for operator in graph.operators[end:] for index in operator.inputs} | {*graph.outputs}
    tensors = sorted(made | used)
    place = {index: number for number, index in enumerate(tensors)} | {-1: -1}
    part = copy.deepcopy(graph)
    part.name = name.encode()
    part.tensors = [part.tensors[index] for index in tensors]
    for index, tensor in zip(tensors, part.tensors, strict=True):
        tensor.name = str(index).encode()  # theirs take a third of the file
    part.operators = part.operators[start:end]
    for operator in part.operators:
        operator.inputs = [place[index] for index in operator.inputs]
        operator.outputs = [place[index] for index in operator.outputs]
    part.inputs = [place[index] for index in sorted(used - made - constant)]
    part.outputs = [place[index] for index in sorted(made & elsewhere)]
    model.subgraphs.append(part)
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = name.encode(), len(model.subgraphs) - 1
    signature.inputs = [_port(f"in{number}", index) for number, index in enumerate(part.inputs)]
    signature.outputs = [_port(f"out{number}", index) for number, index in enumerate(part.outputs)]
    model.signatureDefs.append(signature)


def _port(name: str, index: int) -> Any:
    port = schema.TensorMapT()
    port.name, port.tensorIndex = name.encode(), index
    return port


def _packed(model: Any, size: int) -> bytes:
    builder = flatbuffers.Builder(size)
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
