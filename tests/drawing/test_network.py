"""The network as a figure: the same bytes each time, nothing over anything else, parallel edges apart."""

import struct
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from shipped_chains import NAMES

from marl_supply.drawing import paper
from marl_supply.drawing.curves import overlap
from marl_supply.drawing.network import chart, draw, save_picture
from marl_supply.topology import generators, load
from marl_supply.topology.outline import outline

SMALL = [name for name in NAMES if not outline(load(name)).by_level]


def texts(name_or_graph) -> list[str]:
    return [text.get_text() for text in draw(load(name_or_graph)).axes[0].texts]


@pytest.mark.parametrize("name", SMALL)
def test_boxes_and_labels_cover_nothing(name: str):
    chain = load(name)
    drawn = chart(chain, outline(chain))
    for one, other in combinations([*drawn.boxes, *drawn.labels], 2):
        assert overlap(one, other) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", SMALL)
def test_everything_lies_on_the_sheet_and_no_text_leaves_it(name: str):
    chain = load(name)
    drawn = chart(chain, outline(chain))
    (left, right), (bottom, top) = drawn.axes.get_xlim(), drawn.axes.get_ylim()
    for rectangle in [*drawn.boxes, *drawn.labels]:
        assert left <= rectangle[0] < rectangle[2] <= right and bottom <= rectangle[1] < rectangle[3] <= top
    for points in drawn.curves:
        assert left <= points[:, 0].min() and points[:, 0].max() <= right
        assert bottom <= points[:, 1].min() and points[:, 1].max() <= top
    renderer = drawn.figure.canvas.get_renderer()
    page = drawn.figure.bbox
    for text in drawn.axes.texts:
        extent = text.get_window_extent(renderer)
        assert page.x0 <= extent.x0 and extent.x1 <= page.x1, text.get_text()


@pytest.mark.parametrize("name", SMALL)
def test_no_arrow_runs_through_a_box(name: str):
    chain = load(name)
    drawn = chart(chain, outline(chain))
    for points in drawn.curves:
        for left, bottom, right, top in drawn.boxes:
            within = (points[:, 0] > left + 0.01) & (points[:, 0] < right - 0.01)
            within &= (points[:, 1] > bottom + 0.01) & (points[:, 1] < top - 0.01)
            assert not within.any()


@pytest.mark.parametrize("name", ["beer_game", "network_2x3", "one_warehouse_van_roy", "random_dag_1000"])
def test_the_file_is_the_same_each_time_and_as_large_as_the_figure(name: str, tmp_path: Path):
    chain = load(name)
    for number in (1, 2):
        save_picture(chain, tmp_path / f"{number}.png")
    content = (tmp_path / "1.png").read_bytes()
    assert content == (tmp_path / "2.png").read_bytes() and content.startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.png", "2.png"]
    size = draw(chain).get_size_inches() * paper.DOTS
    assert struct.unpack(">II", content[16:24]) == pytest.approx(tuple(size), abs=1)


def test_parallel_edges_run_apart_and_bear_their_names():
    chain = load("dual_sourcing")
    drawn = chart(chain, outline(chain))
    regular, express = drawn.curves[:2]
    assert regular[len(regular) // 2, 1] - express[len(express) // 2, 1] > 0.3
    written = texts("dual_sourcing")
    assert {"regular", "express", "lead time 2", "lead time 0", "purchase 100", "purchase 110"} <= set(written)


def test_what_is_written_in_boxes_and_on_arrows():
    assert {"holding 1", "backorder 9", "review 3 4", "lead time 2"} <= set(texts("uneven_review"))
    assert {"lead time 3", "lead time 2", "mean 8, sd 0", "waits if short"} <= set(texts("beer_game"))
    assert "information" in texts("beer_game") and "delay 2" in texts("beer_game")
    network = texts("network_2x3")
    assert {"lead time 4, purchase 0.1", "lead time 2, purchase 0.2"} <= set(network)
    assert "every arrow: order limit 4, charged on shipment" in network


def test_fifty_alike_retailers_are_one_pile_and_different_ones_stand_alone():
    graph = generators.one_warehouse(50)
    assert {"store_1 ... store_50", "(50 alike)", "50 markets"} <= set(texts(graph))
    for number in range(1, 51):
        graph.nodes[f"store_{number}"]["holding_cost"] = 1 + number / 100
    alone = texts(graph)
    assert {f"store_{number}" for number in range(1, 51)} <= set(alone)


def test_a_large_chain_is_dots_and_a_table_of_its_levels():
    written = texts("random_dag_1000")
    assert {"level", "nodes", "edges in", "lead time", "holding"} <= set(written)
    assert {"517", "1 to 3"} <= set(written)
    points = sum(len(dots.get_offsets()) for dots in draw(load("random_dag_1000")).axes[0].collections[1:])
    assert points == 1001


def test_widths_are_those_of_the_letters():
    assert paper.width("mm", 9) > paper.width("ii", 9) > 0
    assert paper.width("word", 9, bold=True) > paper.width("word", 9)
    assert np.isclose(paper.width("word", 18), 2 * paper.width("word", 9), rtol=0.02)
