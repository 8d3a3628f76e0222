"""A trained actor that chooses among whole units, played greedily."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError
from marl_supply.game.actions import action_of
from marl_supply.game.decisions.action import Action
from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.game.quantities import LEVELS
from marl_supply.game.seat import Seat
from marl_supply.learning.interface import CLOSED, Interface, Scaling
from marl_supply.learning.masks import Mask
from marl_supply.learning.residual import Base
from marl_supply.learning.signals import Signals, signals_of_seat
from marl_supply.learning.trained.chunks import Floats, Layers, in_chunks, propagated
from marl_supply.learning.trained.trained_policy import TrainedPolicy, check_seat, fields_of
from marl_supply.plugins import find, names
from marl_supply.policies.rule import Rule
from marl_supply.simulation.state import Decisions


@dataclass(frozen=True)
class Description:
    """What a trained actor was made for, JSON-able.

    agent, observe, fields: its seat, the level it was trained at and the field of each number it sees; actions,
    parameters, choices: its action space; signals: what it remembers; base, reach: the rule that its choices are added
    to, with its numbers, and their bound; head: what its scores are; training: learner, seed and steps, for the record.
    """

    agent: str
    observe: str
    fields: tuple[str, ...]
    actions: str
    parameters: dict[str, Any]
    choices: tuple[int, ...]
    signals: dict[str, Any]
    base: dict[str, Any] | None
    reach: float
    head: str
    training: dict[str, Any]


class ChoosingPolicy(TrainedPolicy):
    """The most probable choices of a trained actor.

    Parameters
    ----------
    made
        What it was made for.
    scaling
        Of all that it sees: the observation, what it remembers, its base.
    layers
        Pairs of weights (in, out) and biases (out,), ReLU between them; the last gives C n scores, or C means.
    prior, values : (C, n)
        Added to the scores; and what choices mean, in the unit of the means.

    Examples
    --------
    >>> policies = load_policies("results/team/seed_0.npz")  # doctest: +SKIP
    >>> evaluate(game, policies)  # doctest: +SKIP
    """

    def __init__(self, made: Description, scaling: Scaling, layers: Layers, prior: Floats, values: Floats) -> None:
        self.made = made
        self.agent, self.training = made.agent, made.training
        self.scaling, self.layers = scaling, layers
        self.prior, self.values = prior, values
        self.needs = frozenset(LEVELS[made.observe])
        self.signals = Signals(**{k: _tuples(v) if isinstance(v, list) else v for k, v in made.signals.items()})
        self.rule = None if made.base is None else _rule(made.base)
        self._seated: tuple[Action | Base, Mask] | None = None

    def start(self, seat: Seat, replications: int) -> Memory:
        """What it remembers, its base, and what its network remembers: nothing yet.

        Raises
        ------
        InputError
            If the seat sees other numbers than those it was trained on, or has other choices.
        """
        check_seat(self.agent, self.made.fields, self.made.observe, seat)
        self._seated = self._sit(seat)
        below = None if self.rule is None else self.rule.start(seat, replications)
        return None, below, self.nothing_recalled(replications)

    def nothing_recalled(self, replications: int) -> Memory:
        """What its network remembers where an episode begins; None for one without memory."""
        return None

    def _sit(self, seat: Seat) -> tuple[Action | Base, Mask]:
        made = self.made
        action = action_of(seat, made.actions, made.parameters)
        base = None
        if self.rule is not None and made.base is not None:
            base = Base(seat, action, self.rule, made.base["kinds"], made.reach, made.base["steering_reach"])
        choices = tuple((base or action).choices.tolist())
        if choices != made.choices:
            raise InputError(
                f"the policy of '{self.agent}' was trained for {made.choices} choices, and '{seat.agent}' has "
                f"{choices}; train one for this seat."
            )
        return base or action, Mask(seat, action, made.actions, base)

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        """The most probable open choice of each component."""
        seen = observation.vector()
        if len(seen) != len(self.made.fields):
            raise InputError(
                f"the policy of '{self.agent}' sees {len(self.made.fields)} numbers, and the game shows {len(seen)}; "
                f"play it with observe: {self.made.observe} on the chain it was trained on."
            )
        means, mask = self._seated if self._seated is not None else self._sit(observation.seat)
        remembered, below, recalled = memory
        first = remembered is None
        remembered = self.signals.first(seen.shape[1]) if first else self.signals.after(remembered, seen)
        quantity: Any = None
        if isinstance(means, Base):
            ordered, below = means.policy.act(observation, below)
            quantity = means.quantity(ordered)
        inputs = np.concatenate([seen, remembered] if quantity is None else [seen, remembered, quantity])
        highest = mask.highest(observation, quantity) if mask.needed else None
        value, recalled = self.propagate(in_chunks(self.scaling.apply(inputs)), recalled)
        values = means.low[:, None] + means.steps[:, None] * self.choices(value, seen.shape[1], highest)
        if isinstance(means, Base):
            return means.decisions(means.together(quantity, values)), (remembered, below, recalled)
        return means.decide(values), (remembered, below, recalled)

    def propagate(self, value: Floats, recalled: Memory) -> tuple[Floats, Memory]:
        """(chunks, CHUNK, outputs) from (chunks, CHUNK, k) scaled numbers, and what its network remembers then."""
        return propagated(self.layers, value), recalled

    def choices(self, value: Floats, replications: int, highest: NDArray[np.int64] | None) -> NDArray[np.int64]:
        """(C, B) choices from (chunks, CHUNK, outputs) of its network; none above (C, B) numbers of choices."""
        components = len(self.made.choices)
        if self.made.head == "gaussian":
            means = value.reshape(-1, len(self.prior), 1)[:replications]
            away = -np.square(self.values - means)
            scores = np.where(self.prior > CLOSED / 2, away, np.float32(CLOSED))
        else:
            scores = value.reshape(-1, *self.prior.shape)[:replications] + self.prior
        scores = scores[:, :components]
        if highest is not None:
            open_ = np.arange(scores.shape[-1]) <= highest.T[..., None]
            scores = np.where(open_, scores, np.float32(CLOSED))
        chosen: NDArray[np.int64] = scores.argmax(-1).T
        return chosen

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Scaling, prior, values and layers."""
        arrays: dict[str, NDArray[Any]] = {"shift": self.scaling.shift, "scale": self.scaling.scale}
        arrays |= {"prior": self.prior, "values": self.values}
        for number, (weight, bias) in enumerate(self.layers):
            arrays[f"weight_{number}"], arrays[f"bias_{number}"] = weight, bias
        return arrays

    def description(self) -> dict[str, Any]:
        """What it was made for, the bound of scaled numbers, and the number of layers."""
        return {**asdict(self.made), "limit": self.scaling.limit, "layers": len(self.layers)}

    @classmethod
    def restore(cls, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `arrays` and `description` describe."""
        made = {key: description[key] for key in Description.__dataclass_fields__}
        for name in ("fields", "choices"):
            made[name] = tuple(made[name])
        layers = [(arrays[f"weight_{n}"], arrays[f"bias_{n}"]) for n in range(description["layers"])]
        scaling = Scaling(arrays["shift"], arrays["scale"], description["limit"])
        return cls(Description(**made), scaling, layers, arrays["prior"], arrays["values"])


def _tuples(value: Any) -> Any:
    """Lists in lists as tuples in tuples."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _rule(described: Mapping[str, Any]) -> Rule:
    """The base of a description; a file may name rules that are there, and nothing to import."""
    if described["policy"] not in names("marl_supply.policies", Rule):
        raise InputError(f"the base '{described['policy']}' of a trained policy is no rule that is known here.")
    made: Rule = find("marl_supply.policies", Rule, described["policy"])(described["values"])
    return made


def choosing_policies(
    interface: Interface,
    layers: Mapping[str, Layers],
    training: Mapping[str, Any],
    prior: NDArray[np.float64] | None = None,
    kind: type[ChoosingPolicy] = ChoosingPolicy,
) -> dict[str, ChoosingPolicy]:
    """The learning agents of one copy as policies.

    Parameters
    ----------
    layers
        For each actor pairs of weights (in, out) and biases (1, out).
    training
        Learner, its settings, seed and steps, for the record.
    prior : (A, C, n) or None
        Added to the scores; that of the interface if None.
    kind
        Of actor.
    """
    prior = interface.prior if prior is None else prior
    return {
        agent: kind(
            _description(interface, number, training),
            interface.of(number),
            _own_layers(interface, number, layers[interface.module_of[agent]]),
            prior[number].astype(np.float32),
            interface.values[number].astype(np.float32),
        )
        for number, agent in enumerate(interface.agents)
    }


def _own_layers(interface: Interface, number: int, layers: Layers) -> Layers:
    """The layers for what one agent sees; whose seat it is, is the same in every period, and so part of the bias."""
    own = [(np.array(weight), np.array(bias).reshape(-1)) for weight, bias in layers]
    first, bias = own[0]
    ones = interface.seen[number] == interface.size + 1
    own[0] = (np.ascontiguousarray(first[: interface.sizes[number]]), bias + first[ones].sum(0))
    return own


def _description(interface: Interface, number: int, training: Mapping[str, Any]) -> Description:
    game, learner, agent = interface.game, interface.learner, interface.agents[number]
    base = interface.bases.get(agent)
    stated = None
    if base is not None:
        values = {name: value.tolist() for name, value in base.policy.values.items()}
        stated = {
            "policy": learner.base,
            "kinds": list(base.kinds),
            "values": values,
            "steering_reach": learner.steering_reach,
        }
    action = game.actions[agent]
    return Description(
        agent=agent,
        observe=game.observe_level,
        fields=fields_of(game, agent),
        actions=game.action_kind,
        parameters=dict(game.action_parameters),
        choices=tuple((base or action).choices.tolist()),
        signals=asdict(_own_signals(interface, agent)),
        base=stated,
        reach=learner.reach,
        head=learner.head,
        training=dict(training),
    )


def _own_signals(interface: Interface, agent: str) -> Signals:
    """The signals that an agent remembers, by positions in its own observation."""
    game, chain = interface.game, interface.signals
    where = {int(position): own for own, position in reversed(list(enumerate(game.seen[agent])))}
    mine = signals_of_seat(game, agent).tolist() if chain.size else []
    members = tuple(tuple(where[position] for position in chain.members[signal]) for signal in mine)
    return Signals(members, tuple(chain.means[signal] for signal in mine), chain.smoothing, chain.history)
