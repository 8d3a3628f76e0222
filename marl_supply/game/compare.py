"""Compare policies on one game: the same replications for all, paired differences, intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from marl_supply.errors import InputError, nearest
from marl_supply.game.evaluate import Evaluation, evaluate
from marl_supply.game.game import Game
from marl_supply.game.policy import Policy
from marl_supply.metrics.intervals import Interval, paired_difference


@dataclass(frozen=True)
class Comparison:
    """Evaluations of several rows on common replications.

    Attributes
    ----------
    evaluations : dict of str to Evaluation
    baseline : str
        The row that the others are compared with.
    differences : dict of str to Interval
        For every other row, its figure (the total cost or the cost a period, as the game's criterion says) less the
        baseline's.
    """

    evaluations: dict[str, Evaluation]
    baseline: str
    differences: dict[str, Interval]

    def __str__(self) -> str:
        width = max(len(row) for row in self.evaluations)
        lines = []
        for row, evaluation in self.evaluations.items():
            line = f"{row:{width}}  {evaluation.figure:12.4f}"
            if row in self.differences:
                difference = self.differences[row]
                told = "" if difference.significant else "  (not significant)"
                line += f"  {difference.mean:+.4f} ± {difference.half_width or 0:.4f} to {self.baseline}{told}"
            lines.append(line)
        return "\n".join(lines)


def compare(
    game: Game,
    rows: Mapping[str, Mapping[str, Policy]],
    replications: int = 2000,
    seed: int = 7,
    *,
    baseline: str | None = None,
) -> Comparison:
    """Score several sets of policies on the same replications and tell the differences.

    Parameters
    ----------
    rows
        By name, a policy for each agent.
    baseline
        The row to compare with; the first if None.
    """
    evaluations = {row: evaluate(game, players, replications, seed) for row, players in rows.items()}
    return differences(evaluations, baseline)


def differences(evaluations: Mapping[str, Evaluation], baseline: str | None = None) -> Comparison:
    """Tell the differences between evaluations that were made on the same replications.

    Raises
    ------
    InputError
        If the baseline is unknown, or two evaluations differ in criterion, seed, replications or counted periods.
    """
    if not evaluations:
        raise InputError("compare: there is nothing to compare; give at least one row.")
    baseline = next(iter(evaluations)) if baseline is None else baseline
    if baseline not in evaluations:
        raise InputError(f"compare: no row '{baseline}'{nearest(baseline, evaluations)}.")
    reference = evaluations[baseline]
    for row, evaluation in evaluations.items():
        for item in ("topology", "criterion", "discount", "horizon", "warm_up", "seed", "replications"):
            mine, its = getattr(evaluation, item), getattr(reference, item)
            if mine != its:
                raise InputError(
                    f"compare: '{row}' has {item} {mine} and '{baseline}' has {its}; evaluate both in the same way."
                )
    told = {r: paired_difference(e.sample, reference.sample) for r, e in evaluations.items() if r != baseline}
    return Comparison(dict(evaluations), baseline, told)
