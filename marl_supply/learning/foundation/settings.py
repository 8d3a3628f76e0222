"""The settings of a pretraining: the network, what it learns from, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from marl_supply.errors import InputError, nearest

PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Pretraining:
    """How a model is pretrained; a field is a key of the section `pretrain` of a model file.

    Attributes
    ----------
    width, layers, heads : int
        Of the transformer: numbers of a token, blocks, attention heads.
    components : int
        Logistic components of the law of a number that is decided.
    window : int
        Periods that a token attends to, its own included.
    segment : int
        Periods of the pieces of episodes that it learns from; more than `window`.
    tokens : int
        Budget: tokens learned from, all tasks together.
    batch_tokens : int
        Tokens of each task in one update.
    learning_rate, warm_up, weight_decay, gradient_clip : float
        Of AdamW: the highest rate, reached after a share `warm_up` of the updates, then falling as a cosine to 0.
    unconditional : float
        Share of pieces whose requested return is hidden, so that the model also plays without one.
    return_periods : int
        Periods over which a return-to-go is taken, at most those left of the episode.
    least_return_periods : int
        Decisions with fewer periods left are not learned: what they earned is mostly luck.
    share : float
        Share of the episodes of each instance and policy that is learned from; fewer data for scaling runs.
    held_back : float
        Share of the episodes of each dataset on which the loss is measured, never learned from.
    evaluations : int
        How often that is done.
    precision : str
        "float32", or "bfloat16": products in mixed precision.
    device : str
        Where torch computes: "cpu", "cuda", "cuda:1".
    seed : int
        Of weights and batches.
    """

    width: int = 96
    layers: int = 4
    heads: int = 4
    components: int = 4
    window: int = 8
    segment: int = 16
    tokens: int = 30_000_000
    batch_tokens: int = 1024
    learning_rate: float = 1e-3
    warm_up: float = 0.02
    weight_decay: float = 0.01
    gradient_clip: float = 1.0
    unconditional: float = 0.1
    return_periods: int = 50
    least_return_periods: int = 10
    share: float = 1.0
    held_back: float = 0.05
    evaluations: int = 10
    precision: str = "float32"
    device: str = "cpu"
    seed: int = 0

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if item.type == "int" and (not isinstance(value, int) or isinstance(value, bool)):
                raise InputError(f"pretrain.{item.name}: {value!r} is no whole number.")
            if item.type == "float" and (not isinstance(value, (int, float)) or isinstance(value, bool)):
                raise InputError(f"pretrain.{item.name}: {value!r} is no number.")
        for name in ("width", "layers", "heads", "components", "window", "segment", "tokens", "batch_tokens"):
            self._at_least(name, 1)
        for name in ("return_periods", "least_return_periods", "evaluations"):
            self._at_least(name, 1)
        self._at_least("seed", 0)
        for name, top in (("warm_up", 1), ("unconditional", 1), ("share", 1), ("held_back", 0.5)):
            if not 0 <= getattr(self, name) <= top:
                raise InputError(f"pretrain.{name}: {getattr(self, name)} is no share; use a number from 0 to {top}.")
        if not self.share > 0:
            raise InputError("pretrain.share: 0 leaves nothing to learn from; use a share above 0.")
        if not (self.learning_rate > 0 and self.gradient_clip > 0 and self.weight_decay >= 0):
            raise InputError("pretrain: learning_rate and gradient_clip must be above 0, weight_decay not below.")
        if self.width % (2 * self.heads):
            raise InputError(f"pretrain.width: {self.width} numbers do not divide among {self.heads} heads evenly.")
        if self.segment < self.window:
            raise InputError(f"pretrain.segment: {self.segment} periods are fewer than the window, {self.window}.")
        if self.precision not in PRECISIONS:
            raise InputError(f"pretrain.precision: no '{self.precision}'{nearest(self.precision, PRECISIONS)}")

    def _at_least(self, name: str, least: int) -> None:
        if getattr(self, name) < least:
            raise InputError(f"pretrain.{name}: {getattr(self, name)} is too few; use {least} or more.")

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """The same with some settings changed.

        Raises
        ------
        InputError
            If a setting does not exist, or makes no sense.
        """
        known = [item.name for item in fields(self)]
        for key in changes:
            if key not in known:
                raise InputError(f"pretrain: no setting '{key}'{nearest(key, known)}")
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; ``Pretraining().changed(...)`` reads it."""
        return asdict(self)
