"""Learners that take a moment, for tests."""

from marl_supply.learning.settings import Learner, learner_named

SMALL = {
    "replications": 32,
    "periods": 20,
    "hidden": (8, 8),
    "critic_hidden": (8, 8),
    "restart_after": 14,
    "critic_only_updates": 0,
    "epochs": 2,
    "minibatches": 2,
    "evaluations": 2,
    "evaluation_replications": 64,
    "evaluation_periods": 30,
}


def small(name: str, **changes: object) -> Learner:
    """A learner that takes a moment; chains are cut within each batch."""
    return learner_named(name, {**SMALL, **changes})
