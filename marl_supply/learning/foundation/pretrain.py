"""Pretrain a model on recorded play: resumed where it stopped, measured on episodes held back, exported in the end."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from marl_supply.data.load import Dataset
from marl_supply.errors import InputError
from marl_supply.learning.checkpoint import load_checkpoint, save_checkpoint
from marl_supply.learning.foundation.corpus import Seats, corpus_of
from marl_supply.learning.foundation.optimizer import Optimizer
from marl_supply.learning.foundation.settings import Pretraining
from marl_supply.learning.foundation.shapes import Shape
from marl_supply.learning.foundation.transformer import TensorBatch, Transformer, loss_of
from marl_supply.learning.trained import save_policies
from marl_supply.learning.trained.transformer_policy import ANYBODY, TransformerPolicy

Progress = Callable[[float, str], None]
"""Called with the share that is done, and what is being done."""
HELD_BACK_PIECES = 256
"""Pieces of held-back episodes of each kind of seat on which the loss is measured."""
BATCHES, HELD_BACK = 0, 1
"""Streams of random numbers of a seed."""


def pretrain(
    datasets: Mapping[str, Dataset],
    settings: Pretraining,
    out_dir: str | Path,
    progress: Progress = lambda share, text: None,
) -> Path:
    """Pretrain one model on the datasets of several tasks.

    Parameters
    ----------
    datasets
        By task; recorded on common seeds, the first policy of each is the baseline that returns are relative to.
    settings
        Of the model and its training.
    out_dir
        Gets ``checkpoint.pt``, ``curve.jsonl`` and ``model.npz``; if a checkpoint of the same pretraining lies there,
        it goes on from it.
    progress
        Told of what is done.

    Returns
    -------
    Path
        Of the model: one policy for any seat, read by `load_policies`.

    Raises
    ------
    InputError
        For datasets that cannot be learned from, a device that is not there, and a checkpoint that is damaged or of
        another pretraining.
    """
    return _Run(datasets, settings, Path(out_dir), progress).finish()


class _Run:
    """A pretraining in progress."""

    def __init__(
        self, datasets: Mapping[str, Dataset], settings: Pretraining, out_dir: Path, progress: Progress
    ) -> None:
        self.settings, self.out_dir, self.progress = settings, out_dir, progress
        check_device(settings.device)
        self.seats = corpus_of(datasets, settings, lambda line: progress(0.0, line))
        self.identity = _identity(datasets, settings)
        torch.manual_seed(settings.seed)
        self.model = Transformer(shape_of(settings)).to(settings.device)
        self.optimizer = Optimizer(self.model, settings)
        self.done, self.tokens, self.seconds = 0, 0, 0.0
        self.curve: list[dict[str, Any]] = []
        self.pieces = [_pieces(own, settings) for own in self.seats]
        self.each = sum(number * _length(own, settings) for own, number in zip(self.seats, self.pieces, strict=True))
        self.updates = max(1, math.ceil(settings.tokens / self.each))
        self._resume()

    def finish(self) -> Path:
        """Train to the end of the budget, and export."""
        settings, began = self.settings, time.monotonic() - self.seconds
        stops = {round(self.updates * (n + 1) / settings.evaluations) for n in range(settings.evaluations)}
        while self.done < self.updates:
            self._update()
            self.done += 1
            self.tokens += self.each
            self.seconds = time.monotonic() - began
            if self.done in stops:
                self._measure()
                self._save()
            if self.done % 10 == 0:
                self.progress(self.done / self.updates, f"{self.tokens:,} tokens")
        path = self.out_dir / "model.npz"
        save_policies(path, {ANYBODY: self.policy()})
        return path

    def policy(self) -> TransformerPolicy:
        """The model as a policy that plays any seat."""
        record = {
            "learner": "decision_transformer",
            "settings": self.settings.to_dict(),
            "tasks": sorted({own.task for own in self.seats}),
            "tokens": self.tokens,
            "weights": sum(value.numel() for value in self.model.parameters()),
            "seconds": round(self.seconds, 1),
        }
        return TransformerPolicy.of(self.model.shape, self.model.arrays(), record, self.settings.request)

    def _update(self) -> None:
        settings = self.settings
        generator = np.random.default_rng([settings.seed, BATCHES, self.done])
        self.optimizer.clear()
        for own, pieces in zip(self.seats, self.pieces, strict=True):
            batch = own.batch(generator, pieces, settings)
            with torch.autocast(torch.device(settings.device).type, torch.bfloat16, settings.precision == "bfloat16"):
                loss = loss_of(self.model, TensorBatch(batch, settings.device), settings.return_loss) / len(self.seats)
            loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), settings.gradient_clip)
        self.optimizer.step(settings.learning_rate * rate_at(self.done / self.updates, settings.warm_up))

    def _measure(self) -> None:
        """The loss on episodes held back, by task: nats a decision."""
        point: dict[str, Any] = {"tokens": self.tokens, "seconds": round(self.seconds, 1), "updates": self.done}
        losses: dict[str, list[float]] = {}
        with torch.no_grad():
            for own in self.seats:
                if own.held.any():
                    generator = np.random.default_rng([self.settings.seed, HELD_BACK])
                    batch = own.batch(generator, HELD_BACK_PIECES, self.settings, held=True)
                    loss = loss_of(self.model, TensorBatch(batch, self.settings.device))
                    losses.setdefault(own.task, []).append(float(loss))
        self.curve.append(point | {"loss": {task: float(np.mean(found)) for task, found in losses.items()}})

    def _save(self) -> None:
        state = {
            "identity": self.identity,
            "done": self.done,
            "tokens": self.tokens,
            "seconds": self.seconds,
            "curve": self.curve,
            "weights": [parameter.detach().cpu().numpy() for parameter in self.model.parameters()],
            "moments": list(self.optimizer.moments()),
        }
        save_checkpoint(self.out_dir / "checkpoint.pt", state)
        lines = [json.dumps(point) for point in self.curve]
        (self.out_dir / "curve.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _resume(self) -> None:
        path = self.out_dir / "checkpoint.pt"
        if not path.exists():
            return
        state = load_checkpoint(path)
        if state.get("identity") != self.identity:
            raise InputError(
                f"{path}: belongs to another pretraining (data or settings differ); choose another folder."
            )
        self.done, self.tokens, self.seconds = state["done"], state["tokens"], state["seconds"]
        self.curve = list(state["curve"])
        with torch.no_grad():
            for parameter, weight in zip(self.model.parameters(), state["weights"], strict=True):
                parameter.copy_(torch.from_numpy(np.array(weight)))
        self.optimizer.load(state["moments"])


def shape_of(settings: Pretraining) -> Shape:
    """The sizes of the network that settings ask for."""
    return Shape(settings.width, settings.layers, settings.heads, settings.components, settings.window)


def rate_at(done: float, warm_up: float) -> float:
    """The learning rate after a share of the updates, as a share of the highest."""
    rising = min(1.0, (done + 1e-9) / warm_up) if warm_up else 1.0
    return rising * 0.5 * (1 + math.cos(math.pi * done))


def check_device(device: str) -> None:
    """Refuse a device that torch does not have here.

    Raises
    ------
    InputError
    """
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError):
        raise InputError(f"device: torch has no '{device}' here; use cpu.") from None


def _pieces(own: Seats, settings: Pretraining) -> int:
    """Pieces of one kind of seat in an update."""
    return max(1, round(settings.batch_tokens / _length(own, settings)))


def _length(own: Seats, settings: Pretraining) -> int:
    """Tokens of a piece."""
    return own.period_tokens * min(settings.segment, own.values.shape[1])


def _identity(datasets: Mapping[str, Dataset], settings: Pretraining) -> str:
    """A digest of what a checkpoint depends on: the settings but for the device, and the digests of the data."""
    cards = {task: [entry["sha256"] for entry in own.card["instances"]] for task, own in datasets.items()}
    text = json.dumps([{**settings.to_dict(), "device": ""}, cards], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
