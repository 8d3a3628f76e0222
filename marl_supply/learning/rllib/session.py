"""Starting ray on this machine without its noise."""

from __future__ import annotations

import logging

import ray


def ensure_ray(cpus: int | None = None, address: str | None = None) -> None:
    """Connect to a ray cluster, or start a small one here; nothing if there is a connection already.

    Parameters
    ----------
    cpus : int or None
        Processors that ray may use here; None for all.
    address : str or None
        Of a running cluster, such as ``ray://host:10001``.
    """
    if ray.is_initialized():
        return
    if address is not None:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        return
    ray.init(
        num_cpus=cpus,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        object_store_memory=150_000_000,
    )
