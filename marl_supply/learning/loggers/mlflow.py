"""MLflow: a run for each row; where its server is comes from MLFLOW_TRACKING_URI."""

from __future__ import annotations

from typing import Any, ClassVar

from marl_supply.learning.loggers.logger import Figures, Logger, Run

LONGEST = 250
"""Characters of a parameter that every version of MLflow takes."""


class Mlflow(Logger):
    """Logs to the experiment of the same name."""

    package: ClassVar[str] = "mlflow"

    def __init__(self, run: Run, first_step: int) -> None:
        from mlflow.tracking import MlflowClient

        self._client: Any = MlflowClient()
        found = self._client.get_experiment_by_name(run.experiment)
        experiment = found.experiment_id if found else self._client.create_experiment(run.experiment)
        self._id = self._client.create_run(experiment, run_name=run.row).info.run_id
        for name, value in run.settings.items():
            self._client.log_param(self._id, name, str(value)[:LONGEST])

    def write(self, step: int, figures: Figures) -> None:
        """Log some figures."""
        for name, value in figures.items():
            self._client.log_metric(self._id, name, value, step=step)

    def close(self) -> None:
        """Write what is not written yet."""
        self._client.set_terminated(self._id)
