"""Fit the network `ink` to patches of generated paper, in PyTorch, on a GPU or without."""

import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from digitlens_train import networks, patch_pool, pixels, teacher
from digitlens_train.data import DataError
from digitlens_train.ink_network import Ink, from_keras, to_input, to_keras
from digitlens_train.paper.classes import IGNORED, Kind
from digitlens_train.paper.material import Material
from digitlens_train.patch_pool import Patches, PatchPool
from digitlens_train.pixels import Counts
from digitlens_train.run import About, Figures, Observer, claim, finish, save_history, table

DESCRIPTION = (
    "classifies the pixels of a gray picture, at half its resolution: paper, ink of handwritten digits, "
    "other writing, print, lines"
)
CLASS_WEIGHTS = {Kind.PAPER: 0.5, Kind.DIGIT: 1.5, Kind.WRITING: 3.5, Kind.PRINT: 3.5, Kind.LINE: 1.5}
"""Weight in the loss of a pixel of each class: paper has most of them, writing and print the fewest."""
MOST_USES = 8
"""Times that a patch is learnt, on average; beyond, the learner waits for new ones."""
KEPT = 2
"""Checkpoints that are kept."""
REPRESENTATIVE = 512
"""Learnt patches that are saved for the quantization."""


@dataclass(frozen=True)
class InkConfig:
    """Everything that determines what is learned.

    The fitted weights depend, too, on how fast the workers draw.

    An epoch's figures are the IoU of handwritten digits' pixels as accuracy, and the pixels' cross-entropy.

    Attributes:
        steps: of the optimizer, in all.
        epoch_steps: steps of an epoch, after which the network is scored and saved.
        batch: patches of a step.
        side: of a patch, pixels.
        pool: the latest patches, of which each batch is chosen.
        first: patches that must have been drawn before the first step.
        held_out: patches of held-out writers and fonts that the network is scored on.
        learning_rate: the highest; it rises linearly over `warm_up` steps and falls as a cosine to 0.
        weight_decay: of AdamW (Loshchilov and Hutter 2019), for all weights but biases and normalization.
        ema_momentum: of the exponential moving average of the weights, which is what is scored and kept.
    """

    steps: int = 60_000
    epoch_steps: int = 1000
    batch: int = 16
    side: int = 256
    pool: int = 8000
    first: int = 512
    held_out: int = 512
    learning_rate: float = 3e-3
    warm_up: int = 200
    weight_decay: float = 0.02
    ema_momentum: float = 0.999
    seed: int = 2026

    @property
    def epochs(self) -> int:
        """The last one may be shorter."""
        return -(-self.steps // self.epoch_steps)


def fit(
    config: InkConfig,
    out: Path,
    data: Path | None = None,
    resume: bool = False,
    warm_start: Path | None = None,
    processes: int = 0,
    observe: Observer | None = None,
) -> None:
    """Fit the network into `out`, as ink.keras.

    Args:
        config: see InkConfig.
        out: the run's folder.
        data: the folder of Material.load; None draws with what needs no data.
        resume: continue from the last checkpoint in `out`.
        warm_start: an ink.keras, or a checkpoint epoch-NN.pt, to begin with.
        processes: that draw patches; 0 takes one less than there are cores. The other cores learn.
        observe: see Observer.

    Raises:
        DataError: a file of `data` is missing, `out` holds another run, `warm_start` is of another network.
    """
    cores = os.cpu_count() or 1
    processes = processes or max(1, cores - 1)
    torch.set_num_threads(max(1, cores - processes))
    torch.manual_seed(config.seed)
    network = Ink()
    if warm_start is not None:
        _load(network, warm_start)
    history = claim(out, asdict(config), resume)
    held = _held_out(config, data, out / "held_out.npz")
    run = _Run(network, config)
    if history:
        run.load(_checkpoint(out, len(history)))
    drawn_before = run.drawn
    with PatchPool(data, config.side, config.pool, (config.seed, run.step), processes) as pool:
        pool.refill(config.first)
        for epoch in range(len(history), config.epochs):
            started = time.perf_counter()
            random = np.random.default_rng((config.seed, epoch))
            steps = min(config.epoch_steps, config.steps - epoch * config.epoch_steps)
            loss = run.fit_epoch(pool, random, steps)
            run.drawn = drawn_before + pool.drawn
            learned = pixels.unions(score(run.mean, pool.choose(random, 64))[0])
            confusion, test_loss = score(run.mean, held)
            unions = pixels.unions(confusion)
            figures: Figures = {"epoch": epoch + 1, "loss": loss, "accuracy": float(learned[Kind.DIGIT])}
            figures["test_loss"], figures["test_accuracy"] = test_loss, float(unions[Kind.DIGIT])
            figures["seconds"] = time.perf_counter() - started
            if observe is not None:
                observe(figures)
            history.append(figures)
            run.save(_checkpoint(out, len(history)))
            save_history(out, history)
            _checkpoint(out, len(history) - KEPT).unlink(missing_ok=True)
            print(table(history[-1:]))
            each = ", ".join(f"{name} {union:.3f}" for name, union in pixels.named(unions).items())
            print(f"IoU: {each}; {run.drawn:,} patches drawn", flush=True)
        pool.refill(config.first)
        gray, classes = pool.choose(np.random.default_rng(config.seed), REPRESENTATIVE)
        np.savez_compressed(out / "patches.npz", gray=gray, classes=classes)
    _save(run, config, out, data, warm_start)


@torch.no_grad()
def score(network: Ink, patches: Patches, batch: int = 32) -> tuple[Counts, float]:
    """Classify patches; returns the classes' confusion and the mean loss of a pixel."""
    network.eval()
    device = next(network.parameters()).device
    weights = _weights(device)
    confusion: Counts = np.zeros((len(Kind), len(Kind)), np.int64)
    loss, weight = 0.0, 0.0
    for start in range(0, len(patches[0]), batch):
        gray, classes = (part[start : start + batch] for part in patches)
        logits = network(to_input(torch.from_numpy(gray).to(device).float())).float()
        truth = torch.from_numpy(classes).to(device).long()
        loss += float(functional.cross_entropy(logits, truth, weights, ignore_index=IGNORED, reduction="sum"))
        weight += float(weights[truth[truth != IGNORED]].sum())
        confusion += pixels.confusion(classes, logits.argmax(dim=1).cpu().numpy())
    return confusion, loss / max(weight, 1.0)


def augment(gray: Tensor) -> Tensor:
    """Pictures (N, H, W) uint8 -> float32 of another contrast, brightness and noise; few are inverted."""

    def each(low: float, high: float) -> Tensor:
        return torch.empty(len(gray), 1, 1, device=gray.device).uniform_(low, high)

    x = (gray.float() - 128) * each(0.7, 1.15) + 128 + each(-25, 25)
    x = x + torch.randn_like(x) * each(-8, 8).clamp(min=0)  # one half stays without noise
    return torch.where(each(0, 1) < 0.03, 255 - x, x).clamp(0, 255)


class _Run:
    """The network in training, and the exponential moving average of its weights, which the run keeps."""

    def __init__(self, network: Ink, config: InkConfig) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network = network.to(self._device, memory_format=torch.channels_last)
        self._config = config
        self.mean = teacher.copied(self._network)
        self.step, self.drawn, self._first_step = 0, 0, 0
        self._weights = _weights(self._device)
        decayed = [p for p in network.parameters() if p.dim() > 1]
        others = [p for p in network.parameters() if p.dim() <= 1]
        self._optimizer = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": config.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=config.learning_rate,
        )

    def fit_epoch(self, pool: PatchPool, random: np.random.Generator, steps: int) -> float:
        """Learn so many batches; returns the mean loss."""
        self._network.train()
        torch.manual_seed(self._config.seed + self.step)
        losses = []
        for _ in range(steps):
            pool.refill((self.step - self._first_step) * self._config.batch // MOST_USES)
            gray, classes = (
                torch.from_numpy(part).to(self._device) for part in pool.choose(random, self._config.batch)
            )
            turned = torch.rand(len(gray), device=self._device) < 0.03
            gray[turned], classes[turned] = gray[turned].flip(1, 2), classes[turned].flip(1, 2)
            for group in self._optimizer.param_groups:
                group["lr"] = self._learning_rate()
            with torch.autocast(self._device.type, torch.bfloat16, self._device.type == "cuda"):
                logits = self._network(to_input(augment(gray)))
            loss = functional.cross_entropy(
                logits.float(), classes.long(), self._weights, ignore_index=IGNORED
            )
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self._optimizer.step()
            self.step += 1
            self._average()
            losses.append(loss.detach())
        for mine, theirs in zip(self.mean.buffers(), self._network.buffers(), strict=True):
            mine.copy_(theirs)
        return float(torch.stack(losses).mean())

    def save(self, path: Path) -> None:
        """Write a checkpoint; the file is replaced atomically."""
        partial = path.with_name("partial.pt")
        state = {"network": self._network.state_dict(), "mean": self.mean.state_dict()}
        counts = {"step": self.step, "drawn": self.drawn}
        torch.save({**state, "optimizer": self._optimizer.state_dict(), **counts}, partial)
        partial.replace(path)

    def load(self, path: Path) -> None:
        """Restore a checkpoint of `save`."""
        state = torch.load(path, self._device, weights_only=True)
        self._network.load_state_dict(state["network"])
        self.mean.load_state_dict(state["mean"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step, self.drawn, self._first_step = state["step"], state["drawn"], state["step"]

    def _learning_rate(self) -> float:
        steps, warm = self._config.steps, min(self._config.warm_up, self._config.steps // 10)
        if self.step < warm:
            return self._config.learning_rate * (self.step + 1) / warm
        done = (self.step - warm) / max(1, steps - warm)
        return self._config.learning_rate * 0.5 * (1 + float(np.cos(np.pi * done)))

    @torch.no_grad()
    def _average(self) -> None:
        momentum = min(self._config.ema_momentum, self.step / (10 + self.step))
        torch._foreach_lerp_(list(self.mean.parameters()), list(self._network.parameters()), 1 - momentum)


def _weights(device: torch.device) -> Tensor:
    """The weight of each Kind in the loss."""
    return torch.tensor([CLASS_WEIGHTS[kind] for kind in Kind], device=device)


def _checkpoint(out: Path, epoch: int) -> Path:
    return out / f"epoch-{epoch:02}.pt"


def _held_out(config: InkConfig, data: Path | None, kept: Path) -> Patches:
    """Patches of held-out writers and fonts; drawn once a run."""
    if not kept.exists():
        random, material = np.random.default_rng(config.seed), Material.load(data, "held_out")
        gray, classes = patch_pool.draw(random, material, config.side, config.held_out, photos=1)
        partial = kept.with_name("partial.npz")
        np.savez_compressed(partial, gray=gray, classes=classes)
        partial.replace(kept)
    with np.load(kept, allow_pickle=False) as arrays:
        return arrays["gray"], arrays["classes"]


def _load(network: Ink, path: Path) -> None:
    """Set the network's weights from an ink.keras, or from a checkpoint's moving average."""
    try:
        if path.suffix == ".keras":
            from_keras(network, keras.models.load_model(path, compile=False))
        else:
            state = torch.load(path, "cpu", weights_only=True)
            network.load_state_dict(state.get("mean", state))
    except Exception as error:  # Keras and PyTorch raise a dozen kinds
        raise DataError(f"{path}: not the weights of the ink network") from error


def _save(run: _Run, config: InkConfig, out: Path, data: Path | None, warm_start: Path | None) -> None:
    """The moving average as ink.keras, with its about.json."""
    model = networks.ink()
    to_keras(run.mean, model)
    model.save(out / "ink.keras")
    settings = f"--steps {config.steps} --seed {config.seed} --rate {config.learning_rate:g}"
    files = ("" if data is None else " --data DIR") + (
        "" if warm_start is None else f" --warm-start {warm_start.name}"
    )
    finish(
        out,
        About(
            name="ink",
            kind="ink",
            description=DESCRIPTION,
            training_data=f"{run.drawn:,} patches of generated paper, {config.side} x {config.side} pixels; "
            f"{config.steps:,} batches of {config.batch}",
            make_again=(f"python -m digitlens_train ink {settings}{files}",),
        ),
    )
