"""Deep Q-networks for the seats of a chain (Oroojlooyjadid, Nazari, Snyder and Takac 2022, "A deep Q-network for the
beer game"; double estimates of van Hasselt, Guez and Silver 2016)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.learning.choosing import ChoosingLearner


@dataclass(frozen=True)
class DQN(ChoosingLearner):
    """Each learning agent has its own Q-network, and learns from its own replay of what all its chains met.

    The chains of a game are cut, never ended: the value of the state after the last period counts like any other.
    Rewards are divided by their standard deviation in the replay.

    Attributes
    ----------
    replications, periods : int
        B chains that play side by side for each copy, and T periods that each plays between two updates.
    discount : float
        Gamma.
    feedback : float
        beta of the source: when a game ends, the reward of agent i in each of its periods grows by
        beta / (N - 1) x (omega - tau_i), where tau_i is its own mean reward over the game and omega the sum of those
        of all N agents, learning or not. 0 leaves it out; anything else needs the reward `individual`.
    replay : int
        Transitions of a copy that are kept; older ones are overwritten.
    learning_starts : int
        Transitions of a copy before the first gradient step.
    gradient_steps, batch : int
        Steps of an update, and the transitions of each, drawn uniformly.
    target_every : int
        Updates after which the target network follows the network.
    target_rate : float
        Share of the way that it goes then: 1 copies the network, less is an average of the past ones (Lillicrap et
        al. 2016). The target network is the steadier of the two, so evaluations and trained policies are its.
    returns : int
        Rewards that are added up before the target network's value (1 is the source's).
    double : bool
        Whether the network chooses the action that the target network values.
    centre : bool
        Whether the mean of an update's targets is subtracted from them (relative Q-learning, Abounadi, Bertsekas and
        Borkar 2001): a constant that no action depends on, since no game ends, and that is then not learned.
    first_epsilon, last_epsilon, epsilon_share : float
        Chance of a uniformly drawn action, falling linearly from the first to the last over this share of the training.
    huber : float
        Errors beyond it count linearly, in standard deviations of the reward.
    learning_rate : float
        Step size of Adam, falling linearly to a tenth over the training.
    """

    trainer: ClassVar[str] = "marl_supply.learning.rllib.q_learning.trainer:QTrainer"

    replications: int = 32
    periods: int = 16
    hidden: tuple[int, ...] = (64, 64)
    learning_rate: float = 1e-3
    gradient_clip: float = 1.0
    observation_clip: float = 10.0
    discount: float = 0.99
    feedback: float = 0.0
    replay: int = 200_000
    learning_starts: int = 2_000
    gradient_steps: int = 32
    batch: int = 128
    target_every: int = 1
    target_rate: float = 0.1
    returns: int = 4
    double: bool = True
    centre: bool = True
    first_epsilon: float = 0.5
    last_epsilon: float = 0.05
    epsilon_share: float = 0.8
    huber: float = 3.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least_one("replay", "gradient_steps", "batch", "target_every", "returns")
        if self.share != "none" or self.head != "categories":
            raise InputError("dqn: each agent has its own network, a value for each choice; leave share and head.")
        for name in ("target_rate", "first_epsilon", "last_epsilon", "epsilon_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name}: {getattr(self, name)} is no share; use a number from 0 to 1.")
        if self.feedback < 0:
            raise InputError(f"feedback: {self.feedback} would reward harm to others; use 0 or more.")
        if self.slots <= self.returns + self.periods:
            raise InputError(
                f"replay: {self.replay} transitions are {self.slots} periods of {self.replications} chains, fewer than "
                "an update and the added rewards need; use more."
            )

    def check(self, game: Game, fixed: Mapping[str, Policy]) -> None:
        """Refuse also seats with several numbers to decide, and team feedback on rewards that are the team's."""
        super().check(game, fixed)
        for agent in game.agents:
            if agent not in fixed and len(game.actions[agent].low) > 1:
                raise InputError(
                    f"{game.topology.name}: '{agent}' decides {len(game.actions[agent].low)} numbers, and dqn chooses "
                    "one; use ppo."
                )
        if self.feedback and game.own_weight != 1:
            raise InputError(
                f"feedback: {self.feedback} adds the others' costs to an agent's own, and the reward of "
                f"{game.topology.name} holds them already; use reward: individual, or feedback: 0."
            )

    @property
    def slots(self) -> int:
        """Periods of all chains that the replay holds: whole updates."""
        return -(-self.replay // self.rows) * self.periods

    def epsilon(self, done: float) -> float:
        """Chance of a uniformly drawn action when a share `done` of the training is over."""
        falling = min(done / self.epsilon_share, 1.0) if self.epsilon_share > 0 else 1.0
        return self.first_epsilon + falling * (self.last_epsilon - self.first_epsilon)
