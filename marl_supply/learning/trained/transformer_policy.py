"""A pretrained transformer as a policy: it plays any seat of any game, and is told what return is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from marl_supply.errors import InputError, nearest
from marl_supply.game.observation import Observation
from marl_supply.game.policy import Memory
from marl_supply.game.quantities import LEVELS
from marl_supply.game.seat import Seat
from marl_supply.learning.foundation import shapes
from marl_supply.learning.foundation.decisions import NOMINAL, DecisionTokens
from marl_supply.learning.foundation.playing import Network, Recollection, cell_logarithms, name_logarithms
from marl_supply.learning.foundation.rows import NodeTokens
from marl_supply.learning.foundation.shapes import Shape, weight_sizes
from marl_supply.learning.trained.chunks import CHUNK, in_chunks
from marl_supply.learning.trained.trained_policy import TrainedPolicy
from marl_supply.simulation.state import Decisions

ANYBODY = "anybody"
"""The agent of a policy that plays any seat."""
BEST = "best"
"""The request for what promises most among what the data do."""
CANDIDATES = 16
"""Choices of a decision that are compared then, the most usual ones."""
SUPPORT = 1e-3
"""How often a choice is made in the data at least to be among them, as a share of the most usual."""
Floats = NDArray[np.float32]


class TransformerPolicy(TrainedPolicy):
    """Decides what is most probable, given the instance, what was seen and done, and the return that is asked for.

    Asked for the best, it decides what it expects the highest return of, among what is usual enough.

    Parameters
    ----------
    network
        The transformer.
    description
        Sizes, the requested return, and how it was trained; JSON-able.

    Examples
    --------
    >>> policy = load_policies("model.npz")["anybody"].requesting(-0.1)  # doctest: +SKIP
    >>> evaluate(game, dict.fromkeys(game.agents, policy))  # doctest: +SKIP
    """

    agent = ANYBODY
    needs: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, network: Network, description: Mapping[str, Any]) -> None:
        self.network = network
        self._description = dict(description)
        self.training = dict(description["training"])
        self.request: float | str | None = description["request"]
        self.temperature: float = description["temperature"]

    @classmethod
    def of(
        cls, shape: Shape, arrays: Mapping[str, NDArray[Any]], training: Mapping[str, Any], request: float | str | None
    ) -> Self:
        """A model with its weights by name, and how it was trained."""
        description = {"shape": asdict(shape), "request": request, "temperature": 0.0, "training": dict(training)}
        return cls(Network(shape, arrays), description)

    def requesting(self, request: float | str | None) -> Self:
        """The same policy, asked for another return.

        Parameters
        ----------
        request
            How much better than the baseline of its data, as a share of what that earns or costs: 0 for as good, -.1
            for a tenth worse; None for no request: then it does what is usual in its data. "best": what promises the
            highest return among what is done in its data, whoever does it; nothing is drawn then.

        Raises
        ------
        InputError
            For anything else.
        """
        if isinstance(request, str) and request != BEST:
            raise InputError(f"request: no '{request}'{nearest(request, [BEST])} Use a number such as -0.1, or best.")
        if isinstance(request, float) and not np.isfinite(request):
            raise InputError(f"request: {request} is no return; use a number such as -0.1, or best, or null for none.")
        return type(self)(self.network, {**self._description, "request": request})

    def sampling(self, temperature: float = 1.0) -> Self:
        """The same policy, which draws from its laws (sharpened below 1) instead of deciding what is most probable.

        Raises
        ------
        InputError
            For a temperature below 0, or none.
        """
        if not 0 <= temperature < np.inf:
            raise InputError(
                f"temperature: {temperature} is none; use 1, less to sharpen, or 0 to decide the likeliest."
            )
        return type(self)(self.network, {**self._description, "temperature": float(temperature)})

    def start(self, seat: Seat, replications: int) -> Memory:
        """Its view of the seat, and no recollection yet.

        Raises
        ------
        InputError
            For seats that a model cannot play.
        """
        return Session(self, seat, replications)

    def act(self, observation: Observation, memory: Memory) -> tuple[Decisions, Memory]:
        """Decide number after number, each given those before it."""
        session: Session = memory
        noise = observation.noise(len(session.decisions.kinds), "sampling") if self.temperature else None
        return session.act(observation.vector(), noise), session

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Weights by name."""
        return dict(self.network.arrays)

    def description(self) -> dict[str, Any]:
        """Sizes, the requested return, and how it was trained."""
        return dict(self._description)

    @classmethod
    def restore(cls, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `arrays` and `description` describe; a `ValueError` where weights are missing or of other sizes."""
        kept = {name: description[name] for name in ("shape", "request", "temperature", "training")}
        shape = Shape(**kept["shape"])
        found = {name: np.shape(value) for name, value in arrays.items()}
        if found != weight_sizes(shape):
            raise ValueError("weights are not those of the shape")
        return cls(Network(shape, arrays), kept)


class Session:
    """An episode of some replications in one seat.

    Parameters
    ----------
    policy
        Who plays.
    seat
        Where.
    replications : int
        B.

    Attributes
    ----------
    acted : (n, B)
        What was decided last, as the environment's action space has it.
    """

    def __init__(self, policy: TransformerPolicy, seat: Seat, replications: int) -> None:
        self.policy, self.network, self.replications = policy, policy.network, replications
        self.decisions = DecisionTokens(seat)
        self.nodes = NodeTokens(seat, level_of(seat))
        chunks = -(-replications // CHUNK)
        each = len(self.nodes.rows) + len(self.decisions.kinds)
        self.recollection = Recollection(self.network, chunks, each)
        self.pending: Floats | None = None
        self.acted: NDArray[Any] = np.zeros((len(self.decisions.kinds), replications))
        self._constants()

    def _constants(self) -> None:
        """The parts of tokens that are the same in every period."""
        network, nodes, decisions = self.network, self.nodes, self.decisions
        places = network.arrays["place.weight"]
        self.constant = nodes.constant.astype(np.float32)
        self.about = np.concatenate([decisions.constant, nodes.constant[decisions.rows]], -1).astype(np.float32)
        self.done = network.arrays["kind.weight"][decisions.kinds] + places[decisions.rows]
        question = network.embed("question", self.about)
        question = question + network.arrays["asked.weight"][decisions.kinds] + places[decisions.rows]
        request = self.policy.request
        number = 0.0 if request is None or isinstance(request, str) else request
        told = shapes.told(np.array(number), np.array(request is None or request == BEST))
        self.asking = question + network.linear("returned", told)
        self.places = places[: len(nodes.rows)]

    def act(self, seen: NDArray[np.float64], noise: NDArray[np.float64] | None) -> Decisions:
        """Decide for one period on (k, B) numbers seen."""
        rows = self._rows(in_chunks(seen.astype(np.float32)))
        before = rows if self.pending is None else np.concatenate([self.pending, rows], axis=2)
        chosen: list[NDArray[Any]] = []
        token = before
        for number in range(len(self.decisions.kinds)):
            asking = np.broadcast_to(self.asking[number], (*token.shape[:2], 1, token.shape[-1]))
            output = self.recollection.propagate(token, asking)[:, :, -1]
            own = self._choose(number, output, None if noise is None else noise[number])
            chosen.append(own.reshape(-1)[: self.replications])
            token = self._decided(number, own[..., None])
        self.pending = token
        self.acted = np.array(chosen)
        return self.decisions.action.decode(self.acted)

    def _rows(self, seen: Floats) -> Floats:
        """(chunks, CHUNK, m, width) the tokens of rows."""
        changing = self.nodes.changing(seen)
        constant = np.broadcast_to(self.constant, (*changing.shape[:3], self.constant.shape[-1]))
        flat = np.concatenate([changing, constant], -1)
        rows = self.network.embed("row", flat.reshape(len(flat), -1, flat.shape[-1]))
        return rows.reshape(*flat.shape[:3], -1) + self.places

    def _decided(self, number: int, choices: NDArray[Any]) -> Floats:
        """(chunks, CHUNK, q, width) the tokens of (chunks, CHUNK, q) choices of a decision."""
        decisions, network = self.decisions, self.network
        values = decisions.value_of(number, choices.astype(np.float64))
        done = shapes.done(values[..., None], decisions.kinds[number : number + 1])[..., 0, :]
        about = np.broadcast_to(self.about[number], (*choices.shape, self.about.shape[-1]))
        flat = np.concatenate([done, about], -1)
        token = network.embed("decision", flat.reshape(len(flat), -1, flat.shape[-1])).reshape(*choices.shape, -1)
        return token + self.done[number]

    def _choose(self, number: int, output: Floats, noise: NDArray[np.float64] | None) -> NDArray[Any]:
        """(chunks, CHUNK) one component of the action, as the environment's action space has it."""
        decisions = self.decisions
        weights, means, scales, names = self.network.laws(output)
        if self._names(number):
            logarithms = name_logarithms(names, decisions.edges_of(number))
            return decisions.action_of_edge(number, self._pick(number, logarithms, noise))
        if decisions.seat.integer:
            low, step = float(decisions.low[number]), float(decisions.step[number])
            logarithms = cell_logarithms(weights, means, scales, low, step, int(decisions.choices[number]))
            return self._pick(number, logarithms, noise)
        if self.policy.request == BEST:
            return self._best(number, decisions.units_of(number, means.astype(np.float64)), weights - scales)
        return decisions.units_of(number, self._value(weights, means, scales, noise))

    def _best(self, number: int, choices: NDArray[Any], logarithms: NDArray[Any]) -> NDArray[Any]:
        """(chunks, CHUNK) of (chunks, CHUNK, q) choices that are made often enough the one that most is expected of."""
        tokens = self._decided(number, choices)
        expected = self.network.expected(self.recollection.propagate(tokens[:, :, :0], tokens))
        usual = logarithms >= logarithms.max(-1, keepdims=True) + np.log(SUPPORT)
        best = np.where(usual, expected, -np.inf).argmax(-1)
        return np.take_along_axis(choices, best[..., None], -1)[..., 0]

    def _value(
        self, weights: Floats, means: Floats, scales: Floats, noise: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """(chunks, CHUNK) the highest peak of a law of numbers, or one drawn; below a temperature of 1 nearer to it."""
        if noise is None:
            best = (weights - scales).argmax(-1)[..., None]
            return np.take_along_axis(means, best, -1)[..., 0].astype(np.float64)
        temperature = self.policy.temperature
        peaks = (weights - scales + temperature * scales).astype(np.float64)
        which, rest = drawn_from(peaks, self._uniform(noise, weights.shape[:2]), temperature)
        mean, scale = (np.take_along_axis(part, which[..., None], -1)[..., 0] for part in (means, scales))
        return mean + np.exp(scale) * temperature * np.log(rest / (1 - rest))

    def _uniform(self, noise: NDArray[np.float64], size: tuple[int, ...]) -> NDArray[np.float64]:
        """(chunks, CHUNK) the (B,) uniform numbers, a half where there is no replication."""
        drawn = np.full(size, 0.5)
        drawn.reshape(-1)[: self.replications] = noise
        return drawn

    def _pick(
        self, number: int, logarithms: NDArray[np.float64], noise: NDArray[np.float64] | None
    ) -> NDArray[np.int64]:
        """(chunks, CHUNK) the most probable, one drawn with (B,) uniform numbers, or that of which most is expected."""
        if self.policy.request == BEST:
            count = min(CANDIDATES, logarithms.shape[-1])
            often = np.sort(np.argpartition(-logarithms, count - 1, axis=-1)[..., :count], axis=-1)
            found = self.decisions.action_of_edge(number, often) if self._names(number) else often
            best = self._best(number, found, np.take_along_axis(logarithms, often, -1))
            return np.floor(best).astype(np.int64)
        if noise is None:
            return logarithms.argmax(-1)
        return drawn_from(logarithms, self._uniform(noise, logarithms.shape[:2]), self.policy.temperature)[0]

    def _names(self, number: int) -> bool:
        return bool(self.decisions.kinds[number] == NOMINAL)


def drawn_from(
    logarithms: NDArray[np.float64], uniform: NDArray[np.float64], temperature: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(...) which of (..., c) is drawn, and what is left of the uniform number, as uniform as before; within (0, 1)."""
    share = np.exp((logarithms - logarithms.max(-1, keepdims=True)) / temperature)
    below = share.cumsum(-1) / share.sum(-1, keepdims=True)
    which = np.minimum((below < uniform[..., None]).sum(-1), logarithms.shape[-1] - 1)
    top = np.take_along_axis(below, which[..., None], -1)[..., 0]
    own = np.take_along_axis(share, which[..., None], -1)[..., 0] / share.sum(-1)
    return which, np.clip(1 - (top - uniform) / own, 1e-9, 1 - 1e-9)


def level_of(seat: Seat) -> str:
    """The `observe` level of a seat's game."""
    return next(name for name, shown in LEVELS.items() if shown == seat.visible)
