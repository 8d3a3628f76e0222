"""The value of information: what rows that are alike but for what they see cost, and what seeing more saves them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from marl_supply.report.results import Results, Row
from marl_supply.report.sentences import intervals
from marl_supply.report.statistics import Estimate, difference, estimate
from marl_supply.report.tables import markdown, number

LEVELS = ("market", "local", "neighbours", "shared_demand", "full")
"""What agents may see, the least first; of `neighbours` and `shared_demand` neither holds the other."""
OF_A_LEARNER = ("learner", "reward", "seats", "actions")
"""What rows of one learner must have in common; settings such as `base` may exist because of what a row sees."""
FOOT = (
    "Rows of a family are alike in learner and reward, or in rule and tuning. What is saved is the cost of the row "
    "that sees least less that of the row itself, with intervals of the difference. A policy that sees more need not "
    "make the best of it: these are estimates and no bounds on what the information is worth."
)
NOT_NESTED = "Of `neighbours` and `shared_demand` neither holds the other."


@dataclass(frozen=True)
class Family:
    """Rows alike but for what they see.

    Attributes
    ----------
    rows : dict of str to Row
        By level of information (`local`, `neighbours`, `shared_demand`, `full`), two levels at least, the least first.
    settings : dict of str to dict
        By level of information, the other settings of a learner as the experiment states them; of a rule none.
    alone : bool
        Whether no other family of the report has the same learner and reward, or the same rule.
    """

    rows: dict[str, Row]
    settings: dict[str, dict[str, Any]]
    alone: bool

    @property
    def name(self) -> str:
        """The learner and its reward, or the rules; beside another such family also its first row."""
        record = self.least.record
        reward = record.get("reward")
        named = reward if isinstance(reward, str) else f"blend {reward['blend']:g}" if reward else ""
        rules = ", ".join(dict.fromkeys(record["policies"].values()))
        name = f"{record['learner']}, {named} reward" if "learner" in record else rules
        return name if self.alone else f"{name} ({self.least.name})"

    @property
    def least(self) -> Row:
        """The row that sees least."""
        return next(iter(self.rows.values()))

    @cached_property
    def saved(self) -> dict[str, Estimate]:
        """By every richer level, the cost of the row that sees least less that of its own; positive where it saves."""
        return {level: difference(self.least, row) for level, row in self.rows.items() if row is not self.least}

    @property
    def differing(self) -> list[str]:
        """The settings of the learner in which its rows differ beside what they see."""
        every = dict.fromkeys(name for settings in self.settings.values() for name in settings)
        return [name for name in every if len({_text(settings.get(name)) for settings in self.settings.values()}) > 1]


@dataclass(frozen=True)
class _Seen:
    """A row, what it sees, what it must have in common with others of its family, and its other settings."""

    row: Row
    level: str
    kind: str
    settings: dict[str, Any]


def families(results: Results) -> list[Family]:
    """The families of an experiment's finished rows, in the order of the file.

    Learners belong together if learner, reward, actions and fixed seats are the same; rules if everything is. Where
    several rows of a learner see the same, only rows with equal settings belong together; rows that still share a level
    are left out.
    """
    seen = [_seen(results, row) for row in results]
    found = []
    for kind in dict.fromkeys(each.kind for each in seen):
        groups = list(_groups([each for each in seen if each.kind == kind]))
        found += [_family(group, len(groups) == 1) for group in groups]
    return found


def information_section(results: Results) -> list[str]:
    """The parts of the page: nothing where no rows are alike but for what they see."""
    found = families(results)
    if not found:
        return []
    nested = not any({"neighbours", "shared_demand"} <= set(family.rows) for family in found)
    also = [] if nested else [NOT_NESTED]
    also += [
        f"The rows of {family.name} also differ in {', '.join(f'`{name}`' for name in family.differing)}."
        for family in found
        if family.differing
    ]
    return ["## Value of information", markdown(information_table(found)), " ".join([FOOT, *also])]


def information_table(found: Sequence[Family]) -> list[list[Any]]:
    """The cells: for each row of each family what it sees, what it costs and what it saves."""
    cells: list[list[Any]] = [["family", "sees", "row", "cost", "saved", "interval", "significant"]]
    for family in found:
        for level, row in family.rows.items():
            saved = family.saved.get(level)
            told = ["-"] * 3 if saved is None else [number(saved.mean), intervals(saved), _significant(saved)]
            cells.append([family.name, level.replace("_", " "), row.name, _cost(row), *told])
    return cells


def information_summary(results: Results) -> list[dict[str, Any]]:
    """The numbers of every family, JSON-able; money in the figure that rows are compared by."""
    return [
        {
            "family": family.name,
            "differing": family.differing,
            "levels": [
                {
                    "observe": level,
                    "row": row.name,
                    "cost": _numbers(estimate(row)),
                    "saved": _numbers(family.saved[level]) if level in family.saved else None,
                }
                for level, row in family.rows.items()
            ],
        }
        for family in families(results)
    ]


def _seen(results: Results, row: Row) -> _Seen:
    """A row by what the experiment states of it, `observe` and `actions` those of the game where it states none."""
    game, stated = results.experiment["topology"]["game"], dict(results.experiment["compare"][row.name])
    own: Mapping[str, Any] = {**{key: game[key] for key in ("observe", "actions")}, **stated.pop("game", {})}
    stated["actions"] = own["actions"]
    if "learner" not in stated:
        return _Seen(row, own["observe"], _text(stated), {})
    stated["reward"] = row.record["reward"]
    common = {key: stated.get(key) for key in OF_A_LEARNER}
    settings = {key: value for key, value in stated.items() if key not in OF_A_LEARNER}
    return _Seen(row, own["observe"], _text(common), settings)


def _groups(alike: Sequence[_Seen]) -> Iterator[list[_Seen]]:
    """The families among rows of one kind: all together if no two see the same, else those with equal settings."""
    together = [list(alike)]
    if not _one_each(alike):
        settings = dict.fromkeys(_text(each.settings) for each in alike)
        together = [[each for each in alike if _text(each.settings) == text] for text in settings]
    return (group for group in together if len(group) > 1 and _one_each(group))


def _one_each(group: Sequence[_Seen]) -> bool:
    return len({each.level for each in group}) == len(group)


def _family(group: Sequence[_Seen], alone: bool) -> Family:
    ordered = sorted(group, key=lambda each: LEVELS.index(each.level))
    return Family({each.level: each.row for each in ordered}, {each.level: each.settings for each in ordered}, alone)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _cost(row: Row) -> str:
    found = estimate(row)
    half = found.intervals[0].half_width if found.intervals else None
    return number(found.mean) if half is None else f"{number(found.mean)} ± {number(half)}"


def _significant(found: Estimate) -> str:
    if not any(interval.low is not None for interval in found.intervals):
        return "-"
    return "yes" if found.significant else "no"


def _numbers(found: Estimate) -> dict[str, Any]:
    return {
        "mean": found.mean,
        "intervals": [asdict(interval) for interval in found.intervals],
        "significant": found.significant,
    }
