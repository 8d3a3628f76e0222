"""One ray session for all tests of learning."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def ray_session() -> Iterator[None]:
    """A small ray on this machine."""
    ray = pytest.importorskip("ray")
    from marl_supply.learning.rllib import ensure_ray

    ensure_ray(2)
    yield
    ray.shutdown()
