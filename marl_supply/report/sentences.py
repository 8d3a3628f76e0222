"""Comparisons in sentences: how much less or more, with the interval, and whether that tells anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from marl_supply.metrics.intervals import Interval
from marl_supply.report.anarchy import Anarchy
from marl_supply.report.results import Results, Row
from marl_supply.report.statistics import Estimate, above, difference
from marl_supply.report.tables import number


def comparisons(results: Results) -> list[str]:
    """One sentence for every pair that is worth one: each row against the baselines, learners against each other.

    Where the report has groups, that is done within each of them, its first row the baseline.
    """
    return [sentence(row, other, results) for row, other in pairs(results)]


def baselines(results: Results) -> list[Row]:
    """The rows that others are compared with: as stated, else the tuned ones, else the first."""
    stated = results.report["baseline"]
    chosen = [row for row in results if row.name in stated] or [row for row in results if row.tuned]
    return chosen or [results.rows[0]]


def pairs(results: Results) -> Iterator[tuple[Row, Row]]:
    """The pairs, no pair twice: rows against what they are compared with, and learned rows with each other."""
    seen: set[frozenset[str]] = set()
    for rows, first in _compared(results):
        learned = [row for row in rows if row.trained]
        among = [(row, other) for number, row in enumerate(learned) for other in learned[number + 1 :]]
        for row, other in [*_against(rows, first), *among]:
            pair = frozenset((row.name, other.name))
            if len(pair) == 2 and pair not in seen:
                seen.add(pair)
                yield row, other


def against_baselines(results: Results) -> list[tuple[Row, Row]]:
    """Each row with each that it is compared with, itself among them: the baselines, or the first of its group."""
    return [pair for rows, first in _compared(results) for pair in _against(rows, first)]


def _compared(results: Results) -> list[tuple[Sequence[Row], Sequence[Row]]]:
    """Rows that are compared, and those that they are compared with."""
    groups = results.report.get("groups", {})
    if not groups:
        return [(results.rows, baselines(results))]
    finished = {row.name: row for row in results}
    grouped = [[finished[name] for name in names if name in finished] for names in groups.values()]
    return [(rows, rows[:1]) for rows in grouped]


def _against(rows: Sequence[Row], first: Sequence[Row]) -> list[tuple[Row, Row]]:
    return [(row, base) for base in first for row in rows]


def sentence(row: Row, other: Row, results: Results) -> str:
    """What a row costs compared with another."""
    found = difference(row, other)
    base = float(other.figures.mean())
    share = f"{abs(found.mean / base):.1%} " if base > 0 else f"{number(abs(found.mean))} "
    word = "less" if found.mean < 0 else "more"
    facts = f"difference {signed(found.mean)}; {intervals(found)}"
    if found.mean == 0:
        return f"{row.name} costs the same as {other.name} ({facts})."
    if not any(interval.low is not None for interval in found.intervals):
        return f"{row.name} costs {share}{word} than {other.name}, but too little is known for an interval ({facts})."
    if found.significant:
        return f"{row.name} costs {share}{word} than {other.name} ({facts})."
    return f"{row.name} costs {share}{word} than {other.name}, which is not significant ({facts})."


def against_references(results: Results) -> list[str]:
    """For each row how far it is from the reference whose cost is nearest, and its agents from that reference's."""
    references = results.report["references"]
    if not references:
        return []
    lines = []
    for row in results:
        cost = float(row.figures.mean())
        name = min(references, key=lambda name: abs(references[name]["cost"] - cost))
        known = float(references[name]["cost"])
        found = above(row, known)
        text = f"{row.name}, {number(cost)}, is {_away(cost, known)} the {name}, {number(known)}"
        told = "" if found.significant or found.intervals[:1] == () else ", which is not significant"
        by_agent = references[name].get("by_agent", {})
        own = row.mean_of("cost", "by_agent")
        parts = [f"{a} {_away(own[a] / row.divisor, float(value))}" for a, value in by_agent.items()]
        lines.append(f"{text}{told} ({intervals(found)}{'; ' if parts else ''}{', '.join(parts)}).")
    return lines


def intervals(found: Estimate) -> str:
    """All intervals of an estimate in words."""
    if not any(interval.low is not None for interval in found.intervals):
        return "; ".join(interval.method for interval in found.intervals) or "no interval"
    return f"95% interval {spans(found)}"


def spans(found: Estimate) -> str:
    """The ends of all intervals of an estimate; a dash for none."""
    return "; ".join(_interval(interval) for interval in found.intervals) or "-"


def anarchy_sentences(found: Anarchy) -> list[str]:
    """The price of anarchy, with and without constants, measured and exact."""
    if found.measured is None:
        return ["The price of anarchy is not given: a cost is not positive, so a ratio means nothing."]
    lines = _measured(found) if found.in_training is None else _on_recorded_demand(found, found.in_training)
    if found.constant:
        less = found.without_constant
        without = "" if less is None else f"; without it the ratio is {_ratio(less)}"
        source = found.constant["source"]
        lines.append(f"Both costs include a constant of {number(found.constant['cost'])} ({source}){without}.")
    else:
        lines.append("Costs are as charged, with whatever no policy can change in them.")
    if found.exact is not None:
        without = ""
        if found.exact_without_constant is not None:
            without = f" ({found.exact_without_constant:.3f} without the constant)"
        lines.append(f"Exact, from the references: {found.exact:.3f}{without}.")
    if found.stability is not None:
        lines.append(f"Price of stability, exact: {found.stability:.3f}, of the equilibrium that costs least.")
    if found.to_optimum is not None:
        lines.append(f"{found.selfish.name} over the reference optimum: {_ratio(found.to_optimum)}.")
    return lines


def resting_sentences(results: Results) -> list[str]:
    """For rules in equilibrium, where their agents came to rest from how many starts, and what stability would save."""
    lines = []
    for row in results:
        points = row.record.get("equilibrium", [])
        if points:
            starts = sum(point["starts"] for point in points)
            several = "one resting point" if len(points) == 1 else f"{len(points)} resting points"
            text = f"{row.name}: {starts} start{'s' if starts > 1 else ''} came to {several}"
            if len(points) > 1:
                text += (
                    f", which cost from {number(points[-1]['cost'])} to {number(points[0]['cost'])} on the demand of"
                )
                text += " the search; the row plays the dearest"
            lines.append(f"{text}.")
    return lines


def _measured(found: Anarchy) -> list[str]:
    """Selfish play against the cheapest row that cooperation can reach."""
    assert found.measured is not None
    text = f"Price of anarchy, measured: {_ratio(found.measured)}"
    text += (
        f", the cost of {found.selfish.name} over that of {found.cooperative.name}, the cheapest other row that sees"
    )
    text += " as much."
    path = " It is that of one realised path, with an interval over seeds alone." if found.selfish.one_path else ""
    lines = [f"{text} Neither search is complete, so this is an estimate and no bound.{path}"]
    if found.learned is not None and found.team is not None:
        lines.append(f"Of learners alone, {found.selfish.name} over {found.team.name}: {_ratio(found.learned)}.")
    told = [(row.name, other.name, each) for row, other, each in found.others if each is not None]
    return lines + [f"{row} over {other}: {_ratio(each)}." for row, other, each in told]


def _on_recorded_demand(found: Anarchy, in_training: Estimate) -> list[str]:
    """Selfish against team learning where they learned, over many windows, and on the one path that was held out."""
    assert found.team is not None
    text = f"Price of anarchy on the training demand, over many windows: {_ratio(in_training)}"
    text += f", the cost of {found.selfish.name} over that of {found.team.name}, the cheaper team learner."
    held_out = found.learned or found.measured
    assert held_out is not None
    path = f"On the held-out span, one realised path, the same ratio is {_ratio(held_out)}"
    below = ": there the selfish policies cost less, unlike in training" if held_out.mean < 1 < in_training.mean else ""
    return [f"{text} Neither search is complete, so this is an estimate and no bound.", f"{path}{below}."]


def _ratio(found: Estimate) -> str:
    text = f"{found.mean:.3f}"
    if not found.intervals or found.intervals[0].low is None or found.intervals[0].high is None:
        return f"{text} (no interval)"
    interval = found.intervals[0]
    return f"{text} (95% interval {interval.low:.3f} to {interval.high:.3f} {_over(interval)})"


def _interval(interval: Interval) -> str:
    if interval.low is None or interval.high is None:
        return interval.method
    return f"{signed(interval.low)} to {signed(interval.high)} {_over(interval)}"


def _over(interval: Interval) -> str:
    """What an interval is over; how it is worked out stands below the table."""
    kinds = {"path": "over the path", "seeds": "over seeds", "replications": "over replications"}
    return next((words for kind, words in kinds.items() if kind in interval.method), interval.method)


def _away(value: float, known: float) -> str:
    """How far a cost is from a known one: ``0.4% above``."""
    if known <= 0:
        return f"{number(abs(value - known))} {'above' if value >= known else 'below'}"
    return f"{abs(value / known - 1):.1%} {'above' if value >= known else 'below'}"


def signed(value: float) -> str:
    """A number that says which way, with a true minus."""
    return f"{'+' if value > 0 else ''}{number(value)}".replace("-", "−")
