"""The simulator on torch against the simulator on numpy: every stock, flow and cost of random plays."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from library_plays import Chance, network_of, numbers, play, random_decisions
from random_plays import chains
from shipped_chains import NAMES

from marl_supply.errors import InputError
from marl_supply.simulation.arrays import NUMPY, Arrays
from marl_supply.topology.incidence import Sum
from marl_supply.topology.network import Network

torch = pytest.importorskip("torch")

from marl_supply.simulation.torch_arrays import TorchArrays  # noqa: E402

TORCH = TorchArrays()


class WithoutLooking(TorchArrays):
    """On the CPU, and never spares work by looking at numbers: what a GPU works out."""

    def any(self, a: Any) -> bool:
        return True


WITHOUT_LOOKING = WithoutLooking()


def assert_same(network: Network, arrays: Any, seed: int = 1, periods: int = 12, exact: bool | None = None) -> None:
    """Play both; whole units must be equal, continuous ones and money agree to 1e-9."""
    noise, decide = Chance(network, 3, seed), random_decisions(network, 3, seed)
    expected = play(network, NUMPY, noise, decide, periods)
    found = play(network, arrays, noise, decide, periods)
    exact = network.integer if exact is None else exact
    for kind in (0, 1):
        for period, (ours, theirs) in enumerate(zip(expected[kind], found[kind], strict=True)):
            ours, theirs = numbers(ours), numbers(theirs)
            assert ours.keys() == theirs.keys()
            for name, values in ours.items():
                where = f"period {period}: {name}"
                if exact:
                    np.testing.assert_array_equal(theirs[name], values, err_msg=where)
                else:
                    np.testing.assert_allclose(theirs[name], values, rtol=1e-12, atol=1e-9, err_msg=where)
    for ours, theirs in zip(expected[2], found[2], strict=True):
        np.testing.assert_allclose(np.asarray(theirs), ours, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("units", ["integer", "continuous"])
@pytest.mark.parametrize("name", NAMES)
def test_shipped_topologies(name: str, units: str) -> None:
    assert_same(network_of(name, {"units": units}), TORCH)


FEATURES: dict[str, dict[str, Any]] = {
    "delays": {"edges.0.delay": [0.5, 0.3, 0.2], "edges.1.delay": [0.25, 0.75], "edges.1.crossing": True},
    "losses": {"edges.0.shipping_loss": 0.4, "edges.2.shipping_loss": 0.2},
    "storage": {"nodes.depot.storage": 4, "nodes.depot.overflow_cost": 2},
    "capacity": {"nodes.plant.capacity": 5, "nodes.depot.capacity": 3},
    "shared capacity": {"shared.dock": {"rows": ["east", "west"], "capacity": 4}},
    "disruptions": {
        "nodes.depot.disruption": {"probability": 0.3, "recovery": 0.5},
        "edges.2.disruption": {"at": [2, 6], "length": 2},
        "nodes.plant.disruption": {"probability": 0.2, "recovery": 0.6},
    },
    "reviews and batches": {"nodes.east.review": [2], "nodes.west.review_offset": 3, "edges.0.batch": 3},
    "expediting": {"markets.east.expedite": {"from": "depot", "probability": 0.6, "cost": 2}},
    "perishable": {"nodes.west.shelf_life": 1, "nodes.west.salvage_value": 0.5},
    "discounts": {"edges.0.discounts": [{"from": 4, "purchase_cost": 0.5}], "edges.0.purchase_cost": 1},
    "everything is lost": {"markets.east.unmet": "lost", "edges.1.unmet": "lost", "edges.2.unmet": "lost"},
}


def branching(rule: str = "proportional") -> dict[str, Any]:
    """A plant, a depot with a market of its own, two shops; little stock."""
    market = {"process": "poisson", "price": 3}
    return {
        "name": "branching",
        "defaults": {
            "node": {"on_hand": 2, "holding_cost": 1, "backorder_cost": 4, "lost_sale_cost": 2},
            "edge": {"lead_time": 1, "pipeline": 1},
        },
        "nodes": {"plant": {"kind": "source"}, "depot": {"on_hand": 4, "allocation": rule}, "east": {}, "west": {}},
        "edges": [
            {"from": "plant", "to": "depot"},
            {"from": "depot", "to": "east"},
            {"from": "depot", "to": "west", "lead_time": 2},
        ],
        "markets": {
            "counter": {"served_by": ["depot"], "mean": 1, **market},
            "east": {"served_by": ["east"], "mean": 3, **market},
            "west": {"served_by": ["west"], "mean": 2, **market},
        },
    }


@pytest.mark.parametrize("units", ["integer", "continuous"])
@pytest.mark.parametrize("feature", FEATURES)
def test_features(feature: str, units: str) -> None:
    assert_same(network_of(branching(), {**FEATURES[feature], "units": units}), TORCH, periods=16)


@pytest.mark.parametrize("units", ["integer", "continuous"])
@pytest.mark.parametrize("rule", ["priority", "first_come", "fair_share"])
def test_allocation_rules(rule: str, units: str) -> None:
    network = network_of(branching(rule), {"units": units})
    assert_same(network, TORCH, periods=16)
    if units == "integer":
        assert_same(network, WITHOUT_LOOKING, periods=16)


@settings(deadline=None, max_examples=12, suppress_health_check=list(HealthCheck))
@given(chains(), st.integers(0, 10**6))
def test_random_chains(document: dict[str, Any], seed: int) -> None:
    network = network_of(document)
    assert_same(network, TORCH, seed, periods=8)
    assert_same(network, WITHOUT_LOOKING, seed, periods=8)


@pytest.mark.parametrize("name", NAMES)
def test_float32_holds_whole_units_exactly(name: str) -> None:
    """Products of a claim and a stock stay below 2**24 here; costs are sums of rounded numbers."""
    assert_float32_same(network_of(name, {"units": "integer"}))


@pytest.mark.parametrize("feature", ["storage", "capacity", "shared capacity", "disruptions", "everything is lost"])
def test_float32_holds_limits_and_what_has_none(feature: str) -> None:
    """A source without a bound that is down ships nothing: no infinity meets a zero."""
    assert_float32_same(network_of(branching(), FEATURES[feature]))


def assert_float32_same(network: Network) -> None:
    """Whole units are equal, money agrees to float32's digits."""
    noise, decide = Chance(network, 3, 2), random_decisions(network, 3, 2)
    expected = play(network, NUMPY, noise, decide, 12)
    found = play(network, TorchArrays(dtype=torch.float32), noise, decide, 12)
    for ours, theirs in zip([*expected[0], *expected[1]], [*found[0], *found[1]], strict=True):
        for name, values in numbers(ours).items():
            got = numbers(theirs)[name]
            if not name.startswith("memory"):
                np.testing.assert_array_equal(got, values, err_msg=name)
    np.testing.assert_allclose(np.array([c.numpy() for c in found[2]]), np.array(expected[2]), rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("pricing_")])
def test_no_period_reads_a_number(name: str) -> None:
    """Tensors of the device "meta" have shapes and no numbers: reading one, as waiting for a GPU does, is an error.

    Whole-unit expediting asks numpy, and so does Poisson demand that answers to prices.
    """
    network = network_of(name, {"units": "continuous"})
    noise, decide = Chance(network, 2, 1), random_decisions(network, 2, 1)
    expected = play(network, NUMPY, noise, decide, 4)
    found = play(network, TorchArrays("meta"), noise, decide, 4)
    for ours, theirs in zip(expected[2], found[2], strict=True):
        assert theirs.is_meta and theirs.shape == ours.shape


def every_function(arrays: Arrays) -> list[Any]:
    """What each function of the protocol makes of the same numbers."""
    a = arrays.constant(np.array([[0.5, 1.5], [2.5, -0.5], [-1.5, 3.0]]))
    b = arrays.given([[1.0, 1.0], [2.5, 0.0], [0.0, 9.0]])
    some, square = np.array([2, 0]), np.array([[0, 1], [2, 2]])
    pair = Sum(np.array([1, 0, 1]), 2)
    picked = Sum(np.array([0, 0]), 3, np.array([2, 0]), 3)
    parts = a[:2]
    return [
        arrays.zeros(2, 3),
        arrays.round(a),
        arrays.floor(a),
        arrays.ceil(a),
        arrays.minimum(a, b),
        arrays.minimum(a, 1.0),
        arrays.maximum(a, b),
        arrays.maximum(a, 0.0),
        arrays.less(a, b),
        arrays.less(a, 1.5),
        arrays.where(a > b, a, b),
        arrays.where(a > b, 1.0, b),
        arrays.where(a > b, 1.0, 0.0),
        arrays.take(a, slice(None)),
        arrays.take(a, slice(1, 3)),
        arrays.take(a, some),
        arrays.take(a, square),
        arrays.put(arrays.copy(a), slice(None), b),
        arrays.put(arrays.copy(a), slice(1, 3), b[:2]),
        arrays.put(arrays.copy(a), some, b[:2]),
        arrays.put(arrays.copy(a), some, 7.0),
        arrays.put(arrays.copy(a), np.array([[0, 1]]), b[None, :2]),
        arrays.add_at(arrays.copy(a), slice(None), b),
        arrays.add_at(arrays.copy(a), slice(0, 1), b[:1]),
        arrays.add_at(arrays.copy(a), some, b[:2]),
        arrays.put_columns(arrays.copy(a), np.array([1]), 4.0),
        arrays.put_columns(arrays.copy(a), slice(0, 1), b[:, 1:]),
        arrays.concat([a, parts]),
        arrays.stack([a, b], 1),
        arrays.add_up(pair, a),
        arrays.add_up(picked, a),
        arrays.add_up(Sum(np.array([0, 1]), 2), parts),
        arrays.binomial(arrays.given([[0.0, 3.0, 9.0]]), 0.25, arrays.given([[0.5, 0.9, 0.999]])),
        arrays.binomial(arrays.given([[4.0], [5.0]]), arrays.given([[0.0], [1.0]]), arrays.given([[0.3], [0.3]])),
        arrays.any(a > 2),
        arrays.any(a > 9),
    ]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_every_function_gives_the_same_numbers(dtype: Any) -> None:
    twin = TorchArrays(dtype=dtype)
    for number, (ours, theirs) in enumerate(zip(every_function(NUMPY), every_function(twin), strict=True)):
        np.testing.assert_array_equal(np.asarray(theirs), ours, err_msg=f"result {number}")
        assert not hasattr(theirs, "dtype") or theirs.dtype == dtype, f"result {number}"


def test_binomial_is_the_inverse_of_the_distribution_function() -> None:
    """Equal to scipy's quantile, which takes P(X <= k) >= u, where no number sits on a step."""
    from scipy import stats

    draw = np.random.default_rng(5)
    count, uniform = draw.integers(0, 60, (3, 400)).astype(float), draw.random((3, 400))
    probability = np.array([[0.05], [0.5], [0.99]])
    expected = np.where(count > 0, stats.binom.ppf(uniform, count, probability), 0.0)
    np.testing.assert_array_equal(NUMPY.binomial(count, probability, uniform), expected)
    one = np.ones((1, 1))
    assert NUMPY.binomial(one, 0.5, 0.5 * one) == 1  # P(X <= 0) is 0.5 and not above it
    assert NUMPY.binomial(one, 0.5, np.nextafter(0.5, 0) * one) == 0


def test_constants_are_kept_while_they_live_and_never_mixed_up() -> None:
    twin = TorchArrays()
    rates = np.array([1.0, 2.0])
    assert twin.constant(rates) is twin.constant(rates)
    for number in range(100):  # arrays that die at once and leave their place to the next
        assert twin.constant(np.full(3, float(number)))[0] == number
    gc.collect()
    assert len(twin._constants._held) == 1


def test_numbers_of_a_period_are_copied() -> None:
    demand = np.array([[1.0, 2.0]])
    given_demand = TORCH.given(demand)
    demand[:] = 9
    assert given_demand.tolist() == [[1.0, 2.0]]


def test_it_travels_without_what_it_keeps() -> None:
    twin = TorchArrays(dtype=torch.float32)
    twin.constant(np.ones(2))
    copy = pickle.loads(pickle.dumps(twin))
    assert (copy.device, copy.dtype, copy.name) == (twin.device, twin.dtype, twin.name)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int64], ids=str)
def test_other_numbers_are_refused(dtype: Any) -> None:
    with pytest.raises(InputError, match="does not hold whole units exactly; use torch.float64 or torch.float32"):
        TorchArrays(dtype=dtype)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="torch sees no 'cuda' on this machine; use device='cpu'"):
        TorchArrays("cuda")


WITHOUT_TORCH = """
import sys
from importlib.abc import MetaPathFinder
class Nowhere(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
sys.meta_path.insert(0, Nowhere())
from marl_supply.game import Game
game = Game("beer_game", horizon=2)
print(game.start(1).on_hand.shape)
from marl_supply.errors import InputError
try:
    import marl_supply.simulation.torch_arrays
except InputError as refusal:
    print(refusal)
"""


def test_without_torch_all_else_plays_and_one_sentence_says_what_is_missing() -> None:
    told = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, check=True).stdout
    shape, sentence = told.splitlines()
    assert shape == "(4, 1)"
    assert sentence.startswith("TorchArrays needs torch, which is not installed; run pip install")
