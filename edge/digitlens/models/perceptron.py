"""A multilayer perceptron of a few hundred weights, in NumPy: what small decisions are learnt with."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digitlens.core.arrays import Doubles, Floats
from digitlens.core.errors import ModelError
from digitlens.models import cards


@dataclass(frozen=True)
class Perceptron:
    """Layers of weights (inputs, outputs) and biases, ReLU between; inputs are standardized first."""

    mean: Floats
    deviation: Floats
    layers: tuple[tuple[Floats, Floats], ...]

    @classmethod
    def load(cls, model: str | Path, inputs: int) -> "Perceptron":
        """A shipped model by name, or an .npz file by path, checked against its card.

        Raises:
            ModelError: no such model, it does not fit its card, or it takes another number of inputs.
        """
        path = cards.find(model)
        _, content = cards.load(path)
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                count = sum(name.startswith("weights") for name in arrays.files)
                layers = tuple((arrays[f"weights{k}"], arrays[f"bias{k}"]) for k in range(count))
                found = cls(arrays["mean"], arrays["deviation"], layers)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise ModelError(f"{path}: not a perceptron's weights") from error
        if found.mean.shape != (inputs,):
            raise ModelError(f"{path}: takes {found.mean.shape[0]} inputs, not {inputs}")
        return found

    def outputs(self, inputs: Floats) -> Floats:
        """(N, inputs) float32 -> (N, outputs) float32, the last layer's sums."""
        x = (inputs - self.mean) / self.deviation
        for k, (weights, bias) in enumerate(self.layers):
            x = x @ weights + bias
            if k < len(self.layers) - 1:
                x = np.maximum(x, 0)
        return x

    def logits(self, inputs: Floats) -> Floats:
        """(N, inputs) float32 -> (N,) float32, log-odds."""
        logits: Floats = self.outputs(inputs)[:, 0]
        return logits

    def probabilities(self, inputs: Floats) -> Doubles:
        """(N, inputs) float32 -> (N,) float64."""
        return np.asarray(1 / (1 + np.exp(-self.logits(inputs).astype(np.float64))), np.float64)

    def save(self, path: Path) -> bytes:
        """Write the weights as an .npz file; returns its bytes."""
        arrays = {f"weights{k}": weights for k, (weights, _) in enumerate(self.layers)}
        arrays |= {f"bias{k}": bias for k, (_, bias) in enumerate(self.layers)}
        np.savez(path, mean=self.mean, deviation=self.deviation, **arrays)
        return path.read_bytes()
