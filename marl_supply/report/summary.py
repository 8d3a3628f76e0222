"""The table of a report: for each row its cost with interval, by agent, service, bullwhip and parameters."""

from __future__ import annotations

from typing import Any

from marl_supply.metrics.intervals import Interval, over_seeds
from marl_supply.report.results import Results, Row
from marl_supply.report.statistics import estimate
from marl_supply.report.tables import number


def summary(results: Results) -> list[dict[str, Any]]:
    """One mapping for each row, JSON-able; costs are the rows' figure (see `measure`), means over training seeds."""
    return [_summary(row) for row in results]


def _summary(row: Row) -> dict[str, Any]:
    found = estimate(row)
    return {
        "row": row.name,
        "plays": plays(row),
        "cost": found.mean,
        "intervals": [_interval(interval) for interval in found.intervals],
        "standard_error_of_evaluation": _evaluation_error(row),
        "by_agent": {agent: cost / row.divisor for agent, cost in row.mean_of("cost", "by_agent").items()},
        "fill_rate": row.mean_of("fill_rate"),
        "cycle_service_level": row.mean_of("cycle_service_level"),
        "bullwhip": row.mean_of("bullwhip"),
        "by_seed": None if not row.trained else _by_seed(row),
        "parameters": row.record["parameters"],
    }


def plays(row: Row) -> str:
    """Who plays in a row, in a few words."""
    record = row.record
    if record["kind"] == "seats":
        seats = [f"{agent} as in {name}" for agent, name in record["policies"].items()]
        return ", ".join([*seats, f"{len(record['results'])} seeds"] if row.trained else seats)
    if record["kind"] == "model":
        return _model(row)
    if row.trained:
        reward = record["reward"]
        named = reward if isinstance(reward, str) else f"blend {reward['blend']:g}"
        seeds = len(record["results"])
        others = [f"{agent} {name}" for agent, name in record["policies"].items() if name != record["learner"]]
        return ", ".join([record["learner"], f"{named} reward", f"{seeds} seed{'s' if seeds > 1 else ''}", *others])
    names = list(dict.fromkeys(record["policies"].values()))
    if len(names) == 1:
        return names[0] + (", tuned" if row.tuned else ", in equilibrium" if row.reward else "")
    return ", ".join(f"{agent} {name}" for agent, name in record["policies"].items())


def _model(row: Row) -> str:
    """A model, what was requested of it, how it was trained further, and who else plays."""
    record = row.record
    request = record["request"]
    named = f"{request} return" if isinstance(request, str) else f"return {request or 0:+.1%}"
    asked = [] if request is None else [f"{named} requested"]
    tuned = record["fine_tune"]
    more = [f"{len(record['results'])} seeds of {tuned['env_steps']:,} steps more"] if tuned else []
    others = [f"{agent} {name}" for agent, name in record["policies"].items() if name != record["model"]]
    return ", ".join([record["model"], *asked, *more, *others])


def main_table(results: Results, show: list[str]) -> list[list[Any]]:
    """The cells of the table, head first."""
    rows = summary(results)
    agents = list(rows[0]["by_agent"]) if "by_agent" in show else []
    nodes = list(rows[0]["bullwhip"]) if "bullwhip" in show else []
    service = ["fill rate"] if "fill_rate" in show else []
    head = ["row", results.measure, *_interval_heads(results), *agents, *service, *(f"bullwhip {n}" for n in nodes)]
    cells: list[list[Any]] = [head]
    for row, found in zip(results, rows, strict=True):
        cells.append(
            [
                row.name,
                found["cost"],
                *_interval_cells(results, row),
                *(found["by_agent"][agent] for agent in agents),
                *([found["fill_rate"]] if service else []),
                *(found["bullwhip"][node] for node in nodes),
            ]
        )
    return cells


def parameter_table(results: Results) -> list[list[str]]:
    """The cells of the table of who plays with which parameters."""
    cells = [["row", "plays", "parameters"]]
    for row in results:
        nodes = [f"{node} {_values(values)}" for node, values in row.record["parameters"].items()]
        text = "; ".join(nodes) if nodes else _taken(row)
        cells.append([row.name, plays(row), text])
    return cells


def _interval_heads(results: Results) -> list[str]:
    trained = any(row.trained for row in results)
    if results.rows[0].one_path:
        on_training = [f"cost a {results.period} on training demand"] if _told_on_training(results) else []
        return ["95% interval over the path", *(["95% interval over seeds"] if trained else []), *on_training]
    return ["95% interval", "standard error of the evaluation"]


def _interval_cells(results: Results, row: Row) -> list[str]:
    found = estimate(row).intervals
    if not row.one_path:
        return [_ends_or_points(row, found[0]), number(_evaluation_error(row))]
    path = next((interval for interval in found if "path" in interval.method), None)
    seeds = next((interval for interval in found if "seeds" in interval.method), None)
    on_training = [_on_training(row)] if _told_on_training(results) else []
    by_seeds = [_ends_or_points(row, seeds)] if any(other.trained for other in results) else []
    return [_ends(path), *by_seeds, *on_training]


def _told_on_training(results: Results) -> bool:
    return any(row.training_figures is not None for row in results)


def _on_training(row: Row) -> str:
    """The cost on the demand that a row was tuned or trained on, with its interval over seeds."""
    figures = row.training_figures
    if figures is None:
        return "-"
    found = over_seeds(figures)
    spread = "" if found.half_width is None else f" ± {number(found.half_width)}"
    return f"{number(found.mean)}{spread}"


def _ends(interval: Interval | None) -> str:
    if interval is None or interval.low is None:
        return "-"
    return f"{number(interval.low)} to {number(interval.high)}"


def _ends_or_points(row: Row, interval: Interval | None) -> str:
    """The interval, or the figure of each seed where they are too few for one."""
    if interval is not None and interval.low is None and row.trained:
        return f"seeds: {', '.join(number(float(value)) for value in row.figures)}"
    return _ends(interval)


def _evaluation_error(row: Row) -> float | None:
    """Standard error of the evaluation on its replications; None on one path."""
    if row.one_path or len(row.sample) < 2:
        return None
    return float(row.sample.std(ddof=1) / len(row.sample) ** 0.5)


def _by_seed(row: Row) -> dict[str, float]:
    seeds = [str(result["training_seed"]) for result in row.record["results"]]
    return dict(zip(seeds, map(float, row.figures), strict=True))


def _interval(interval: Interval) -> dict[str, Any]:
    return {
        "low": interval.low,
        "high": interval.high,
        "standard_error": interval.standard_error,
        "count": interval.count,
        "method": interval.method,
    }


def _values(values: dict[str, float]) -> str:
    return ", ".join(f"{key} {value:g}" for key, value in values.items())


def _taken(row: Row) -> str:
    """For a trained row, after how many steps its policies were taken."""
    steps = sorted(set(row.record.get("taken_after_steps", {}).values()))
    if not steps:
        return ""
    span = f"{steps[0]:,}" if len(steps) == 1 else f"{steps[0]:,} to {steps[-1]:,}"
    return f"taken after {span} of {row.record['env_steps']:,} steps{_learned(row)}"


def _learned(row: Row) -> str:
    """What its policies cost on training demand before they were trained and as they were taken, means over seeds."""
    table = row.table("curve")
    if table is None:
        return ""
    taken = row.record["taken_after_steps"]
    before, after = 0.0, 0.0
    columns = (table[name].to_pylist() for name in ("training_seed", "env_steps", "cost"))
    for seed, steps, cost in zip(*columns, strict=True):
        before += cost if steps == 0 else 0.0
        after += cost if steps == taken[str(seed)] else 0.0
    seeds = len(row.figures)
    return f"; on training demand {number(before / seeds)} untrained, {number(after / seeds)} as taken"
