"""The picture of a chain, whole, and what it shows of special features."""

import pytest
from shipped_chains import NAMES

from marl_supply.topology import generators, load
from marl_supply.topology.network import Network
from marl_supply.topology.picture import picture
from marl_supply.topology.reach import depends_on, levels, mean_demand, order_bounds

CACHON_ZIPKIN = """\
cachon_zipkin, version 1
Cachon & Zipkin (1999), two-stage competition; Poisson demand, h1 = h2 = 0.5, p = 5, L1 = L2 = 1
period: period; units: integer; demand seen after ordering; decisions downstream first

[factory]  source
  | factory -> supplier (inbound)  lead time 1  pipeline 4  order bound 16
[supplier]  on hand 4  holding 0.5
  | supplier -> retailer (outbound)  lead time 1  pipeline 4  holding 0.5  order bound 16
[retailer]  on hand 12  holding 1  backorder 5
  | retailer => market retailer  poisson mean 4  sd 2  waits if short

mean demand that can reach a node: supplier 4, retailer 4
game: horizon 2000, warm-up 200, average cost, discount 1, observe full, actions order_up_to, reward individual
contract: backorder_share 0.3
suggested parameters for: base_stock"""


ONE_WAREHOUSE = """\
one_warehouse, version 1
period: period; units: integer; demand seen after ordering; decisions simultaneous

[source]  source
  | source -> warehouse  lead time 2  pipeline 100 a period  order bound 400
[warehouse]  on hand 100  holding 0.5
  | warehouse -> store_1 ... store_50 (50 edges)  lead time 1  pipeline 2  order bound 8
[store_1 ... store_50] (50 alike)  on hand 2  holding 1  backorder 9
  | store_1 ... store_50 => 50 markets  negative binomial  mean 2  sd 2  waits if short

mean demand that can reach a node: warehouse 100, store_1 ... store_50 2
game: horizon 100, warm-up 0, total cost, discount 1, observe local, actions quantity, reward shared"""


def test_the_whole_picture():
    assert picture(load("cachon_zipkin")) == CACHON_ZIPKIN
    graph = generators.one_warehouse(50, demand={"process": "negative_binomial", "mean": 2, "variance": 4})
    assert picture(load(graph)) == ONE_WAREHOUSE


ONE_BY_ONE = [name for name in NAMES if len(load(name).nodes) <= 6 and ":" not in "".join(load(name).nodes)]


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_every_node_edge_and_market_of_a_small_chain_is_in_it(name: str):
    chain, text = load(name), picture(load(name))
    assert all(f"[{node}]" in text for node in chain.nodes)
    assert all(f"{edge.from_} -> {edge.to}" in text for edge in chain.edges)
    assert all(f"=> market {market}" in text or f"=> {market}" in text for market in chain.markets)


def test_alike_places_and_products_stand_as_one():
    crowd = picture(load("one_warehouse_van_roy"))
    assert "[store_1 ... store_10] (10 alike)" in crowd and "warehouse -> store_1 ... store_10 (10 edges)" in crowd
    products = picture(load("one_warehouse_dual_sourcing_multi_product"))
    assert "(staple, special)" in products and "capacity 30" in products and "storage 160" in products


def test_a_thousand_nodes_are_shown_by_levels():
    text = picture(load("random_dag_1000"))
    assert "[level 5] (517 nodes)" in text and len(text.splitlines()) < 40


def test_the_default_order_bound_is_four_times_mean_demand_times_the_longest_review():
    chain = load("beer_game_uniform", ["nodes.retailer.review=[3, 4]", "edges.0.order_limit=9"])
    assert list(order_bounds(chain).values()) == [9, 16, 16, 4 * 4 * 4]
    text = picture(chain)
    assert "order limit 9" in text and "order bound 64" in text and "review 3 4" in text


def test_mean_demand_counts_every_market_that_can_be_reached_once():
    chain = load("network_2x3")
    mean = chain.markets["market_0"].process.mean
    assert mean_demand(chain)["retailer_0"] == pytest.approx(mean)
    assert mean_demand(chain)["manufacturer_1"] == pytest.approx(2 * mean)
    assert levels(chain)["retailer_0"] == 3
    assert depends_on(chain, "manufacturer_0") == [] and depends_on(chain, "retailer_0") == ["market_0"]


@pytest.mark.parametrize("name", NAMES)
def test_the_bounds_shown_are_those_of_the_simulator(name: str):
    chain = load(name)
    network = Network(chain)
    assert list(order_bounds(chain).values()) == pytest.approx(network.order_bound)
    assert [mean_demand(chain)[row] for row in network.rows] == pytest.approx(network.mean_demand)
