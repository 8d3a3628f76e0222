"""The figure of bullwhip ratios along the chain: order of the nodes, whiskers over seeds, scale."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from scipy import stats
from stub_learner import StubLearner

from marl_supply.report.figures.bullwhip_by_echelon import draw
from marl_supply.report.results import Results, Row, read
from marl_supply.report.write import write
from marl_supply.study.load import load
from marl_supply.study.run import run

UPWARDS = ["retailer", "wholesaler", "distributor", "manufacturer"]
SMALL: dict[str, Any] = {
    "name": "small",
    "topology": "beer_game_uniform",
    "game": {"horizon": 20, "warm_up": 5},
    "compare": {"people": {"policy": "sterman"}, "team": {"learner": "happo", "reward": "shared"}},
    "train": {"env_steps": 10_000, "seeds": 3},
    "evaluate": {"replications": 20},
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("marl_supply.learning.train.train", StubLearner())
        return read(run(load(SMALL), tmp_path_factory.mktemp("results")).path)


def panel_of(results: Results) -> Axes:
    figure = draw(results)
    assert figure is not None
    return figure.axes[0]


def labels(panel: Axes) -> list[str]:
    return [label.get_text() for label in panel.get_xticklabels()]


def with_bullwhip(row: Row, change: Any) -> Row:
    """The row with other ratios: `change(node, seed number)`."""
    known = [
        {**result, "bullwhip": {node: change(node, number) for node in result["bullwhip"]}}
        for number, result in enumerate(row.record["results"])
    ]
    return replace(row, record={**row.record, "results": known})


def test_nodes_stand_from_the_market_upstream(results: Results) -> None:
    panel = panel_of(results)
    assert labels(panel) == UPWARDS
    (people,) = (row for row in results if row.name == "people")
    (drawn,) = (container for container in panel.containers if container.get_label() == "people")
    known = people.record["results"][0]["bullwhip"]
    np.testing.assert_allclose(np.asarray(drawn.lines[0].get_ydata(), dtype=float), [known[node] for node in UPWARDS])
    assert not drawn.has_yerr
    assert known["manufacturer"] > known["retailer"]  # Sterman's players amplify on the way up


def test_whiskers_are_t_intervals_over_seeds(results: Results) -> None:
    varied = [with_bullwhip(row, lambda node, seed: 1.0 + len(node) * (seed + 1) / 10) for row in results]
    panel = panel_of(replace(results, rows=tuple(varied)))
    (drawn,) = (container for container in panel.containers if container.get_label() == "team")
    segments = drawn.lines[2][0].get_segments()
    for node, segment in zip(UPWARDS, segments, strict=True):
        ratios = [1.0 + len(node) * (seed + 1) / 10 for seed in range(3)]
        ends = stats.t.interval(0.95, 2, loc=np.mean(ratios), scale=stats.sem(ratios))
        np.testing.assert_allclose(segment[:, 1], ends)


def test_ratios_far_apart_have_a_logarithmic_scale(results: Results) -> None:
    calm, wild = (
        replace(results, rows=tuple(with_bullwhip(row, lambda node, seed, top=top: top) for row in results))
        for top in (20.0, 20.5)
    )
    assert (panel_of(calm).get_yscale(), panel_of(wild).get_yscale()) == ("linear", "symlog")


def test_echelons_of_several_nodes_stand_side_by_side(tmp_path: Path) -> None:
    rows = {"rule": {"policy": "base_stock"}}
    document = {"name": "network", "topology": "one_warehouse_alvo", "game": {"horizon": 12, "warm_up": 2}}
    results = read(run(load({**document, "compare": rows, "evaluate": {"replications": 4}}), tmp_path).path)
    panel = panel_of(results)
    stores = [node for node in results.rows[0].record["nodes"] if node != "warehouse"]
    assert labels(panel) == [*stores, "warehouse"]
    between = [line for line in panel.get_lines() if list(line.get_xdata()) == [len(stores) - 0.5] * 2]
    assert len(between) == 1


def test_a_node_above_a_market_of_its_own_is_as_near_as_the_nearest(results: Results) -> None:
    topology = dict(results.experiment["topology"])
    topology["markets"] = {**topology["markets"], "direct": {"served_by": ["distributor"]}}
    panel = panel_of(replace(results, experiment={**results.experiment, "topology": topology}))
    assert set(labels(panel)[:2]) == {"retailer", "distributor"}
    assert set(labels(panel)[2:]) == {"wholesaler", "manufacturer"}


def test_there_is_no_figure_where_bullwhip_is_not_shown_or_unknown(tmp_path: Path, results: Results) -> None:
    hidden = {**results.experiment, "report": {**results.report, "show": ["cost"]}}
    assert draw(replace(results, experiment=hidden)) is None
    rows = [with_bullwhip(row, lambda node, seed: 1.0 if node == "retailer" else None) for row in results]
    assert draw(replace(results, rows=tuple(rows))) is None
    one = {"name": "one", "topology": "lost_sales", "game": {"horizon": 30, "warm_up": 5}}
    document = {**one, "compare": {"rule": {"policy": "base_stock"}}, "evaluate": {"replications": 4}}
    assert "bullwhip_by_echelon" not in write(run(load(document), tmp_path).path).path.read_text()
    assert "bullwhip_by_echelon" in write(results.path).path.read_text()
