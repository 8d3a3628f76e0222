"""A training that is over at once: its policies are base-stock rules whose levels depend on the seed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from marl_supply.game.game import Game
from marl_supply.policies import seat_everybody

EVALUATIONS = 4


class StubLearner:
    """Stands for `marl_supply.learning.train.train`; stops half-way the first `interruptions` times."""

    def __init__(self, interruptions: int = 0) -> None:
        self.interruptions = interruptions
        self.calls: list[str] = []

    def __call__(
        self,
        game: Game,
        learner: Any,
        seeds: Sequence[int],
        env_steps: int,
        out_dir: Path,
        progress: Any,
        fixed: Mapping[str, Any],
        env_runners: int = 0,
        watch: Any = None,
    ) -> Any:
        self.calls.append(out_dir.parent.name)
        begun = out_dir / "checkpoint.pt"
        resumed_from = env_steps // 2 if begun.exists() else None
        points = [_point(game, seed, env_steps * n // EVALUATIONS) for n in range(EVALUATIONS + 1) for seed in seeds]
        progress(env_steps // 2, env_steps)
        if self.interruptions:
            self.interruptions -= 1
            out_dir.mkdir(parents=True, exist_ok=True)
            begun.write_text("half")
            (out_dir / "curve.jsonl").write_text(json.dumps({"env_steps": env_steps // 2}) + "\n")
            raise KeyboardInterrupt
        progress(env_steps, env_steps)
        learning = [agent for agent in game.agents if agent not in fixed]
        policies = {seed: _players(game, seed, learning) for seed in seeds}
        chosen = dict.fromkeys(seeds, env_steps)
        return SimpleNamespace(policies=policies, curve=points, chosen=chosen, resumed_from=resumed_from)


def _players(game: Game, seed: int, learning: Sequence[str]) -> dict[str, Any]:
    dearer = 3.0 if game.own_weight == 1 else 0.0  # selfish rows cost more
    levels = dict.fromkeys(game.network.rows, 20.0 + seed % 3 + dearer)
    players = seat_everybody(game, "base_stock", levels)
    return {agent: players[agent] for agent in learning}


def _point(game: Game, seed: int, steps: int) -> Any:
    by_agent = dict.fromkeys(game.agents, 200.0 + 10 * seed - steps / 1000)
    return SimpleNamespace(seed=seed, env_steps=steps, seconds=1.0, cost=sum(by_agent.values()), by_agent=by_agent)
