"""The laws of `laws` on random chains: some examples in every run, five hundred of each among the slow tests."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from laws import LAWS, check_batch
from random_plays import chains

from marl_supply.game import Game

CALM = [HealthCheck.too_slow, HealthCheck.data_too_large]


def check(law: Any, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=CALM)
    @given(chains(), st.randoms(use_true_random=False))
    def on_any_chain(chain: dict[str, Any], random: Any) -> None:
        law(chain, random)

    on_any_chain()


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law: Any) -> None:
    check(law, 20)


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law_on_five_hundred_chains(law: Any) -> None:
    check(law, 500)


@pytest.mark.parametrize("units", ["integer", "continuous"])
def test_a_batch_is_its_replications_where_many_numbers_add_up(units: str) -> None:
    """Eleven agents and ten lines on one row: sums long enough to be rounded differently in another order."""
    process = {"process": "poisson", "mean": 2} if units == "integer" else {"process": "gamma", "mean": 2, "sd": 1}
    stores = [f"store_{number}" for number in range(10)]
    holding = [{"on_hand": 3, "holding_cost": 0.1 + 0.03 * number, "backorder_cost": 0.7} for number in range(10)]
    chain = {
        "name": "star",
        "nodes": {
            "plant": {"kind": "source"},
            "depot": {"on_hand": 20, "holding_cost": 0.1},
            **dict(zip(stores, holding, strict=True)),
        },
        "edges": [
            {"from": "plant", "to": "depot", "lead_time": 2, "pipeline": 10},
            *({"from": "depot", "to": store, "pipeline": 1} for store in stores),
        ],
        "markets": {f"to_{store}": {"served_by": [store], **process} for store in stores},
        "units": units,
        "game": {"reward": "shared", "actions": "quantity"},
    }
    check_batch(Game(chain), 62, 4)
