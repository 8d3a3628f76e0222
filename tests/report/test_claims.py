"""Claims that a report judges, paired differences, and densities of episodes, on rows whose order is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats
from stub_learner import StubLearner

from marl_supply.errors import InputError
from marl_supply.report.claims import over_series, verdicts
from marl_supply.report.figures import episode_density
from marl_supply.report.paired import paired_table
from marl_supply.report.results import Results, Row, read
from marl_supply.report.write import write
from marl_supply.study.load import load
from marl_supply.study.run import run

LEVELS = {"low": 8, "good": 14, "twin": 14, "high": 40}
CLAIMS: list[dict[str, Any]] = [
    {"text": "good is best", "row": "good", "below": ["low", "high"]},
    {"text": "high is best", "row": "high", "below": ["low", "good"]},
    {"text": "high is worst of two", "row": "high", "above": ["good"]},
    {"text": "good beats its twin", "row": "good", "below": ["twin", "high"]},
    {"text": "good is as good as its twin", "row": "good", "within": {"row": "twin", "percent": 0.1}},
    {"text": "good is as good as high", "row": "good", "within": {"row": "high", "percent": 1}},
    {"text": "learned beats high", "row": "learned", "below": ["high"]},
]
FILE: dict[str, Any] = {
    "name": "levels",
    "topology": "single_echelon",
    "game": {"horizon": 30, "warm_up": 5, "criterion": "average"},
    "compare": {
        **{name: {"policy": "base_stock", "parameters": {"store": level}} for name, level in LEVELS.items()},
        "learned": {"learner": "ppo"},
    },
    "train": {"env_steps": 100, "seeds": 3},
    "evaluate": {"replications": 60},
    "report": {"show": ["cost", "paired", "density"], "baseline": ["good", "high"], "claims": CLAIMS},
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("marl_supply.learning.train.train", StubLearner())
        return read(run(load(FILE), tmp_path_factory.mktemp("results")).path)


def row_of(results: Results, name: str) -> Row:
    return next(row for row in results if row.name == name)


def test_verdicts_are_those_of_the_differences(results: Results) -> None:
    words = {verdict.text: verdict.word for verdict in verdicts(results)}
    assert words.pop("learned beats high") in ("holds", "is not settled", "does not hold")
    assert words == {
        "good is best": "holds",
        "high is best": "does not hold",
        "high is worst of two": "holds",
        "good beats its twin": "is not settled",
        "good is as good as its twin": "holds",
        "good is as good as high": "does not hold",
    }
    good, low = row_of(results, "good"), row_of(results, "low")
    ends = stats.ttest_rel(good.sample, low.sample).confidence_interval(0.95)
    fact = verdicts(results)[0].facts[0]
    assert fact.startswith("good against low −") and f"−{-ends.low:.2f} to −{-ends.high:.2f} over replications" in fact


def test_a_margin_is_of_what_the_constant_leaves(results: Results) -> None:
    """Twice the difference is margin enough, a tenth of that is not."""
    good, high = (float(row_of(results, name).figures[0]) for name in ("good", "high"))
    within = {"row": "high", "percent": 200 * (high - good) / high}
    report = {**results.report, "claims": [{"text": "near", "row": "good", "below": [], "above": [], "within": within}]}
    words = [
        verdicts(replace(results, experiment={**results.experiment, "report": {**report, **constant}}))[0].word
        for constant in ({}, {"constant": {"cost": 0.9 * high, "source": "made up"}})
    ]
    assert words == ["holds", "does not hold"]


def test_a_row_that_is_not_finished_is_not_judged(results: Results) -> None:
    without = replace(results, rows=tuple(row for row in results if row.name != "low"))
    assert verdicts(without)[0].sentence == '"good is best" cannot be judged (low not finished).'


def test_over_a_series_there_is_one_sentence_for_each_claim(results: Results) -> None:
    found = verdicts(results)
    told = over_series(["a", "b", "c"], [found[:2], found[:2], [found[1], found[3]]])
    assert told[0] == "\"good is best\" holds in 2 of 3: holds in 'a', 'b'; does not hold in 'c'."
    assert len(told) == 2 and "holds in 0 of 3" in told[1] and "is not settled in 'c'" in told[1]


def test_the_report_ends_with_the_claims(results: Results) -> None:
    report = write(results.path)
    lines = report.path.read_text().rstrip().splitlines()
    assert lines[-len(CLAIMS) - 2] == "## Claims"
    assert lines[-len(CLAIMS)].startswith('- "good is best" holds (good against low −')
    assert [claim["verdict"] for claim in report.summary["claims"]] == [v.word for v in verdicts(results)]
    assert "## Paired differences" in report.path.read_text() and "episode_density.png" in report.path.read_text()
    assert (results.path / "figures" / "episode_density.png").read_bytes()[:4] == b"\x89PNG"


def test_what_a_report_says_is_no_part_of_the_hash() -> None:
    assert load({**FILE, "report": ["cost"]}).hash == load(FILE).hash
    assert load(load(FILE).to_dict()).report == load(FILE).report


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        ({"text": "x", "row": "god", "below": ["low"]}, r"report.claims\[0\].row: no row 'god' \(did you mean 'good'"),
        ({"text": "x", "row": "good", "above": ["hihg"]}, r"claims\[0\].above: no row 'hihg' \(did you mean 'high'"),
        ({"text": "x", "row": "good", "within": {"row": "lw", "percent": 1}}, r"claims\[0\].within.row: no row 'lw'"),
        ({"text": "x", "row": "good"}, "compared with nothing; give below, above or within"),
        ({"text": "x", "row": "good", "below": ["good"]}, "'good' stands twice"),
        ({"text": " ", "row": "good", "below": ["low"]}, "says nothing"),
    ],
)
def test_a_claim_that_cannot_be_judged_is_one_sentence(claim: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told) as error:
        load({**FILE, "report": {"claims": [claim]}})
    assert "\n" not in str(error.value)


def test_paired_differences_are_a_period_and_shares_pool_seeds(results: Results) -> None:
    head, *cells = paired_table(results)
    assert head[2] == "difference a period" and [line[:2] for line in cells[:3]] == [
        ["low", "good"],
        ["twin", "good"],
        ["high", "good"],
    ]
    assert len(cells) == 8
    table = pq.read_table(results.path / "episodes.parquet").to_pydict()
    learned: dict[int, dict[int, float]] = {}
    high = {}
    for name, seed, number, cost in zip(
        *(table[k] for k in ("row", "training_seed", "replication", "cost")), strict=True
    ):
        if name == "learned":
            learned.setdefault(number, {})[seed] = cost
        elif name == "high":
            high[number] = cost
    share = np.mean([cost < high[number] for number, costs in learned.items() for cost in costs.values()])
    line = next(line for line in cells if line[:2] == ["learned", "high"])
    assert line[4] == f"{share:.1%}" and line[3].endswith("over seeds")
    twin = next(line for line in cells if line[:2] == ["twin", "good"])
    assert twin[2:] == ["0.000", "0.000 to 0.000 over replications", "0.0%"]


def test_differences_of_totals_are_divided_by_the_periods(tmp_path: Path) -> None:
    rules = {name: FILE["compare"][name] for name in ("good", "high")}
    costs = []
    for criterion in ("average", "total"):
        file = {**FILE, "compare": rules, "report": ["paired"], "game": {**FILE["game"], "criterion": criterion}}
        costs.append(paired_table(read(run(load(file), tmp_path).path))[1:])
    assert costs[0] == costs[1]


def test_a_density_integrates_to_one_about_the_mean(results: Results) -> None:
    values = episode_density.episodes(results, row_of(results, "learned"))
    assert values.shape == (3 * 60,) and episode_density.measure(results) == "cost a period"
    found = episode_density.density(values)
    assert found is not None
    places, heights = found
    assert np.trapezoid(heights, places) == pytest.approx(1, abs=1e-4)
    assert np.trapezoid(heights * places, places) == pytest.approx(values.mean(), rel=1e-4)


def test_where_a_price_is_paid_the_axis_is_profit_a_period(tmp_path: Path) -> None:
    rules = {"base_stock_list_price": {"policy": "base_stock_list_price"}}
    file = {"name": "priced", "topology": "pricing_replenishment", "compare": rules, "report": ["density"]}
    game = {"horizon": 25, "warm_up": 5, "criterion": "total"}
    results = read(run(load({**file, "game": game, "evaluate": {"replications": 30}}), tmp_path).path)
    row = results.rows[0]
    assert episode_density.measure(results) == "profit a period"
    table = pq.read_table(results.path / "episodes.parquet").to_pydict()
    profits = episode_density.episodes(results, row)
    np.testing.assert_allclose(profits, [-cost / 20 for cost in table["cost"]])
    found = episode_density.density(profits)
    assert found is not None
    assert np.trapezoid(found[1] * found[0], found[0]) == pytest.approx(-row.figures[0] / 20, rel=1e-4)
    figure = episode_density.draw(results)
    assert figure is not None and figure.axes[0].get_xlabel() == "profit a period"


def test_rows_that_spread_far_wider_are_told_apart() -> None:
    narrow = {name: np.linspace(-1, 1, 50) + place for place, name in enumerate(("one", "two", "three"))}
    assert episode_density.wide_rows(narrow) == [] and episode_density.wide_rows(
        {**narrow, "far": np.linspace(-90, 90, 50)}
    ) == ["far"]


def test_identical_episodes_are_a_line(tmp_path: Path) -> None:
    assert episode_density.density(np.full(5, 7.1)) is None and episode_density.density(np.array([3.0])) is None
    game = {"horizon": 12, "warm_up": 2}
    still = {"name": "still", "topology": "beer_game", "compare": {"people": {"policy": "sterman"}}}
    file = {**still, "game": game, "evaluate": {"replications": 5}, "report": ["density"]}
    results = read(run(load(file), tmp_path).path)
    figure = episode_density.draw(results)
    assert figure is not None
    (line,) = figure.axes[0].get_lines()
    assert set(np.ravel(line.get_xdata())) == {results.rows[0].figures[0]}


def test_there_is_no_density_unless_it_is_shown(results: Results) -> None:
    hidden = {**results.experiment, "report": {**results.report, "show": ["cost"]}}
    assert episode_density.draw(replace(results, experiment=hidden)) is None
