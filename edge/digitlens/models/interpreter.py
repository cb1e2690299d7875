"""The one module that imports a TFLite interpreter: litert, else tflite-runtime, else TensorFlow's own."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from digitlens.core.arrays import Floats
from digitlens.core.errors import DependencyError, ModelError, first_line
from digitlens.core.threads import one_at_a_time

RUNTIMES = {
    "litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
    # A workstation's fallback; never on the Pi.
    "tensorflow": "tensorflow.lite",
}
LARGEST_BATCH = 32


class Tensor(NamedTuple):
    """A network's input or output: shape (batch first), dtype, and quantization.

    A value is scale * (q - zero_point).
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: float
    zero_point: int


class Network:
    """A TFLite network in memory: (N, ...) in, (N, ...) out.

    Args:
        content: the bytes of the .tflite file.
        threads: the interpreter's.
        runtime: a name of RUNTIMES; None takes the first that is installed.
        portable: run TFLite's own kernels, not XNNPACK's: slower, but on x86-64 the same bytes from every
            runtime. On Arm the two runtimes differ.

    Raises:
        DependencyError: no such runtime is installed, or it does not work with this NumPy.
        ModelError: the runtime takes the bytes for no network.
    """

    def __init__(
        self, content: bytes, threads: int = 1, runtime: str | None = None, portable: bool = False
    ) -> None:
        self.runtime, self._interpreter = _open(content, threads, runtime, portable)
        (entry,) = self._interpreter.get_input_details()
        (exit_,) = self._interpreter.get_output_details()
        self._entry, self._exit = int(entry["index"]), int(exit_["index"])
        self.input, self.output = _tensor(entry), _tensor(exit_)
        self._shape: tuple[int, ...] = ()

    def run(self, batch: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """(N, ...) in the input's dtype -> (N, ...) in the output's; N may be 0."""
        if 0 < len(batch) <= LARGEST_BATCH:
            return self._run(batch)
        outputs = [
            self._run(batch[start : start + LARGEST_BATCH]) for start in range(0, len(batch), LARGEST_BATCH)
        ]
        if not outputs:
            return np.zeros((0, *self.output.shape[1:]), self.output.dtype)
        return np.concatenate(outputs)

    def dequantized(self, pictures: npt.NDArray[np.uint8], level: float) -> Floats:
        """(N, ...) uint8 -> the outputs (N, ...) as float32.

        A network that takes float32 is given `level` for each gray level.
        """
        entry, end = self.input, self.output
        raw = self.run(pictures if entry.dtype == np.uint8 else pictures * np.float32(level))
        outputs: Floats = raw.astype(np.float32, copy=False)
        if end.dtype != np.float32:
            outputs = (outputs - np.float32(end.zero_point)) * np.float32(end.scale)
        return outputs

    @property
    def signatures(self) -> tuple[str, ...]:
        """The names of the parts that can be run on their own."""
        return tuple(self._interpreter.get_signature_list())

    def part(self, name: str) -> Callable[..., list[npt.NDArray[Any]]]:
        """What runs a part, one of `signatures`: its inputs in their order -> its outputs in theirs."""
        runner = self._interpreter.get_signature_runner(name)

        def run(*inputs: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
            outputs = runner(**{f"in{place}": values for place, values in enumerate(inputs)})
            return [outputs[f"out{place}"] for place in range(len(outputs))]

        return run

    @one_at_a_time
    def _run(self, batch: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if batch.shape != self._shape:
            self._interpreter.resize_tensor_input(self._entry, batch.shape)
            self._interpreter.allocate_tensors()
            self._shape = batch.shape
        self._interpreter.set_tensor(self._entry, batch)
        self._interpreter.invoke()
        output: npt.NDArray[Any] = self._interpreter.get_tensor(self._exit)
        return output


def softmax(logits: Floats) -> Floats:
    """(N, classes) -> probabilities, each row's sum 1."""
    probabilities: Floats = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return probabilities


def _tensor(details: dict[str, Any]) -> Tensor:
    scale, zero_point = details["quantization"]
    shape = tuple(int(side) for side in details["shape"])
    return Tensor(shape, np.dtype(details["dtype"]), float(scale), int(zero_point))


def imported(name: str) -> Any:
    """Import the module of a runtime named in RUNTIMES.

    Raises:
        DependencyError: it is not installed, or does not work with this NumPy.
    """
    if name == "tflite-runtime" and int(np.__version__.split(".")[0]) >= 2:
        # Imported under NumPy 2 it prints a traceback and then fails with a SystemError.
        raise DependencyError(f"{name} needs numpy < 2, here is {np.__version__}")
    try:
        return import_module(RUNTIMES[name])
    except ImportError as error:
        raise DependencyError(f"{name}: {first_line(error)}") from error


def _open(content: bytes, threads: int, runtime: str | None, portable: bool) -> tuple[str, Any]:
    """The name of the first runtime that works, and its interpreter for this network."""
    if runtime is not None and runtime not in RUNTIMES:
        raise DependencyError(f"{runtime}: no such interpreter; there are {', '.join(RUNTIMES)}")
    failures = []
    for name in RUNTIMES if runtime is None else (runtime,):
        try:
            module = imported(name)
        except DependencyError as error:
            failures.append(str(error))
            continue
        try:
            chosen = {}
            if portable:
                kernels = getattr(module, "OpResolverType", None) or module.experimental.OpResolverType
                chosen["experimental_op_resolver_type"] = kernels.BUILTIN_WITHOUT_DEFAULT_DELEGATES
            interpreter = module.Interpreter(model_content=content, num_threads=threads, **chosen)
            interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"not a network that {name} can run: {first_line(error)}") from error
        return name, interpreter
    raise DependencyError(
        f"no TFLite interpreter works here ({'; '.join(failures)}): pip install ai-edge-litert"
    )
