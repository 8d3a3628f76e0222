"""Many trainings side by side through Ray Tune: bad ones stopped early (ASHA), or settings changed on the way (PBT).

Sources: Li et al. (2020), "A system for massively parallel hyperparameter tuning"; Jaderberg et al. (2017),
"Population based training of neural networks".
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, PopulationBasedTraining, TrialScheduler

from marl_supply.learning.rllib.session import ENVIRONMENT, Resources

Settings = dict[str, Any]
Tell = Callable[[float, int, Path | None], None]
"""Called with the metric, the environment steps, and the folder of the checkpoint after every evaluation."""


@dataclass(frozen=True)
class Start:
    """Where a trial begins in this process.

    row: its name; settings: those it has now; inherited, donor: the folder of another row's checkpoint, and that row,
    if it takes that over; again: whether what it told before is forgotten and has to be told again.
    """

    row: str
    settings: Settings
    inherited: Path | None
    donor: str
    again: bool


Trial = Callable[[Start, Tell], None]
"""Trains one row to the end of its budget. Called in a process of its own, maybe several times for one row."""


@dataclass(frozen=True)
class Search:
    """How trials are run.

    Attributes
    ----------
    scheduler : str
        "none", "asha" or "pbt".
    evaluations : int
        That a trial tells of if nobody stops it.
    grace : int
        Evaluations before ASHA may stop a trial; between two changes of settings by PBT.
    drawn : dict
        For PBT, the settings that may change: a list of values, or how a number is drawn
        (``("loguniform", low, high)``).
    failures : int
        Times that a trial whose process or node died is begun again from its checkpoint.
    at_once : int or None
        Most trials at a time; None for what the cluster holds.
    """

    scheduler: str
    evaluations: int
    grace: int
    drawn: Mapping[str, Any]
    failures: int
    at_once: int | None
    resources: Resources
    seed: int = 0


def run_trials(
    trial: Trial,
    rows: Mapping[str, Settings],
    search: Search,
    storage: Path,
    heard: Callable[[str, Mapping[str, Any]], None],
    ended: Callable[[str, str | None], None],
) -> None:
    """Run a trial for each row.

    Parameters
    ----------
    trial
        What each does.
    rows
        Their names and settings.
    storage
        A folder that all nodes share. PBT's checkpoints stay in it to the end: others may take over an old one.
    heard
        Called here with a row and what it told.
    ended
        Called here with a row that is over, finished or stopped early, and its error if it has one.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    random.seed(search.seed)  # what PBT draws from
    bundles = [{"CPU": search.resources.cpus, "GPU": search.resources.gpus}]
    bundles += [{"CPU": 1.0}] * search.resources.runners
    trainable = tune.with_resources(
        partial(_train, trial=trial, keeps=search.scheduler == "pbt"), tune.PlacementGroupFactory(bundles)
    )
    tuner = tune.Tuner(
        trainable,
        param_space={"cell": tune.grid_search([{"row": row, "settings": own} for row, own in rows.items()])},
        tune_config=tune.TuneConfig(
            metric="metric",
            mode="min",
            scheduler=_scheduler(search),
            max_concurrent_trials=search.at_once,
            reuse_actors=True,
            trial_name_creator=lambda made: made.config["cell"]["row"],  # PBT copies configs, and with them this row
        ),
        run_config=tune.RunConfig(
            name="trials",
            storage_path=str(storage),
            failure_config=tune.FailureConfig(max_failures=search.failures),
            callbacks=[_Heard(heard, ended)],
            verbose=0,
        ),
    )
    tuner.fit()


def _scheduler(search: Search) -> TrialScheduler:
    if search.scheduler == "asha":
        most = search.evaluations + 1  # the last evaluation stops nobody: the trial is scored after it
        return AsyncHyperBandScheduler(max_t=most, grace_period=min(search.grace, most), reduction_factor=3)
    if search.scheduler == "pbt":
        drawn = {name: _sampler(how) for name, how in search.drawn.items()}
        return PopulationBasedTraining(
            perturbation_interval=search.grace, hyperparam_mutations={"cell": {"settings": drawn}}, log_config=False
        )
    return FIFOScheduler()


def _sampler(how: Any) -> Any:
    """How PBT draws a setting anew."""
    if isinstance(how, list):
        return how
    kind, low, high = how
    return {"uniform": tune.uniform, "loguniform": tune.loguniform, "integer": tune.randint}[kind](low, high)


def _train(config: Mapping[str, Any], *, trial: Trial, keeps: bool) -> None:
    """The trainable: `keeps` gives Tune a checkpoint after every evaluation, for others to take over."""
    row, settings = str(tune.get_context().get_trial_name()), dict(config["cell"]["settings"])
    before = tune.get_checkpoint()

    def tell(metric: float, env_steps: int, folder: Path | None) -> None:
        checkpoint = None
        if keeps and folder is not None:
            checkpoint = tune.Checkpoint.from_directory(folder)
            checkpoint.set_metadata({"row": row})
        tune.report({"metric": metric, "env_steps": env_steps}, checkpoint=checkpoint)

    if before is None:
        trial(Start(row, settings, None, row, again=True), tell)
        return
    with tempfile.TemporaryDirectory(prefix="marl_supply_") as place:
        donor = before.get_metadata()["row"]
        found = Path(before.to_directory(place)) if donor != row else None
        trial(Start(row, settings, found, donor, again=False), tell)


class _Heard(tune.Callback):
    """Passes on what trials tell."""

    def __init__(self, heard: Callable[[str, Mapping[str, Any]], None], ended: Callable[[str, str | None], None]):
        self.heard, self.ended = heard, ended

    def on_trial_result(self, iteration: int, trials: Sequence[Any], trial: Any, result: Any, **info: Any) -> None:
        self.heard(str(trial), result)

    def on_trial_complete(self, iteration: int, trials: Sequence[Any], trial: Any, **info: Any) -> None:
        self.ended(str(trial), None)

    def on_trial_error(self, iteration: int, trials: Sequence[Any], trial: Any, **info: Any) -> None:
        said = [line for line in str(trial.get_error() or "no message").splitlines() if line.strip()]
        self.ended(str(trial), said[-1])
