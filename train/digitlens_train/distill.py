"""Fit a large network on rows, and `numbers` to answer as it does: distillation, on a GPU or without.

What the teacher holds possible in each column is a softer truth than the labels (Hinton et al. 2015). This
is PyTorch's, for its speed on a GPU; what comes of it is a Keras network as of digitlens_train.numbers.
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
from digitlens.rows.recognizer import BLANK, CLASSES
from digitlens_train import augmentation, networks, numbers, shards, teacher
from digitlens_train.crops import Sources
from digitlens_train.data import DataError
from digitlens_train.numbers import CTC_SHARE, SETTLE, WIDE
from digitlens_train.row_photos import LONGEST, UNKNOWN
from digitlens_train.run import About, Row, claim, finish, save_history, table
from digitlens_train.shards import Strips

Soft = dict[int, Tensor]
"""By width: what a teacher holds possible, (N, width / STEP, CLASSES) float16."""
LABELED = 16
"""Strips that the teacher is asked about at once, where there is no GPU."""


@dataclass(frozen=True)
class Config:
    """What decides the fitted weights; strips are drawn in parts as in digitlens_train.numbers.Config.

    Of each batch the part `wild` is changed much, and learns from its labels alone; the rest is changed
    little, so that what the teacher has for the strip is still true of it. That weighs `soft` of CTC's loss.
    """

    epochs: int = 50
    part: int = 1000
    fresh: int = 5
    window: int = 25
    pixels: int = 6144
    rate: float = 1.2e-3
    decay: float = 0.02
    guide: float = 0.1
    wild: float = 0.5
    soft: float = 0.5
    average: float = 0.999
    held_out: int = 2000
    seed: int = 2060


def fit(
    config: Config,
    out: Path,
    mnist: Path | None = None,
    data: Path | None = None,
    resume: bool = False,
    start: Path | None = None,
    taught_by: Path | None = None,
    processes: int = 0,
) -> None:
    """Fit the teacher into `out`, as teacher.npz; or, where there is one to be `taught_by`, numbers.keras.

    `data` and `processes` are as for digitlens_train.numbers.fit; `start` is a teacher.npz or a
    numbers.keras, which learns on.

    Raises:
        DataError: MNIST cannot be had, `out` holds another run, or a file is not what it should be.
    """
    learnt, held = numbers.sources(mnist, data)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(config.seed)
    large = None if taught_by is None else _loaded(teacher.Teacher(), taught_by).to(device)
    small = teacher.Teacher() if large is None else teacher.Numbers()
    if start is not None:
        _loaded(small, start)
    history = claim(out, asdict(config), resume)
    held_strips = numbers.held_out(held, config.seed, config.held_out, out / "held_out.npz")
    plan = shards.Plan(config.part, config.fresh, config.window, config.seed)
    drawn = shards.Parts(learnt, plan, out / "parts", processes or os.cpu_count() or 1)
    run = _Run(small.to(device, memory_format=torch.channels_last), config, plan, start is None)
    if history:
        run.load(out / f"epoch-{len(history):02}.pt", device)
    known: dict[int, Soft] = {}
    try:
        for epoch in range(len(history), config.epochs):
            started = time.perf_counter()
            learning = drawn.each(epoch)
            if large is not None:
                known = {n: known.get(n) or answers(large, part) for n, part in learning.items()}
            loss = run.learn(epoch, shards.joined(list(learning.values())), _joined(list(known.values())))
            row: Row = {"epoch": epoch + 1, "loss": loss}
            few = {width: (x[:200], y[:200]) for width, (x, y) in next(iter(learning.values())).items()}
            row["accuracy"], _ = score(run.mean, few)
            row["test_accuracy"], row["test_loss"] = score(run.mean, held_strips)
            row["seconds"] = time.perf_counter() - started
            history.append(row)
            run.save(out / f"epoch-{len(history):02}.pt")
            save_history(out, history)
            print(table(history[-1:]))
        run.settle(shards.joined(list(drawn.each(config.epochs - 1).values())))
    finally:
        drawn.close()
    print(f"held out: {score(run.mean, held_strips)[0]:.2%} of the strips exact")
    _finish(run.mean, config, plan, out, learnt, large is not None)


class _Batch(NamedTuple):
    """Strips (N, HEIGHT, W) float32, their labels (N, LONGEST) and columns (N, W / STEP).

    `soft` is what a teacher holds possible of the first of them.
    """

    pictures: Tensor
    labels: Tensor
    columns: Tensor
    soft: Tensor | None


class _Run:
    """A network that learns, and the moving average of its weights, which is what is kept."""

    def __init__(self, network: nn.Module, config: Config, plan: shards.Plan, is_new: bool) -> None:
        self._network, self._config = network, config
        self._device = next(network.parameters()).device
        self.mean = teacher.copied(network)
        self._means = [v for v in self.mean.state_dict().values() if v.is_floating_point()]
        self._steps = max(1, plan.learnt(config.epochs) * WIDE // config.pixels)
        self._warm = min(600, self._steps // 10)
        self._is_new = is_new
        self._step = 0
        many = [p for p in network.parameters() if p.dim() > 1]
        few = [p for p in network.parameters() if p.dim() <= 1]
        self._optimizer = torch.optim.AdamW(
            [{"params": many, "weight_decay": config.decay}, {"params": few, "weight_decay": 0.0}],
            lr=config.rate,
            betas=(0.9, 0.99),
        )

    def learn(self, epoch: int, learning: Strips, known: Soft) -> float:
        """One epoch; returns the mean loss."""
        random = np.random.default_rng((self._config.seed, epoch))
        torch.manual_seed(self._config.seed + epoch)
        self._network.train()
        losses = []
        for batch in _batches(learning, known, self._config, random, self._device):
            done = self._step / self._steps
            for group in self._optimizer.param_groups:
                group["lr"] = self._rate()
            with torch.autocast(self._device.type, torch.bfloat16, self._device.type == "cuda"):
                logits = teacher.columns(self._network, batch.pictures)
            guide = max(self._config.guide, 1 - 3 * done) if self._is_new else self._config.guide
            loss = loss_of(logits.float(), batch.labels, batch.columns, guide)
            if batch.soft is not None:
                said = functional.log_softmax(logits[: len(batch.soft)].float(), dim=2)
                apart = functional.kl_div(said, batch.soft, reduction="none").sum(dim=(1, 2)).mean()
                loss = loss + self._config.soft * CTC_SHARE * apart
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self._network.parameters(), 5.0)
            self._optimizer.step()
            self._step += 1
            self._average()
            losses.append(loss.detach())
        return float(torch.stack(losses).mean())

    def settle(self, learning: Strips) -> None:
        """Let batch normalization see what the averaged weights, not the last ones, make of the strips."""
        for part in self.mean.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.reset_running_stats()
                part.momentum = None  # the plain mean of all that it sees
                part.train()
        random = np.random.default_rng((self._config.seed, self._config.epochs))
        batches = _batches(learning, {}, self._config, random, self._device, wild=0.0)
        with torch.no_grad():
            for _, batch in zip(range(SETTLE), batches, strict=False):
                teacher.columns(self.mean, batch.pictures)
        self.mean.eval()

    def save(self, path: Path) -> None:
        """What is needed to go on; whole or not at all."""
        partial = path.with_name("partial.pt")
        state = {"network": self._network.state_dict(), "mean": self.mean.state_dict()}
        torch.save({**state, "optimizer": self._optimizer.state_dict(), "step": self._step}, partial)
        partial.replace(path)

    def load(self, path: Path, device: torch.device) -> None:
        """What `save` has written."""
        state = torch.load(path, device, weights_only=True)
        self._network.load_state_dict(state["network"])
        self.mean.load_state_dict(state["mean"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._step = state["step"]

    def _rate(self) -> float:
        if self._step < self._warm:
            return self._config.rate * (self._step + 1) / self._warm
        done = min(1.0, (self._step - self._warm) / max(1, 0.97 * self._steps - self._warm))
        return self._config.rate * 0.5 * (1 + float(np.cos(np.pi * done)))

    def _average(self) -> None:
        now = [v.detach() for v in self._network.state_dict().values() if v.is_floating_point()]
        kept = min(self._config.average, self._step / (10 + self._step))
        torch._foreach_lerp_(self._means, now, 1 - kept)


def loss_of(logits: Tensor, labels: Tensor, shown: Tensor, guide: float) -> Tensor:
    """As digitlens_train.numbers.loss_of: CTC's loss, and `guide` times the columns' cross entropy."""
    chances = functional.log_softmax(logits, dim=2)
    count = (labels != UNKNOWN).sum(dim=1).cpu()
    wide = torch.full_like(count, logits.shape[1])
    which = labels.long().clamp(max=CLASSES - 1)
    ctc = functional.ctc_loss(chances.transpose(0, 1), which, wide, count, BLANK, "none", zero_infinity=True)
    known = shown != UNKNOWN
    each = functional.nll_loss(chances.transpose(1, 2), shown.long().clamp(max=BLANK), reduction="none")
    column = (each * known).sum() / known.sum().clamp(min=1)
    return CTC_SHARE * ctc.mean() + guide * column


@torch.no_grad()
def answers(large: nn.Module, learning: Strips) -> Soft:
    """What the teacher holds possible in each column of each strip."""
    large.eval()
    device = next(large.parameters()).device
    size = LABELED if device.type == "cpu" else 1024
    found: Soft = {}
    for width, (x, _) in learning.items():
        said = []
        for start in range(0, len(x), size):
            gray = torch.from_numpy(x[start : start + size]).to(device)
            with torch.autocast(device.type, torch.bfloat16, device.type == "cuda"):
                logits = teacher.columns(large, gray.float())
            said.append(functional.softmax(logits.float(), dim=2).half().cpu())
        found[width] = torch.cat(said) if said else torch.zeros(0, width // recognizer.STEP, CLASSES).half()
    return found


@torch.no_grad()
def score(network: nn.Module, learning: Strips) -> tuple[float, float]:
    """The part of strips whose digits are read exactly, each column by its best class; the mean loss."""
    network.eval()
    device = next(network.parameters()).device
    right, total, loss = 0, 0, 0.0
    for x, y in learning.values():
        for start in range(0, len(x), 64):
            gray, targets = (torch.from_numpy(part[start : start + 64]).to(device) for part in (x, y))
            logits = teacher.columns(network, gray.float()).float()
            right += numbers.count_exact(logits.argmax(dim=2).cpu().numpy(), y[start : start + 64])
            loss += len(gray) * float(loss_of(logits, targets[:, :LONGEST], targets[:, LONGEST:], 0.0))
        total += len(x)
    return right / max(1, total), loss / max(1, total)


def _batches(
    learning: Strips,
    known: Soft,
    config: Config,
    random: np.random.Generator,
    device: torch.device,
    wild: float | None = None,
) -> Iterator[_Batch]:
    """The epoch's batches, each of one width, in random order, each strip changed anew."""
    for width, chosen in shards.shuffled(learning, config.pixels, random):
        x, y = (torch.from_numpy(part[chosen]).to(device) for part in learning[width])
        labels, columns = y[:, :LONGEST], y[:, LONGEST:]
        calm = len(x) - round((config.wild if wild is None else wild) * len(x))
        pictures, shown = augmentation.shake(x[:calm], columns[:calm], augmentation.MILD)
        pictures_, shown_ = augmentation.shake(x[calm:], columns[calm:], augmentation.STRONG)
        soft = known[width][torch.from_numpy(chosen[:calm])].to(device).float() if known and calm else None
        yield _Batch(torch.cat([pictures, pictures_]), labels, torch.cat([shown, shown_]), soft)


def _joined(known: list[Soft]) -> Soft:
    return {width: torch.cat([part[width] for part in known]) for width in recognizer.WIDTHS} if known else {}


def _loaded(network: nn.Module, path: Path) -> nn.Module:
    """The network with a file's weights: a teacher's npz, or `numbers` as Keras keeps it."""
    try:
        if isinstance(network, teacher.Teacher):
            teacher.load(network, path)
        else:
            teacher.set_weights(network, keras.models.load_model(path, compile=False).get_weights())
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise DataError(f"{path}: not the weights of the {type(network).__name__.lower()} network") from error
    return network


def _finish(
    network: nn.Module, config: Config, plan: shards.Plan, out: Path, learnt: Sources, taught: bool
) -> None:
    if not taught:
        teacher.save(network, out / "teacher.npz")
        return
    model = networks.numbers()
    model.set_weights(teacher.get_weights(network))
    model.save(out / "numbers.keras")
    distinct = config.part * config.fresh * config.epochs
    finish(
        out,
        About(
            name="numbers",
            kind="strips",
            description=numbers.DESCRIPTION,
            training_data=numbers.told(learnt, distinct, plan.learnt(config.epochs))
            + ", half of them with what a teacher had for them",
            make_again=(
                f"python -m digitlens_train distill --epochs {config.epochs} --seed {config.seed} "
                f"--rate {config.rate} --data DIR --teacher teacher.npz",
            ),
            temperature=1.0,
        ),
    )
