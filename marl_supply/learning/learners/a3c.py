"""Asynchronous advantage actor-critic (Mnih et al. 2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from marl_supply.errors import InputError
from marl_supply.learning.actor_critic import ActorCriticLearner


@dataclass(frozen=True)
class A3C(ActorCriticLearner):
    """Workers play with weights of their own, compute one gradient from what they saw, and send it.

    Gradients are applied in the order of their arrival, by one optimizer for all workers; the worker that delivered
    one gets the new weights and plays on. Nothing is clipped but gradients, and no batch is used twice. Advantages
    are measured in standard deviations of the critics' targets and not centred on a batch.

    In one process `workers` take turns, so that after a first round each gradient was computed on weights that are
    `workers` - 1 updates old: the same algorithm in an order that can be repeated and resumed. With remote env runners
    each of them is a worker, the order is that of arrival, and two runs differ.

    Attributes
    ----------
    workers : int
        Workers in one process, each with an equal share of the replications.
    trace : float
        1: returns of as many periods as are left until the worker sends its gradient (the paper's n steps, n being
        `periods`), bootstrapped there.
    optimizer : str
        "rmsprop": shared statistics of squared gradients, as in the paper; "adam".
    """

    trainer: ClassVar[str] = "marl_supply.learning.rllib.a3c.trainer:A3CTrainer"
    update: ClassVar[str] = "asynchronous"

    workers: int = 4
    critic: str = "own"
    trace: float = 1.0
    periods: int = 10
    entropy: float = 0.01
    optimizer: str = "rmsprop"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least_one("workers")
        self.one_of("optimizer", ("rmsprop", "adam"))
        if self.replications % self.workers:
            raise InputError(
                f"workers: {self.replications} replications do not divide among {self.workers} workers; use a number "
                "that divides them."
            )
