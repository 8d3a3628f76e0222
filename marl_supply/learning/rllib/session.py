"""Starting ray on this machine without its noise, and what a training asks of a cluster."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass

import ray

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",  # Tune's tables of progress; ours is one line
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # an interrupt is ours to report
    "TUNE_FUNCTION_THREAD_TIMEOUT_S": "60",  # a trial that is paused leaves its process to the next one
}
"""How ray and Tune behave, here and on the nodes."""


@dataclass(frozen=True)
class Resources:
    """What a row asks of a cluster: processors and accelerators of its process, and runners with a processor each."""

    cpus: float = 1.0
    gpus: float = 0.0
    runners: int = 0


def ensure_ray(cpus: int | None = None, runners: int = 0) -> None:
    """Start a small ray here; nothing if there is a connection already, as in a worker of a cluster.

    Parameters
    ----------
    cpus : int or None
        Processors that ray may use here; None for all.
    runners : int
        Remote runners that must find a place: more of them than processors share these.
    """
    if ray.is_initialized():
        return
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    ray.init(
        address="local",  # never a cluster that happens to run on this machine
        num_cpus=max(cpus or len(os.sched_getaffinity(0)), runners) if runners else cpus,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        object_store_memory=150_000_000,
    )
