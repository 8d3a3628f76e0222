"""Claims about rows: whether they hold, with the differences that decide it, in one experiment or over a series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from marl_supply.metrics.intervals import Interval
from marl_supply.report.results import Results, Row
from marl_supply.report.sentences import intervals, signed
from marl_supply.report.statistics import Estimate, difference
from marl_supply.report.tables import number

HOLDS, FAILS, OPEN, UNKNOWN = "holds", "does not hold", "is not settled", "cannot be judged"


@dataclass(frozen=True)
class Verdict:
    """What has become of a claim.

    text: the claim; word: holds, does not hold, is not settled, or cannot be judged where a row is not finished;
    facts: the differences and intervals in words.
    """

    text: str
    word: str
    facts: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The claim, what has become of it, and why."""
        return f'"{self.text}" {self.word} ({"; ".join(self.facts)}).'

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {"text": self.text, "verdict": self.word, "facts": list(self.facts)}


def verdicts(results: Results) -> list[Verdict]:
    """One for each claim of the experiment, in its order."""
    return [judge(claim, results) for claim in results.report.get("claims", [])]


def judge(claim: dict[str, Any], results: Results) -> Verdict:
    """Whether a claim of `report.claims` holds.

    Every difference is that of `difference`. It holds if each is significant on the side that is claimed (or its
    intervals lie within the margin), and does not hold if one is significant on the other (or lies outside).
    """
    finished = {row.name: row for row in results}
    lost = [name for name in _named(claim) if name not in finished]
    if lost:
        return Verdict(claim["text"], UNKNOWN, (f"{', '.join(lost)} not finished",))
    row = finished[claim["row"]]
    found = [*_sides(claim, row, finished), *_margins(claim, row, finished, results)]
    supported = [each for each, _ in found]
    word = FAILS if False in supported else HOLDS if all(supported) else OPEN
    facts = [fact for _, fact in found]
    return Verdict(claim["text"], word, (f"{row.name} {facts[0]}", *facts[1:]))


def over_series(points: Sequence[str], judged: Sequence[Sequence[Verdict]]) -> list[str]:
    """One sentence for each claim over all experiments of a series, given the verdicts of each of its points."""
    return [_over(points, of_claim) for of_claim in zip(*judged, strict=True)]


def _over(points: Sequence[str], of_claim: Sequence[Verdict]) -> str:
    where = {
        word: [f"'{point}'" for point, verdict in zip(points, of_claim, strict=True) if verdict.word == word]
        for word in (HOLDS, FAILS, OPEN, UNKNOWN)
    }
    told = [f"{word} in {', '.join(found)}" for word, found in where.items() if found]
    return f'"{of_claim[0].text}" holds in {len(where[HOLDS])} of {len(points)}: {"; ".join(told)}.'


def _named(claim: dict[str, Any]) -> list[str]:
    within = claim.get("within")
    return [claim["row"], *claim["below"], *claim["above"], *([within["row"]] if within else [])]


def _sides(claim: dict[str, Any], row: Row, rows: dict[str, Row]) -> Iterator[tuple[bool | None, str]]:
    """For each row that it is below or above: True, False, or None if neither is told; and the difference in words."""
    for side, sign in (("below", -1), ("above", 1)):
        for name in claim[side]:
            found = difference(row, rows[name])
            yield (found.mean * sign > 0 if found.significant else None), f"against {name} {_told(found)}"


def _margins(
    claim: dict[str, Any], row: Row, rows: dict[str, Row], results: Results
) -> Iterator[tuple[bool | None, str]]:
    """The same for the row that it costs about the same as."""
    within = claim.get("within")
    if within:
        other = rows[within["row"]]
        constant = (results.report.get("constant") or {}).get("cost", 0.0)
        margin = within["percent"] / 100 * abs(float(other.figures.mean()) - constant)
        found = difference(row, other)
        fact = f"against {other.name} {_told(found)}; {within['percent']:g}% is {number(margin)}"
        yield _within(found, margin), fact


def _within(found: Estimate, margin: float) -> bool | None:
    """Whether all intervals lie within a margin (True) or outside it on one side (False); None if neither."""
    ends = [_ends(each) for each in found.intervals if each.low is not None]
    if ends and all(-margin <= low and high <= margin for low, high in ends):
        return True
    outside = all(low > margin for low, _ in ends) or all(high < -margin for _, high in ends)
    return False if ends and outside else None


def _ends(interval: Interval) -> tuple[float, float]:
    assert interval.low is not None and interval.high is not None
    return interval.low, interval.high


def _told(found: Estimate) -> str:
    return f"{signed(found.mean)}, {intervals(found)}"
