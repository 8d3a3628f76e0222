"""Layers, crossings and curves, on cases small enough to know the answer."""

import numpy as np
import pytest

from marl_supply.drawing.curves import curve, overlap, place_labels, ports
from marl_supply.drawing.layout import arrange, crossings, ordered

BOX = (1.0, 0.5)


def test_crossings_are_counted():
    assert crossings([[0, 1], [2, 3]], [(0, 2), (1, 3)]) == 0
    assert crossings([[0, 1], [2, 3]], [(0, 3), (1, 2)]) == 1
    assert crossings([[0, 1, 2], [3, 4, 5]], [(0, 5), (1, 4), (2, 3)]) == 3
    assert crossings([[0, 1], [2, 3]], [(0, 2), (0, 3), (1, 2), (1, 3)]) == 1


def test_an_order_without_crossings_is_found():
    pairs = [(0, 5), (1, 4), (2, 3), (0, 4), (1, 3)]
    rows = ordered([0, 0, 0, 1, 1, 1], pairs)
    assert crossings(rows, pairs) == 0 and sorted(rows[0]) == [0, 1, 2] and sorted(rows[1]) == [3, 4, 5]


def test_a_chain_is_level_and_a_fan_is_centred():
    chain = arrange([0, 1, 2], np.array([BOX] * 3), [(0, 1), (1, 2)], [0.5, 0.5])
    assert np.ptp(chain.y) == pytest.approx(0) and chain.x == pytest.approx([0.5, 2.0, 3.5])
    fan = arrange([0, 1, 1, 1], np.array([BOX] * 4), [(0, 1), (0, 2), (0, 3)], [0.5], apart=0.25)
    assert fan.y[0] == pytest.approx(fan.y[2]) and np.diff(np.sort(fan.y[1:])) == pytest.approx([0.75, 0.75])


def test_a_link_over_a_layer_goes_round_its_box():
    layout = arrange([0, 1, 2], np.array([BOX] * 3), [(0, 1), (1, 2), (0, 2)], [0.5, 0.5])
    ((x, y),) = layout.ways[2]
    assert x == pytest.approx(layout.x[1]) and abs(y - layout.y[1]) > BOX[1] / 2
    assert layout.ways[0] == ()


def test_boxes_of_a_layer_keep_apart():
    rng = np.random.default_rng(3)
    layer = [0] * 5 + [1] * 9 + [2] * 4
    size = np.stack([np.ones(18), rng.uniform(0.2, 1.2, 18)], axis=1)
    links = [(a, b) for a in range(5) for b in range(5, 14) if rng.random() < 0.4]
    links += [(a, b) for a in range(5, 14) for b in range(14, 18) if rng.random() < 0.4]
    layout = arrange(layer, size, links, [1, 1], apart=0.2)
    for first, last in ((0, 5), (5, 14), (14, 18)):
        order = np.argsort(layout.y[first:last]) + first
        for low, high in zip(order, order[1:], strict=False):
            assert layout.y[high] - layout.y[low] >= (size[high, 1] + size[low, 1]) / 2 + 0.2 - 1e-9


def test_curves_end_where_they_should_and_bow():
    points = curve((0, 0), (2, 1), bow=0.3)
    assert points[0] == pytest.approx([0, 0]) and points[-1] == pytest.approx([2, 1])
    assert points[len(points) // 2, 1] == pytest.approx(0.5 + 0.3)


def test_ports_follow_the_other_ends_and_stay_on_the_box():
    offsets = ports([0, 0, 0], [0.0, 5.0, 2.0], np.array([0.2]), pitch=0.16)
    assert offsets[1] > offsets[2] > offsets[0] and np.ptp(offsets) <= 0.2
    assert ports([0], [3.0], np.array([1.0]), 0.16) == pytest.approx([0])


def test_labels_keep_off_boxes_and_each_other():
    line = curve((0, 0), (4, 0.3))
    twin = curve((0, 0.05), (4, 0.35))
    box = (1.6, -0.5, 2.4, 1.0)
    one, other = place_labels([(0.6, 0.2)] * 2, [line, twin], [line, twin], [box])
    assert overlap(one, other) == overlap(one, box) == overlap(other, box) == 0
