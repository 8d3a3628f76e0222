"""The settings of a pretraining and of fine-tuning: the network, what it learns from, and how."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar, Self

from marl_supply.errors import InputError, nearest

PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Settings:
    """Numbers and words under one key of a file, each with a default.

    Attributes
    ----------
    place : str
        The key.
    """

    place: ClassVar[str]

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if item.type == "int" and (not isinstance(value, int) or isinstance(value, bool)):
                raise InputError(f"{self.place}.{item.name}: {value!r} is no whole number.")
            if item.type == "float" and (not isinstance(value, (int, float)) or isinstance(value, bool)):
                raise InputError(f"{self.place}.{item.name}: {value!r} is no number.")
            if item.type == "float" and not math.isfinite(value):
                raise InputError(f"{self.place}.{item.name}: {value!r} is no finite number.")
            if item.type == "str" and not isinstance(value, str):
                raise InputError(f"{self.place}.{item.name}: {value!r} is no text.")
        self._check()

    def _check(self) -> None:
        """Refuse what makes no sense."""

    def _at_least(self, least: int, *names: str) -> None:
        for name in names:
            if getattr(self, name) < least:
                raise InputError(f"{self.place}.{name}: {getattr(self, name)} is too few; use {least} or more.")

    def _shares(self, top: float, *names: str) -> None:
        for name in names:
            if not 0 <= getattr(self, name) <= top:
                raise InputError(
                    f"{self.place}.{name}: {getattr(self, name)} is no share; use a number from 0 to {top:g}."
                )

    def _above_zero(self, *names: str) -> None:
        for name in names:
            if not getattr(self, name) > 0:
                raise InputError(f"{self.place}.{name}: {getattr(self, name)} is not above 0.")

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
                raise InputError(f"{self.place}: no setting '{key}'{nearest(key, known)}")
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; `changed` reads it."""
        return asdict(self)


@dataclass(frozen=True)
class Pretraining(Settings):
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
        Of Muon and AdamW: the highest rate, reached after a share `warm_up` of the updates, then falling as a cosine
        to 0.
    beginnings : float
        Share of pieces that begin with an episode, the others begin anywhere. What a model cannot copy from its own
        past, such as the level that stock is to rise to, it has to learn there.
    unconditional : float
        Share of pieces whose requested return is hidden, so that the model also plays without one.
    cycles : float
        Periods over which the return that follows a decision is taken, in times that goods take from the suppliers of
        what it decides to the market. With less, what an order is worth has not come; with more, it drowns.
    return_loss : float
        Weight of the likelihood of returns beside that of decisions.
    share : float
        Share of the instances of each task that are learned from, the first of them; fewer data for scaling runs.
    held_back : float
        Share of the episodes of each dataset on which the loss is measured, never learned from.
    evaluations : int
        How often that is done.
    request : float
        The return that the model asks for where nothing else is said, relative to the baseline.
    precision : str
        "float32", or "bfloat16": products in mixed precision.
    device : str
        Where torch computes: "cpu", "cuda", "cuda:1".
    seed : int
        Of weights and batches.
    """

    place: ClassVar[str] = "pretrain"

    width: int = 96
    layers: int = 4
    heads: int = 4
    components: int = 4
    window: int = 8
    segment: int = 16
    tokens: int = 30_000_000
    batch_tokens: int = 1024
    learning_rate: float = 3e-3
    warm_up: float = 0.02
    weight_decay: float = 0.01
    gradient_clip: float = 1.0
    beginnings: float = 0.25
    unconditional: float = 0.1
    cycles: float = 2.5
    return_loss: float = 0.2
    share: float = 1.0
    held_back: float = 0.05
    evaluations: int = 10
    request: float = 0.0
    precision: str = "float32"
    device: str = "cpu"
    seed: int = 0

    def _check(self) -> None:
        self._at_least(1, "width", "layers", "heads", "components", "window", "segment", "tokens", "batch_tokens")
        self._at_least(1, "cycles", "evaluations")
        self._at_least(0, "seed", "weight_decay", "return_loss")
        self._shares(1, "warm_up", "beginnings", "unconditional", "share")
        self._shares(0.5, "held_back")
        self._above_zero("share", "learning_rate", "gradient_clip")
        if self.width % (2 * self.heads):
            raise InputError(f"pretrain.width: {self.width} numbers do not divide among {self.heads} heads evenly.")
        if self.segment < self.window:
            raise InputError(f"pretrain.segment: {self.segment} periods are fewer than the window, {self.window}.")
        if self.precision not in PRECISIONS:
            raise InputError(f"pretrain.precision: no '{self.precision}'{nearest(self.precision, PRECISIONS)}")


@dataclass(frozen=True)
class FineTuning(Settings):
    """How a pretrained model goes on learning by playing one game.

    Attributes
    ----------
    lucks, copies : int
        Episodes of an update: so many sequences of demand, each met by so many copies that act at random otherwise.
    periods : int
        Of an episode, at most the game's horizon.
    reach : int
        Periods over which an action is held to account.
    epochs : int
        Steps on the episodes of an update.
    clip : float
        Of the ratio of probabilities, as in PPO.
    learning_rate, gradient_clip : float
        Of Adam; the rate falls linearly to 0.
    request : float
        The return that is asked for.
    evaluations, evaluation_replications, evaluation_periods : int
        How often, and on how much held-out demand, greedy play is compared; the best is kept, what it began with
        included.
    device : str
        Where torch computes.
    """

    place: ClassVar[str] = "fine_tune"

    lucks: int = 8
    copies: int = 16
    periods: int = 50
    reach: int = 20
    epochs: int = 4
    clip: float = 0.2
    learning_rate: float = 1e-4
    gradient_clip: float = 1.0
    request: float = 0.0
    evaluations: int = 8
    evaluation_replications: int = 256
    evaluation_periods: int = 200
    device: str = "cpu"

    def _check(self) -> None:
        self._at_least(1, "lucks", "periods", "reach", "epochs", "evaluations")
        self._at_least(1, "evaluation_replications", "evaluation_periods")
        self._at_least(2, "copies")
        self._above_zero("clip", "learning_rate", "gradient_clip")

    @property
    def rows(self) -> int:
        """Environment steps of an update."""
        return self.lucks * self.copies * self.periods
