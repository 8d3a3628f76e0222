"""The RLlib algorithm of Q-learning: sample from all runners, learn from the replay, send the networks back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ray.rllib.core.rl_module.multi_rl_module import MultiRLModuleSpec

from marl_supply.errors import InputError
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.learning.choosing import ChoosingLearner
from marl_supply.learning.learners.dqn import DQN
from marl_supply.learning.rllib.algorithm import GameAlgorithm, GameConfig
from marl_supply.learning.rllib.q_learning.learner import QLearner
from marl_supply.learning.rllib.q_learning.modules import module_specs
from marl_supply.learning.rllib.q_learning.runner import QRunner


class QConfig(GameConfig):
    """RLlib configuration of Q-learning: a game, its settings, the seeds of the copies, and who does not learn.

    Examples
    --------
    >>> game = Game("beer_game_uniform", reward="shared")  # doctest: +SKIP
    >>> config = QConfig().play(game, DQN(), seeds=[0, 1])  # doctest: +SKIP
    >>> algorithm = config.build_algo()  # doctest: +SKIP
    """

    def __init__(self, algo_class: type | None = None) -> None:
        super().__init__(algo_class=algo_class or QAlgorithm)
        self.learner = DQN()
        self.env_runners(env_runner_cls=QRunner, num_env_runners=0)

    def play(
        self,
        game: Game,
        learner: ChoosingLearner,
        seeds: Sequence[int] = (0,),
        env_steps: int = 1_000_000,
        fixed: Mapping[str, Policy] | None = None,
    ) -> QConfig:
        """Say what is trained; parameters as for `GameConfig.play`.

        Raises
        ------
        InputError
            For settings of another learner, and for games that they cannot learn.
        """
        if not isinstance(learner, DQN):
            raise InputError(f"learner {learner.name}: Q-learning takes the settings of dqn.")
        learner.check(game, fixed or {})
        self.describe(game, learner, seeds, env_steps, fixed)
        self.training(learner_class=QLearner, train_batch_size_per_learner=learner.rows)
        self.name_modules(*self.interface().modules)
        return self

    def validate(self) -> None:
        """Refuse what the learner does not do."""
        super().validate()
        if self.num_learners > 1:
            raise InputError(f"learners: {self.num_learners} would need a replay each; use 0 or 1.")

    def get_multi_rl_module_spec(self, *, inference_only: bool = False, **kwargs: Any) -> MultiRLModuleSpec:
        """The Q-networks in the order of the game."""
        assert isinstance(self.learner, DQN)
        return MultiRLModuleSpec(rl_module_specs=module_specs(self.interface(), self.learner, self.seeds))


class QAlgorithm(GameAlgorithm):
    """Synchronous sampling and updates of K copies from their replay, which the learner keeps."""

    @classmethod
    def get_default_config(cls) -> QConfig:
        """An empty configuration; `QConfig.play` fills it."""
        return QConfig()
