"""One entry of the mix of policies that a dataset records: how it is stated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from marl_supply.data.card import EXACT
from marl_supply.errors import InputError
from marl_supply.study.players import is_path

WORDS = ("random", "tuned", "scale", "request")
BEST_REQUEST = "request=best"
SEAT = "seat."
FORM = (
    'write --policy "NAME seat.AGENT=NAME ... NODE.KEY=VALUE ... tuned=REPLICATIONS scale=FACTOR random=SHARE '
    'request=RETURN"'
)


@dataclass(frozen=True)
class Mixed:
    """One of a mix: a rule, a file of trained policies or the optimum, and how it departs from it.

    Attributes
    ----------
    label : str
        As it was stated.
    policy : str
        Name of the rule, path of the file, or `EXACT`; it plays every seat that `seats` leaves out.
    seats : mapping of str to str
        Other rules or files, by agent; they are neither tuned nor scaled.
    parameters : mapping
        Of the rule, by node; where it is tuned, where the search starts.
    random_share : float
        Probability that an action is drawn at random instead, -.
    tuned : int
        Replications on which the rule's parameters are searched on every instance; 0 if they are not searched.
    scale : float
        Factor of the rule's parameters that have a unit, after the search, -.
    request : float, "best" or None
        The return that a pretrained model is asked for; None for the model's own.
    """

    label: str
    policy: str
    parameters: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    random_share: float = 0.0
    tuned: int = 0
    scale: float = 1.0
    request: float | str | None = None
    seats: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.policy or not 0 <= self.random_share <= 1:
            raise InputError(f"--policy {self.label}: name a policy, and a share from 0 to 1; {FORM}")
        if self.tuned < 0 or not self.scale > 0:
            raise InputError(f"--policy {self.label}: tuned and scale are above 0; {FORM}")
        is_rule = self.policy != EXACT and not is_path(self.policy)
        if not is_rule and (self.parameters or self.tuned or self.scale != 1):
            what = "the optimum" if self.policy == EXACT else "a file of trained policies"
            raise InputError(
                f"--policy {self.label}: {what} has no parameters to state, tune or scale; leave them out."
            )
        if self.seats and (self.policy == EXACT or EXACT in self.seats.values()):
            raise InputError(f"--policy {self.label}: the optimum plays all seats; leave seat.AGENT out.")
        if self.request is not None and not is_path(self.policy):
            raise InputError(f"--policy {self.label}: only a file of a pretrained model can be asked for a return.")

    @classmethod
    def parse(cls, stated: str) -> Mixed:
        """From ``NAME``, or ``"NAME seat.AGENT=NAME ... NODE.KEY=VALUE ... tuned=REPLICATIONS scale=FACTOR ..."``.

        Raises
        ------
        InputError
            For anything else.
        """
        name, *words = stated.split() or [""]
        parameters: dict[str, dict[str, float]] = {}
        others: dict[str, float] = {}
        seats: dict[str, str] = {}
        request: float | str | None = None
        for word in words:
            path, _, text = word.partition("=")
            node, _, key = path.rpartition(".")
            if word == BEST_REQUEST:
                request = "best"
                continue
            if path.startswith(SEAT) and text:
                seats[path.removeprefix(SEAT)] = text
                continue
            try:
                number = float(text)
            except ValueError:
                raise InputError(f"--policy {stated}: '{word}' states no number; {FORM}") from None
            if path in WORDS:
                others[path] = number
            elif node and key:
                parameters.setdefault(node, {})[key] = number
            else:
                raise InputError(f"--policy {stated}: '{word}' names no parameter of a node; {FORM}")
        replications = others.get("tuned", 1.0)
        if replications < 1 or not replications.is_integer():
            raise InputError(f"--policy {stated}: tuned is a whole number of replications, 1 or more; {FORM}")
        label, tuned = " ".join(stated.split()), int(others.get("tuned", 0))
        request = others.get("request", request)
        return cls(label, name, parameters, others.get("random", 0.0), tuned, others.get("scale", 1.0), request, seats)
