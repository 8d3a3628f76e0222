"""The topology file as models: every key, its unit, its default and its meaning stand here and nowhere else.

The reference page, the JSON Schema and the error messages are made from these models. A `Topology` is
resolved: `extends` and `defaults` are gone, `nodes.X.demand` has become a market, pipelines are lists, data
stand by value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, SerializeAsAny, ValidationInfo, field_validator, model_validator

from marl_supply.demand.process import DemandProcess
from marl_supply.topology.keys import (
    Amount,
    Count,
    Discount,
    Flag,
    Name,
    Names,
    Number,
    Periods,
    Probabilities,
    Reviews,
    Reward,
    Share,
    Slots,
    key,
)

if TYPE_CHECKING:
    import networkx as nx

Unmet = Literal["backorder", "lost"]
Quantity = Literal["ordered", "shipped", "received", "sold", "on_hand", "in_transit", "backorder", "lost", "revenue"]


class Section(BaseModel):
    """A mapping of the file: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, validate_default=True)


class Disruption(Section):
    """Periods in which nothing ships: scheduled, or as a chain that breaks and recovers at random."""

    at: tuple[Periods, ...] = key((), "period", "first periods of scheduled disruptions, counted from 0")
    length: Count = key(1, "periods", "how long a scheduled disruption lasts")
    probability: Share = key(0.0, "per period", "chance that what works breaks: it is down in that very period")
    recovery: Share = key(1.0, "per period", "chance that what broke at random works again in the period after")


class PriceBreak(Section):
    """A price that holds from a quantity on."""

    from_: Amount = key(..., "units", "smallest order that gets the price", alias="from")
    purchase_cost: Amount = key(..., "money/unit", "the price")


class Node(Section):
    """A place that keeps stock, or an unlimited source."""

    kind: Literal["stock", "source"] = key(
        "stock",
        "",
        "`source`: never out of stock, holds and decides nothing; ships whatever is ordered up to `capacity`",
    )
    on_hand: Amount = key(0.0, "units", "stock at the start")
    holding_cost: Amount = key(0.0, "money/unit/period", "on stock at the end of a period")
    backorder_cost: Amount = key(0.0, "money/unit/period", "on what each line is owed at the end of a period")
    lost_sale_cost: Amount = key(0.0, "money/unit", "on every unit lost")
    allocation: Literal["proportional", "priority", "first_come", "fair_share", "decided"] = key(
        "proportional", "", "how short stock is divided over the lines (`priority`: the order of the file)"
    )
    review: Reviews = key((1,), "periods", "lengths of successive intervals between orders, repeated")
    review_offset: Periods = key(0, "periods", "period of the first review")
    capacity: Amount | None = key(None, "units/period", "most that can be shipped in a period")
    storage: Amount | None = key(
        None, "units", "most that can be stocked; what arrives above it is refused, the same share of every edge"
    )
    overflow_cost: Amount = key(0.0, "money/unit", "on what `storage` refuses")
    shelf_life: Literal[1] | None = key(
        None, "periods", "1: what is left at the end of a period is charged `holding_cost` and then scrapped"
    )
    salvage_value: Amount = key(0.0, "money/unit", "paid for scrapped stock")
    disruption: Disruption | None = key(None, "", "periods in which the node ships nothing")
    products: Names | None = key(None, "", "of the file's `products`, those that it handles (default: all)")
    demand: dict[str, Any] | None = key(
        None,
        "",
        "short for a market of this name served by this node: the keys of a market without `served_by`",
    )


class Edge(Section):
    """A lane from a supplier to a customer; goods go down it, orders come up it."""

    from_: Name = key(..., "", "the supplier", alias="from")
    to: Name = key(..., "", "the customer")
    name: Name = key("", "", "unique name; parallel edges need one each (default: `FROM-TO`)")
    lead_time: Periods = key(1, "periods", "what ships in period t is received at the start of t + lead_time")
    information_delay: Periods = key(0, "periods", "an order of period t is known to the supplier in t + this")
    delay: Probabilities = key((), "", "chances of 0, 1, 2, ... periods more than `lead_time` (empty: none)")
    crossing: Flag = key(True, "", "with `delay`, whether a shipment may overtake an earlier one")
    pipeline: Slots = key(
        0.0,
        "units",
        "shipments on the way at the start, next to arrive first (with `delay`: oldest first): "
        "a list, or one number for the last `lead_time` periods",
    )
    orders_in_transit: Slots = key(
        0.0,
        "units",
        "orders on the way at the start, next to be revealed first: a list, or one number for all",
    )
    holding_cost: Amount = key(0.0, "money/unit/period", "on the pipeline at the end of a period")
    title: Literal["supplier", "customer"] = key("supplier", "", "who pays the edge's holding cost")
    purchase_cost: Amount = key(0.0, "money/unit", "paid by the customer")
    fixed_order_cost: Amount = key(0.0, "money/order", "paid by the customer for every order that is not 0")
    discounts: tuple[PriceBreak, ...] = key((), "", "`{from: QUANTITY, purchase_cost: PRICE}`, quantities rising")
    discount_on: Literal["all_units", "increment"] = key(
        "all_units", "", "what a discount covers: the whole order, or what lies above its quantity"
    )
    charged_on: Literal["order", "shipment"] = key("order", "", "when purchase and fixed cost are charged")
    order_limit: Amount | None = key(None, "units", "largest order (unstated: orders are not clipped)")
    batch: Amount = key(0.0, "units", "orders are rounded half to even to multiples of this (0: to whole units)")
    shipping_loss: Share = key(
        0.0, "share", "most that can get lost: on arrival a share uniform between 0 and this is missing"
    )
    disruption: Disruption | None = key(None, "", "periods in which nothing ships on the edge")
    products: Names | None = key(None, "", "of the file's `products`, those that it carries (default: all)")
    unmet: Unmet = key("backorder", "", "what becomes of an order that stock cannot serve")
    backorder_cost: Amount | None = key(None, "money/unit/period", "instead of the supplier's (unstated: the same)")
    lost_sale_cost: Amount | None = key(None, "money/unit", "instead of the supplier's (unstated: the same)")

    @model_validator(mode="before")
    @classmethod
    def _name_it(cls, edge: Any) -> Any:
        if isinstance(edge, dict) and not edge.get("name"):
            return {**edge, "name": f"{edge.get('from', edge.get('from_'))}-{edge.get('to')}"}
        return edge

    @field_validator("pipeline", "orders_in_transit", mode="before")
    @classmethod
    def _fill_slots(cls, value: Any, info: ValidationInfo) -> Any:
        of_pipeline = info.field_name == "pipeline"
        periods = info.data.get("lead_time" if of_pipeline else "information_delay")
        if periods is None or "delay" not in info.data:
            return ()
        late = max(len(info.data["delay"]) - 1, 0) if of_pipeline else 0
        if not isinstance(value, (list, tuple)):
            return (0.0,) * late + (value,) * max(periods, 1)
        if len(value) != periods + late:
            key_name = "information_delay" if not of_pipeline else "lead_time and delay" if late else "lead_time"
            raise ValueError(
                f"holds {len(value)} numbers but {key_name} is {periods + late}; give a list of {periods + late}, "
                "or one number for all"
            )
        return tuple(value)

    @field_validator("pipeline", "orders_in_transit")
    @classmethod
    def _cut_slots(cls, value: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        if info.field_name == "pipeline":
            return value[: info.data.get("lead_time", 0) + max(len(info.data.get("delay", ())) - 1, 0)]
        return value[: info.data.get("information_delay", 0)]

    @property
    def longest_delay(self) -> int:
        """The most periods that a shipment can take beyond the lead time."""
        return max(len(self.delay) - 1, 0)


class Expedite(Section):
    """This period's demand that its node cannot serve, tried at another node before it waits or is lost."""

    from_: Name = key(..., "", "the node that delivers", alias="from")
    probability: Share = key(..., "", "chance that a customer accepts")
    cost: Amount = key(0.0, "money/unit", "paid by the node that delivers")


class Market(Section):
    """Customers outside the chain. The parameters of the process stand beside `process`."""

    served_by: Names = key(..., "", "the nodes that serve it")
    process: SerializeAsAny[DemandProcess] = key(..., "", "name of the demand process, its parameters beside it")
    unmet: Unmet = key("backorder", "", "whether customers wait or leave when stock is short")
    price: Amount = key(0.0, "money/unit", "booked when the customer asks if it waits, on the sale if it does not")
    price_range: tuple[Amount, Amount] | None = key(
        None, "money/unit", "lowest and highest price that an agent can ask (default: 0 to twice `price`)"
    )
    revenue_on: Literal["demand", "sale"] = key(
        "demand",
        "",
        "of customers who wait: whether each pays when asking (`demand`), or only who is served in the same period "
        "pays (`sale`)",
    )
    stream: Name | None = key(None, "", "markets with the same stream meet the same noise (default: its own name)")
    product: Name | None = key(
        None, "", "of the file's `products`, the one that it asks for (default: one market each)"
    )
    backorder_cost: Amount | None = key(None, "money/unit/period", "instead of the node's (unstated: the same)")
    lost_sale_cost: Amount | None = key(None, "money/unit", "instead of the node's (unstated: the same)")
    expedite: Expedite | None = key(None, "", "`{from: NODE, probability: .8}`: short demand tried at another node")


class Shared(Section):
    """Limits that several rows share, such as the products of one node."""

    rows: Names = key(..., "", "the rows")
    capacity: Amount | None = key(None, "units/period", "most that they ship in a period together")
    storage: Amount | None = key(None, "units", "most that they stock together")


class Correlation(Section):
    """Markets whose noise is correlated through a Gaussian copula."""

    markets: Names = key(..., "", "the markets")
    coefficient: Number | tuple[tuple[Number, ...], ...] = key(
        ..., "", "one correlation of all pairs, or a matrix; of the normal scores that drive the noise"
    )


class Timing(Section):
    """The order of events in a period."""

    demand_visible: Literal["after_ordering", "before_ordering"] = key(
        "after_ordering", "", "whether orders are placed blind or knowing the market demand of the period"
    )
    decision_order: Literal["simultaneous", "downstream_first"] = key(
        "simultaneous", "", "`downstream_first`: customers order before their suppliers do"
    )


class Agent(Section):
    """Who decides which rows and pays which accounts: `retailer`, or `retailer.order`, `seller.price`."""

    decides: tuple[str, ...] = key(..., "", "rows it decides")
    pays: tuple[str, ...] = key((), "", "accounts it pays (default: those of the rows it decides)")

    @model_validator(mode="before")
    @classmethod
    def _pays_what_it_decides(cls, agent: Any) -> Any:
        if isinstance(agent, dict) and "pays" not in agent and "decides" in agent:
            return {**agent, "pays": agent["decides"]}
        return agent


class GameDefaults(Section):
    """What a game on this chain is unless its user says otherwise."""

    horizon: Count = key(100, "periods", "length of an episode")
    warm_up: Periods = key(0, "periods", "first periods that no statistic counts")
    criterion: Literal["total", "average"] = key("total", "", "cost of an episode, or per counted period")
    discount: Discount = key(1.0, "per period", "weight of the next period")
    observe: Literal["market", "local", "neighbours", "shared_demand", "full"] = key(
        "local", "", "what a seat sees; `market`: of its markets what they show and forecast, and no stock"
    )
    actions: str | dict[str, Any] = key(
        "quantity", "", "how an action becomes an order: a name, or `{kind: NAME, ...}` with its parameters"
    )
    reward: Reward = key(
        "individual", "", "`individual`, `shared` (the mean of all), or `{blend: a}` (a own + (1 - a) mean)"
    )
    start: Literal["file", "warm"] = key("file", "", "state of period 0: the file's, or a drawn one")
    forecast: Periods = key(0, "periods", "how many periods ahead seats see the expected demand of their markets")
    settle: Flag = key(False, "", "whether stock and backorders are settled at the end of an episode")
    agents: dict[Name, Agent] | None = key(
        None, "", "name: `{decides: [...], pays: [...]}` (default: one agent for each stock node)"
    )

    @field_validator("warm_up")
    @classmethod
    def _leaves_periods(cls, warm_up: int, info: ValidationInfo) -> int:
        horizon = info.data.get("horizon", warm_up + 1)
        if warm_up >= horizon:
            raise ValueError(f"{warm_up} of {horizon} periods leaves none to count; lower it or raise the horizon")
        return warm_up

    @field_validator("actions")
    @classmethod
    def _has_kind(cls, actions: str | dict[str, Any]) -> str | dict[str, Any]:
        if isinstance(actions, dict) and not isinstance(actions.get("kind"), str):
            raise ValueError("no 'kind' in it; write a name such as order_up_to, or {kind: order_up_to, ...}")
        return actions


class Transfer(Section):
    """A payment between nodes: `from` pays `to` the `rate` per unit of `per` at a node, edge or market."""

    from_: Name = key(..., "", "the node that pays", alias="from")
    to: Name = key(..., "", "the node that is paid")
    rate: Number = key(..., "money/unit", "payment for each unit")
    per: Quantity = key(..., "", "the quantity it is paid on")
    at: Name = key(..., "", "the node, edge or market where it is counted")


class Contract(Section):
    """Transfers between the firms of a chain; the named ones expand to transfers."""

    transfers: tuple[Transfer, ...] = key((), "", "`{from, to, rate, per, at}`, each zero sum")
    backorder_share: Share | None = key(
        None, "", "share of a market's backorder cost that its node bears; its supplier bears the rest"
    )
    wholesale_price: Amount | None = key(None, "money/unit", "paid by a customer to its supplier for a unit shipped")
    buy_back: Amount | None = key(None, "money/unit", "paid by a supplier for its customer's unsold unit")
    revenue_share: Share | None = key(None, "", "share of a market's revenue that its node passes to its supplier")


class Topology(Section):
    """A resolved topology file: the chain (all a `Network` reads), then defaults for a game on it."""

    name: Name = key("topology", "", "name of the topology (default for a file: its own name)")
    source: str = key("", "", "where the instance comes from: author, year, table")
    period: str = key("period", "", "what a period is: day, week, quarter")
    version: Count = key(1, "", "raised when the dynamics change; part of the environment's id")
    nodes: dict[Name, Node] = key(..., "", "the places, by name")
    edges: tuple[Edge, ...] = key((), "", "the lanes; their order is that of the lines of a node")
    markets: dict[Name, Market] = key({}, "", "the customers outside, by name")
    shared: dict[Name, Shared] = key({}, "", "limits shared by several rows, by name; `products` writes them")
    correlation: tuple[Correlation, ...] = key((), "", "groups of markets with correlated demand")
    timing: Timing = key(Timing(), "", "the order of events in a period")
    units: Literal["integer", "continuous"] = key("integer", "", "`integer`: orders are rounded half to even")
    game: GameDefaults = key(GameDefaults(), "", "defaults of a game on this chain")
    contract: Contract = key(Contract(), "", "payments between the firms")
    policies: dict[str, dict[str, Any]] = key(
        {}, "", "suggested parameters: `{POLICY: {NODE: number}}` or `{POLICY: {NODE: {PARAMETER: number}}}`"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Topology:
        from marl_supply.topology.consistency import verify

        verify(self)
        return self

    def to_networkx(self) -> nx.MultiDiGraph:
        """Return the chain as a graph whose edge keys are the edges' names; `from_networkx` turns it back."""
        from marl_supply.topology.graph import to_networkx

        return to_networkx(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the resolved file: plain lists, mappings, numbers and text, data by value."""
        from marl_supply.topology.resolve import document

        return document(self)

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Topology:
        """Read what `to_dict` returned."""
        from marl_supply.topology.load import load

        return load(document)
