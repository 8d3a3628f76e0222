"""The sections of an experiment file: every key, its default and its meaning stand here and nowhere else."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import ValidationInfo, field_validator, model_validator

from marl_supply.errors import nearest
from marl_supply.solvers.tune import Method
from marl_supply.study.claims import Claim
from marl_supply.topology.file import Section
from marl_supply.topology.keys import Amount, Count, Name, Number, Periods, Reward, key

METHODS: tuple[str, ...] = get_args(Method)
KEYS = ("name", "topology", "game", "compare", "train", "evaluate", "analyse", "report", "sweep", "vary")
"""The keys of an experiment file, in the order in which they are written."""
STANDARD = ("cost", "by_agent", "fill_rate", "bullwhip", "parameters", "price_of_anarchy")
PARTS = (*STANDARD, "exploitability", "paired", "density", "requests", "inventory", "scaling")
"""What a report can show, and what it does where nothing is said."""


OF_ROWS = ("observe", "actions")
"""The keys of the game that a row may state for itself: they change no cost."""


class Tune(Section):
    """How a rule's parameters are searched. `true` is short for the defaults."""

    replications: Count = key(256, "", "sequences of demand that the candidates meet")
    restarts: Periods = key(0, "", "further runs of the search from random starts")
    method: str = key("auto", "", "`enumeration`, `pattern`, `cma_es` or `auto`")
    tie: str = key("none", "", "`equal`: rows with equal data share their numbers")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, tune: Any) -> Any:
        return {} if tune is True else tune

    @field_validator("method", "tie")
    @classmethod
    def _known(cls, word: str, info: ValidationInfo) -> str:
        known = METHODS if info.field_name == "method" else ("none", "equal")
        if word not in known:
            raise ValueError(f"no '{word}'{nearest(word, known) or '; there are ' + ', '.join(known)}")
        return word


class Answers(Section):
    """How agents come to an equilibrium of a rule: each answers the others until nobody moves. `true`: the defaults."""

    replications: Count = key(256, "", "sequences of demand that the candidates meet")
    starts: Count = key(1, "", "from the file's parameters, and from so many less one random profiles")
    rounds: Count = key(50, "", "of answers from each start, at most")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, answers: Any) -> Any:
        return {} if answers is True else answers


class _Row(Section):
    """What every row may state."""

    game: dict[str, Any] = key({}, "", "`observe` and `actions` of this row, where they are not the game's")

    @field_validator("game")
    @classmethod
    def _changes_no_cost(cls, game: dict[str, Any]) -> dict[str, Any]:
        for name in game:
            if name not in OF_ROWS:
                raise ValueError(
                    f"'{name}' would make rows differ in more than who plays; a row states observe, actions"
                )
        return game

    @property
    def trained_seeds(self) -> tuple[int, ...]:
        """The seeds of a training of its own; none without one."""
        return ()


class _Prepared(_Row):
    """What every row may state that is tuned or trained on the game of the experiment."""

    trained_on: dict[str, Any] = key(
        {},
        "",
        "`{PATH: VALUE}`: it is tuned or trained on a topology with these values, and scored on the experiment's",
    )


class PolicyRow(_Prepared):
    """A row of the comparison that is played by rules, or by policies trained before."""

    policy: str | None = key(None, "", "name of a rule, or the path of a trained policy, for every seat")
    tune: Tune | Literal[False] = key(
        False, "", "search the rule's parameters for the least cost of all agents who play it together: true, or how"
    )
    equilibrium: Answers | Literal[False] = key(
        False, "", "each agent chooses the rule's parameters for its own cost, until nobody moves: true, or how"
    )
    parameters: dict[Name, Number | dict[str, Number]] = key(
        {}, "", "`{NODE: number}` or `{NODE: {PARAMETER: number}}`; where tuned, the search starts there"
    )
    seats: dict[Name, str] = key({}, "", "`{AGENT: NAME}`: other policies in some seats")

    @model_validator(mode="after")
    def _makes_sense(self) -> PolicyRow:
        if self.tune and self.policy is None:
            raise ValueError("tune: nobody plays a rule to tune; name it under policy, and others in seats")
        if self.equilibrium and (self.seats or self.policy is None or self.tune or self.parameters):
            raise ValueError("equilibrium: it finds the parameters of one rule; leave tune, parameters and seats out")
        if self.trained_on and not (self.tune or self.equilibrium):
            raise ValueError("trained_on: nothing is searched here; add tune: true, or leave it out")
        return self

    def to_dict(self) -> dict[str, Any]:
        """The keys that a file would state, defaults left out."""
        return self.model_dump(mode="json", exclude_defaults=True)


class LearnerRow(_Prepared):
    """A row of the comparison that is trained: once for each seed, all seeds together as copies."""

    learner: str = key(..., "", "name of a learner")
    reward: Reward | None = key(None, "", "what it is trained on (unstated: the game's reward)")
    seats: dict[Name, str] = key({}, "", "`{AGENT: NAME}`: fixed policies in the seats that do not learn")
    env_steps: Count = key(..., "periods", "environment steps of each seed (unstated: those of `train`)")
    seeds: tuple[Periods, ...] = key((0, 1, 2, 3, 4), "", "a number of seeds, or a list (unstated: those of `train`)")
    settings: dict[str, Any] = key({}, "", "settings of the learner; in a file they stand beside the other keys")

    @field_validator("seeds", mode="before")
    @classmethod
    def _list_seeds(cls, seeds: Any) -> Any:
        return _seeds(seeds)

    @property
    def trained_seeds(self) -> tuple[int, ...]:
        """All of them."""
        return self.seeds

    def to_dict(self) -> dict[str, Any]:
        """The keys that a file would state, all settings among them."""
        own = self.model_dump(mode="json", exclude={"settings"}, exclude_none=True)
        return {**{k: v for k, v in own.items() if v != {}}, **self.settings}


class SeatsRow(_Row):
    """A row of the comparison in which each agent plays as it does in another row; of trained rows seed by seed."""

    seats_of: dict[Name, Name] = key(..., "", "`{AGENT: ROW}`: the row whose policy each agent plays")

    def to_dict(self) -> dict[str, Any]:
        """The keys that a file would state, defaults left out."""
        return self.model_dump(mode="json", exclude_defaults=True)


class FineTune(Section):
    """How a model goes on learning on the game of its row; any other key is a setting of that."""

    env_steps: Count = key(..., "periods", "environment steps of each seed")
    seeds: tuple[Periods, ...] = key((0, 1, 2), "", "a number of seeds, or a list")
    settings: dict[str, Any] = key({}, "", "settings of the training; in a file they stand beside the other keys")

    @model_validator(mode="before")
    @classmethod
    def _sorted(cls, stated: Any) -> Any:
        if not isinstance(stated, dict):
            return stated
        own = {name: value for name, value in stated.items() if name in cls.model_fields}
        others = {name: value for name, value in stated.items() if name not in own}
        return {**own, "settings": {**own.get("settings", {}), **others}}

    @field_validator("seeds", mode="before")
    @classmethod
    def _list_seeds(cls, seeds: Any) -> Any:
        return _seeds(seeds)

    def to_dict(self) -> dict[str, Any]:
        """The keys that a file would state."""
        return {**self.model_dump(mode="json", exclude={"settings"}), **self.settings}


class ModelRow(_Row):
    """A row of the comparison that one pretrained model plays, in every seat that `seats` leaves out."""

    model: str | dict[str, Any] = key(..., "", "a model file, its shipped name or path, or a file of policies (.npz)")
    pretrain: dict[str, Any] = key({}, "", "settings of the model file's `pretrain` that are others in this row")
    request: Number | Literal["best"] | None = key(
        None,
        "",
        "the return to reach: 0 is that of its data's baseline, -0.1 is 10% worse; `best`: what promises most among "
        "what its data do (unstated: the model's own)",
    )
    fine_tune: FineTune | None = key(None, "", "`{env_steps, seeds, ...}`: it goes on learning on this game first")
    seats: dict[Name, str] = key({}, "", "`{AGENT: NAME}`: other policies in some seats")

    @property
    def trained_seeds(self) -> tuple[int, ...]:
        """Those of its further training."""
        return self.fine_tune.seeds if self.fine_tune else ()

    def to_dict(self) -> dict[str, Any]:
        """The keys that a file would state, defaults left out."""
        own = self.model_dump(mode="json", exclude={"fine_tune"}, exclude_defaults=True)
        return {**own, "fine_tune": self.fine_tune.to_dict()} if self.fine_tune else own


def requested(request: float | str) -> str:
    """A return that is asked for, in words."""
    return f"{request} return requested" if isinstance(request, str) else f"return {request:+.1%} requested"


class RowResources(Section):
    """What the process of a trained row is given on a cluster; its runners come on top, a processor each."""

    cpus: Amount = key(1.0, "processors", "of the process that trains")
    gpus: Amount = key(0.0, "accelerators", "of the process that trains; the shipped learners use none")


class Train(Section):
    """How rows are trained; any other key is a setting, for all rows whose learner has it."""

    env_steps: Count | None = key(None, "periods", "environment steps of each seed")
    seeds: tuple[Periods, ...] = key((0, 1, 2, 3, 4), "", "a number of seeds (n stands for 0 to n - 1), or a list")
    jobs: Count = key(1, "", "rows worked on at once here, each in a process of its own; a cluster takes all at once")
    env_runners: Periods = key(
        0, "", "remote processes that sample for each row; they divide `replications`; 0: the row's process samples"
    )
    resources: RowResources = key(RowResources(), "", "`{cpus, gpus}` of a trained row on a cluster")
    failures: Periods = key(3, "", "times that a row whose process or node died goes on from its last checkpoint")
    loggers: tuple[Name, ...] = key(("tensorboard",), "", "who is told of costs, losses and speed while rows train")

    @field_validator("seeds", mode="before")
    @classmethod
    def _list_seeds(cls, seeds: Any) -> Any:
        return _seeds(seeds)


class Sweep(Section):
    """Every learner's row becomes as many as there are settings to try, trained through Ray Tune.

    Under `over`, a list is tried value by value, each with each: `topology`, `reward` and any setting of the learner.
    `{uniform: [low, high]}`, `{loguniform: [low, high]}`, `{integer: [low, high]}` (both ends) and `{choice: [...]}`
    are drawn, `samples` times. Other learners are other rows of `compare`; the seeds of a row are trained together.
    """

    over: dict[str, Any] = key(..., "", "what is tried: `{NAME: [values]}` or `{NAME: {loguniform: [1e-4, 1e-2]}}`")
    samples: Count = key(1, "", "draws of what is drawn")
    seed: Periods = key(0, "", "of the draws")
    scheduler: Literal["none", "asha", "pbt"] = key(
        "none", "", "asha: bad rows are stopped early; pbt: rows take over better ones and change what is drawn"
    )
    grace: Count = key(2, "", "evaluations before asha may stop a row, or between two changes by pbt")
    metric: Name = key("cost", "", "what is least in the best row: `cost` of all agents, or the name of one")


class Vary(Section):
    """The whole experiment once for each of several values of one thing, or of named cases, in one report."""

    path: str = key("", "", "what changes, a path as in `--set`: `contract.backorder_share`, `edges.0.lead_time`")
    values: tuple[Any, ...] | None = key(None, "", "what it is set to, one after another")
    cases: dict[str, dict[str, Any]] | None = key(
        None, "", "instead of `path` and `values`: `{NAME: {PATH: VALUE, ...}}`, what each case sets; `{}` sets nothing"
    )
    label: str = key("", "", "what the report calls it (the path, or `case`)")
    exact: bool = key(True, "", "work out the optimum and the equilibria of each where a method of the literature does")

    @field_validator("values", "cases")
    @classmethod
    def _several(cls, several: Any, info: ValidationInfo) -> Any:
        if several is not None and len(several) < 2:
            one = info.field_name[:-1] if info.field_name else ""
            raise ValueError(f"{'one' if len(several) else 'no'} {one} varies nothing; give two at least")
        return several

    @model_validator(mode="after")
    def _either(self) -> Vary:
        if self.cases and (self.path or self.values):
            raise ValueError("cases and path with values both say what varies; leave one out")
        if not self.cases and not (self.path and self.values):
            raise ValueError("it does not say what varies; give path and values, or cases")
        return self

    @property
    def settings(self) -> list[tuple[str, dict[str, Any]]]:
        """For each experiment where its settings stand, and what they put at which path."""
        if self.cases:
            return [(f"vary.cases.{name}", settings) for name, settings in self.cases.items()]
        return [("vary", {self.path: value}) for value in self.values or ()]

    @property
    def points(self) -> list[Any]:
        """The values, or the names of the cases."""
        return list(self.cases or self.values or ())

    @property
    def title(self) -> str:
        """What the report calls them."""
        return self.label or self.path or "case"


class Evaluate(Section):
    """How rows are scored: all on the same demand, which no row was tuned or trained on."""

    replications: Count = key(2000, "", "common replications (recorded demand with a held-out span has one)")
    seed: Periods = key(7, "", "their seed")
    block: Count | None = key(
        None, "periods", "block of the bootstrap of a recorded span (28 where a period is a day, else n^(1/3))"
    )


class Reference(Section):
    """A cost known from elsewhere, drawn as a line beside the learning curves."""

    cost: Number = key(..., "money", "of all agents, as the criterion says: a total or a period's")
    by_agent: dict[Name, Number] = key({}, "money", "the same for each agent")
    source: str = key(..., "", "where it comes from")


class Constant(Section):
    """A cost that no policy can change; ratios are given with and without it."""

    cost: Number = key(..., "money", "of all agents, as the criterion says")
    source: str = key(..., "", "what it is")


class Report(Section):
    """What the report shows. A list instead is short for `show`."""

    show: tuple[str, ...] = key(STANDARD, "", f"of {', '.join(PARTS)}")
    baseline: tuple[Name, ...] = key(
        (), "", "rows that the others are compared with (unstated: the tuned ones, or else the first)"
    )
    groups: dict[str, tuple[Name, ...]] = key(
        {}, "", "`{NAME: [ROW, ...]}`: rows are compared within their groups alone, with the first row of each"
    )
    references: dict[Name, Reference] = key({}, "", "`{NAME: {cost, by_agent, source}}`, such as `optimum`")
    constant: Constant | None = key(None, "", "`{cost, source}`: a cost that no policy can change")
    inventory: tuple[Name, ...] = key((), "", "rows whose stock over time is drawn where that is shown (unstated: all)")
    claims: tuple[Claim, ...] = key((), "", "`{text, row, below, above, within}`: what is said of rows; does it hold?")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, report: Any) -> Any:
        if isinstance(report, dict) and isinstance(report.get("baseline"), str):
            return {**report, "baseline": [report["baseline"]]}
        return report

    @model_validator(mode="after")
    def _either(self) -> Report:
        if self.baseline and self.groups:
            raise ValueError("baseline and groups both say what rows are compared with; leave one out")
        return self

    @field_validator("groups")
    @classmethod
    def _pairs(cls, groups: dict[str, tuple[Name, ...]]) -> dict[str, tuple[Name, ...]]:
        for name, rows in groups.items():
            if len(set(rows)) < 2:
                raise ValueError(f"{name} has nothing to compare; name two rows at least")
        return groups

    @field_validator("show")
    @classmethod
    def _known(cls, show: tuple[str, ...]) -> tuple[str, ...]:
        for part in show:
            if part not in PARTS:
                raise ValueError(f"no part '{part}'{nearest(part, PARTS) or '; there are ' + ', '.join(PARTS)}")
        return show


def _seeds(seeds: Any) -> Any:
    """A number of seeds as the list it stands for."""
    if isinstance(seeds, int) and not isinstance(seeds, bool):
        if seeds < 1:
            raise ValueError(f"{seeds} seeds leave nothing to train; give 1 or more")
        return tuple(range(seeds))
    if isinstance(seeds, list | tuple):
        if not seeds:
            raise ValueError("an empty list leaves nothing to train; give at least one seed")
        if len(set(map(str, seeds))) != len(seeds):
            raise ValueError("a seed stands twice; give different ones")
    return seeds
