"""Weights & Biases: a run for each row, which a resumed training goes on with; its key comes from the environment."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, ClassVar

from marl_supply.learning.loggers.logger import Figures, Logger, Run


class Wandb(Logger):
    """Logs to the project named after the experiment."""

    package: ClassVar[str] = "wandb"

    def __init__(self, run: Run, first_step: int) -> None:
        import wandb

        name = f"{run.experiment}/{run.row}"
        self._run: Any = wandb.init(
            project=run.experiment,
            name=run.row,
            id=sha256(f"{name}/{sorted(run.settings.items())}".encode()).hexdigest()[:16],
            resume="allow",
            config=dict(run.settings),
        )

    def write(self, step: int, figures: Figures) -> None:
        """Log some figures."""
        self._run.log({**figures, "env_steps": step}, step=step)

    def close(self) -> None:
        """Write what is not written yet."""
        self._run.finish()
