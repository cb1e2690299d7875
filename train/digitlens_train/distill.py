"""Fit a large teacher for rows, and `numbers` to its answers: knowledge distillation, on a GPU or without.

The teacher's probabilities are softer targets than the labels (Hinton et al. 2015). The networks here are
PyTorch's, for its speed on a GPU; the result is the Keras network of digitlens_train.numbers.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from digitlens.rows import recognizer
from digitlens.rows.recognizer import NETWORK_BLANK, NETWORK_CLASSES
from digitlens_train import augmentation, networks, numbers, shards, teacher
from digitlens_train.crops import Sources
from digitlens_train.data import DataError
from digitlens_train.numbers import CTC_WEIGHT, MEAN_WIDTH
from digitlens_train.row_photos import MAX_LABELS
from digitlens_train.run import About, Figures, Observer, claim, finish, save_history, table
from digitlens_train.shards import Dataset
from digitlens_train.traced_writing import UNKNOWN

Soft = dict[int, Tensor]
"""By width: the teacher's probabilities, (N, width / STEP, NETWORK_CLASSES) float16."""
CPU_BATCH = 16
"""Rows that the teacher answers at once without a GPU."""


@dataclass(frozen=True)
class DistillConfig:
    """Everything that determines the fitted weights; fields not listed are as in NumbersConfig.

    Attributes:
        strong_share: share of each batch that is augmented strongly and learned from its labels alone. The
            rest is augmented mildly, so that the teacher's answers for the row still apply.
        soft_weight: weight of the divergence from the teacher's answers, relative to CTC's.
    """

    epochs: int = 50
    shard_size: int = 1000
    new_shards: int = 5
    window: int = 25
    batch_pixels: int = 6144
    learning_rate: float = 1.2e-3
    weight_decay: float = 0.02
    guide_weight: float = 0.1
    strong_share: float = 0.5
    soft_weight: float = 0.5
    ema_momentum: float = 0.999
    bn_batches: int = 300
    held_out_digits: int = 4000
    held_out_rows: int = 2000
    seed: int = 2060

    @property
    def plan(self) -> shards.Plan:
        """Which shards each epoch learns."""
        return shards.Plan(self.shard_size, self.new_shards, self.window, self.seed)


def fit(
    config: DistillConfig,
    out: Path,
    mnist: Path | None = None,
    data: Path | None = None,
    resume: bool = False,
    warm_start: Path | None = None,
    taught_by: Path | None = None,
    processes: int = 0,
    observe: Observer | None = None,
) -> None:
    """Fit the teacher into `out`, as teacher.npz; or, `taught_by` a teacher.npz, numbers.keras.

    `warm_start` is a teacher.npz or a numbers.keras to begin with; the other arguments are those of
    digitlens_train.numbers.fit.

    Raises:
        DataError: MNIST is not available, `out` holds another run, or a weights file is of another network.
    """
    learned, held = numbers.sources(mnist, data, config.held_out_digits)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(config.seed)
    large = None if taught_by is None else _loaded(teacher.Teacher(), taught_by).to(device)
    small = teacher.Teacher() if large is None else teacher.Numbers()
    if warm_start is not None:
        _loaded(small, warm_start)
    history = claim(out, asdict(config), resume)
    held_rows = numbers.held_out(held, config.seed, config.held_out_rows, out / "held_out.npz")
    drawn = shards.Shards(learned, config.plan, out / "shards", processes or os.cpu_count() or 1)
    run = _Run(small.to(device, memory_format=torch.channels_last), config, warm_start is None)
    if history:
        run.load(out / f"epoch-{len(history):02}.pt", device)
    soft: dict[int, Soft] = {}
    try:
        for epoch in range(len(history), config.epochs):
            started = time.perf_counter()
            learning = drawn.of(epoch)
            if large is not None:
                soft = {n: soft.get(n) or answers(large, shard) for n, shard in learning.items()}
            loss = run.fit_epoch(epoch, shards.joined(list(learning.values())), _joined(list(soft.values())))
            figures: Figures = {"epoch": epoch + 1, "loss": loss}
            few = {width: (x[:200], y[:200]) for width, (x, y) in next(iter(learning.values())).items()}
            figures["accuracy"], _ = score(run.mean, few)
            figures["test_accuracy"], figures["test_loss"] = score(run.mean, held_rows)
            figures["seconds"] = time.perf_counter() - started
            if observe is not None:
                observe(figures)
            history.append(figures)
            run.save(out / f"epoch-{len(history):02}.pt")
            save_history(out, history)
            print(table(history[-1:]))
        run.update_batch_norm(shards.joined(list(drawn.of(config.epochs - 1).values())))
    finally:
        drawn.close()
    print(f"held out: {score(run.mean, held_rows)[0]:.2%} of the rows exact")
    _save(run.mean, config, out, learned, large is not None)


class _Batch(NamedTuple):
    """Rows (N, HEIGHT, W) float32, their labels (N, MAX_LABELS) and columns (N, W / STEP).

    `soft` is the teacher's probabilities for the first rows.
    """

    pictures: Tensor
    labels: Tensor
    columns: Tensor
    soft: Tensor | None


class _Run:
    """A network in training and the exponential moving average of its weights, which the run keeps."""

    def __init__(self, network: nn.Module, config: DistillConfig, is_new: bool) -> None:
        self._network, self._config = network, config
        self._device = next(network.parameters()).device
        self.mean = teacher.copied(network)
        self._means = [v for v in self.mean.state_dict().values() if v.is_floating_point()]
        self._steps = max(1, config.plan.rows_learned(config.epochs) * MEAN_WIDTH // config.batch_pixels)
        self._warm = min(600, self._steps // 10)
        self._is_new = is_new
        self._step = 0
        decayed = [p for p in network.parameters() if p.dim() > 1]
        others = [p for p in network.parameters() if p.dim() <= 1]
        self._optimizer = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": config.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=config.learning_rate,
            betas=(0.9, 0.99),
        )

    def fit_epoch(self, epoch: int, learning: Dataset, soft: Soft) -> float:
        """Learn every row once; returns the mean loss."""
        random = np.random.default_rng((self._config.seed, epoch))
        torch.manual_seed(self._config.seed + epoch)
        self._network.train()
        losses = []
        for batch in _batches(learning, soft, self._config, random, self._device):
            done = self._step / self._steps
            for group in self._optimizer.param_groups:
                group["lr"] = self._learning_rate()
            with torch.autocast(self._device.type, torch.bfloat16, self._device.type == "cuda"):
                logits = teacher.columns(self._network, batch.pictures)
            guide = (
                max(self._config.guide_weight, 1 - 3 * done) if self._is_new else self._config.guide_weight
            )
            loss = loss_of(logits.float(), batch.labels, batch.columns, guide)
            if batch.soft is not None:
                likely = functional.log_softmax(logits[: len(batch.soft)].float(), dim=2)
                divergence = functional.kl_div(likely, batch.soft, reduction="none").sum(dim=(1, 2)).mean()
                loss = loss + self._config.soft_weight * CTC_WEIGHT * divergence
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self._network.parameters(), 5.0)
            self._optimizer.step()
            self._step += 1
            self._average()
            losses.append(loss.detach())
        return float(torch.stack(losses).mean())

    def update_batch_norm(self, learning: Dataset) -> None:
        """Re-estimate batch normalization's statistics, which are still the last weights'."""
        for part in self.mean.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.reset_running_stats()
                part.momentum = None  # the plain mean over all batches
                part.train()
        random = np.random.default_rng((self._config.seed, self._config.epochs))
        batches = _batches(learning, {}, self._config, random, self._device, strong_share=0.0)
        with torch.no_grad():
            for _, batch in zip(range(self._config.bn_batches), batches, strict=False):
                teacher.columns(self.mean, batch.pictures)
        self.mean.eval()

    def save(self, path: Path) -> None:
        """Write a checkpoint; the file is replaced atomically."""
        partial = path.with_name("partial.pt")
        state = {"network": self._network.state_dict(), "mean": self.mean.state_dict()}
        torch.save({**state, "optimizer": self._optimizer.state_dict(), "step": self._step}, partial)
        partial.replace(path)

    def load(self, path: Path, device: torch.device) -> None:
        """Restore a checkpoint of `save`."""
        state = torch.load(path, device, weights_only=True)
        self._network.load_state_dict(state["network"])
        self.mean.load_state_dict(state["mean"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._step = state["step"]

    def _learning_rate(self) -> float:
        """Warm-up, then cosine decay to 0 at 97 % of the steps."""
        if self._step < self._warm:
            return self._config.learning_rate * (self._step + 1) / self._warm
        done = min(1.0, (self._step - self._warm) / max(1, 0.97 * self._steps - self._warm))
        return self._config.learning_rate * 0.5 * (1 + float(np.cos(np.pi * done)))

    def _average(self) -> None:
        now = [v.detach() for v in self._network.state_dict().values() if v.is_floating_point()]
        momentum = min(self._config.ema_momentum, self._step / (10 + self._step))
        torch._foreach_lerp_(self._means, now, 1 - momentum)


def loss_of(logits: Tensor, labels: Tensor, shown: Tensor, guide: float) -> Tensor:
    """The loss of digitlens_train.numbers.loss_of, from logits (N, T, NETWORK_CLASSES)."""
    chances = functional.log_softmax(logits, dim=2)
    count = (labels != UNKNOWN).sum(dim=1).cpu()
    wide = torch.full_like(count, logits.shape[1])
    which = labels.long().clamp(max=NETWORK_CLASSES - 1)
    ctc = functional.ctc_loss(
        chances.transpose(0, 1), which, wide, count, NETWORK_BLANK, "none", zero_infinity=True
    )
    known = shown != UNKNOWN
    each = functional.nll_loss(
        chances.transpose(1, 2), shown.long().clamp(max=NETWORK_BLANK), reduction="none"
    )
    column = (each * known).sum() / known.sum().clamp(min=1)
    return CTC_WEIGHT * ctc.mean() + guide * column


@torch.no_grad()
def answers(large: nn.Module, learning: Dataset) -> Soft:
    """The teacher's probabilities for each column of each row."""
    large.eval()
    device = next(large.parameters()).device
    size = CPU_BATCH if device.type == "cpu" else 1024
    found: Soft = {}
    for width, (x, _) in learning.items():
        batches = []
        for start in range(0, len(x), size):
            gray = torch.from_numpy(x[start : start + size]).to(device)
            with torch.autocast(device.type, torch.bfloat16, device.type == "cuda"):
                logits = teacher.columns(large, gray.float())
            batches.append(functional.softmax(logits.float(), dim=2).half().cpu())
        empty = torch.zeros(0, width // recognizer.STEP, NETWORK_CLASSES).half()
        found[width] = torch.cat(batches) if batches else empty
    return found


@torch.no_grad()
def score(network: nn.Module, rows: Dataset) -> tuple[float, float]:
    """The fraction of rows read exactly by the best class of each column, and the mean loss."""
    network.eval()
    device = next(network.parameters()).device
    right, total, loss = 0, 0, 0.0
    for x, y in rows.values():
        for start in range(0, len(x), 64):
            gray, targets = (torch.from_numpy(part[start : start + 64]).to(device) for part in (x, y))
            logits = teacher.columns(network, gray.float()).float()
            right += numbers.count_exact(logits.argmax(dim=2).cpu().numpy(), y[start : start + 64])
            loss += len(gray) * float(loss_of(logits, targets[:, :MAX_LABELS], targets[:, MAX_LABELS:], 0.0))
        total += len(x)
    return right / max(1, total), loss / max(1, total)


def _batches(
    learning: Dataset,
    soft: Soft,
    config: DistillConfig,
    random: np.random.Generator,
    device: torch.device,
    strong_share: float | None = None,
) -> Iterator[_Batch]:
    """The epoch's batches, each of one width, in random order and augmented."""
    share = config.strong_share if strong_share is None else strong_share
    for width, chosen in shards.shuffled(learning, config.batch_pixels, random):
        x, y = (torch.from_numpy(part[chosen]).to(device) for part in learning[width])
        labels, columns = y[:, :MAX_LABELS], y[:, MAX_LABELS:]
        mild = len(x) - round(share * len(x))
        pictures, shown = augmentation.augment(x[:mild], columns[:mild], augmentation.MILD)
        pictures_, shown_ = augmentation.augment(x[mild:], columns[mild:], augmentation.STRONG)
        wanted = soft[width][torch.from_numpy(chosen[:mild])].to(device).float() if soft and mild else None
        yield _Batch(torch.cat([pictures, pictures_]), labels, torch.cat([shown, shown_]), wanted)


def _joined(soft: list[Soft]) -> Soft:
    return {width: torch.cat([shard[width] for shard in soft]) for width in recognizer.WIDTHS} if soft else {}


def _loaded(network: nn.Module, path: Path) -> nn.Module:
    """The network with the weights of a teacher.npz or, for `numbers`, of a Keras file."""
    try:
        if isinstance(network, teacher.Teacher):
            teacher.load(network, path)
        else:
            teacher.set_weights(network, keras.models.load_model(path, compile=False).get_weights())
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise DataError(f"{path}: not the weights of the {type(network).__name__.lower()} network") from error
    return network


def _save(network: nn.Module, config: DistillConfig, out: Path, learned: Sources, taught: bool) -> None:
    """The teacher as teacher.npz; a taught network as numbers.keras with its about.json."""
    if not taught:
        teacher.save(network, out / "teacher.npz")
        return
    model = networks.numbers()
    model.set_weights(teacher.get_weights(network))
    model.save(out / "numbers.keras")
    distinct = config.shard_size * config.new_shards * config.epochs
    finish(
        out,
        About(
            name="numbers",
            kind="strips",
            description=numbers.DESCRIPTION,
            training_data=numbers.training_data(learned, distinct, config.plan.rows_learned(config.epochs))
            + ", half of them with a teacher's answers",
            make_again=(
                f"python -m digitlens_train distill --epochs {config.epochs} --seed {config.seed} "
                f"--rate {config.learning_rate} --data DIR --teacher teacher.npz",
            ),
            temperature=1.0,
        ),
    )
