"""TensorBoard event files in the folder of the results: ``tensorboard --logdir results``."""

from __future__ import annotations

from typing import Any, ClassVar

from marl_supply.learning.loggers.logger import Figures, Logger, Run


class Tensorboard(Logger):
    """Writes ``tensorboard/`` in the row's folder."""

    package: ClassVar[str] = "tensorboardX"

    def __init__(self, run: Run, first_step: int) -> None:
        from tensorboardX import SummaryWriter

        self._writer: Any = SummaryWriter(str(run.folder / "tensorboard"), purge_step=first_step)

    def write(self, step: int, figures: Figures) -> None:
        """Log some figures."""
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        """Write what is not written yet."""
        self._writer.close()
