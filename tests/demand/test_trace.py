"""Recorded demand: reading the file, the three modes, the held-out span, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from marl_supply.demand.noise import DemandFeed
from marl_supply.demand.process import Array, DemandProcess
from marl_supply.demand.trace import Trace
from marl_supply.errors import InputError

# A series in which every value names its own place, so that places can be read off demand.
PLACES = tuple(float(place) for place in range(100))

CSV = """date,units,year
1997-01-01,5,1997
1997-01-02,0,1997
1997-01-03,7.5,1997
1998-01-01,3,1998
1998-01-02,4,1998
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sales.csv").write_text(CSV)
    return tmp_path


def read(folder: Path, **parameters: Any) -> Trace:
    return Trace.model_validate({"file": "sales.csv", "column": "units"} | parameters, context={"directory": folder})


def sample(process: DemandProcess, periods: int, replications: int) -> Array:
    feed = DemandFeed({"market": process}, 1, replications)
    return np.stack([feed.at(period)[0].copy() for period in range(periods)])


def test_a_file_is_read_by_value(folder: Path) -> None:
    trace = read(folder)
    assert trace.values == (5, 0, 7.5, 3, 4)
    assert not trace.integer
    (folder / "sales.csv").unlink()
    assert Trace.model_validate(trace.model_dump(mode="json", by_alias=True)) == trace


@pytest.mark.parametrize(
    ("span", "values"),
    [
        ({"from": "1997-01-02", "to": "1998-01-01"}, (0, 7.5, 3)),
        ({"from": "1997-01-03"}, (7.5, 3, 4)),
        ({"to": "1997-01-01"}, (5,)),
        ({"from": 1998, "to": 1998, "date_column": "year"}, (3, 4)),
        ({"to": 1997, "date_column": "year"}, (5, 0, 7.5)),
    ],
)
def test_spans_include_both_ends(folder: Path, span: dict[str, Any], values: tuple[float, ...]) -> None:
    assert read(folder, **span).values == values


def test_the_held_out_span_is_replayed_by_evaluation(folder: Path) -> None:
    trace = read(folder, **{"to": "1997-01-03", "held_out": {"from": "1998-01-01", "to": "1998-01-02"}})
    assert trace.values == (5, 0, 7.5)
    assert trace.evaluation().values == (3, 4)
    assert trace.evaluation().mode == "replay"
    assert read(folder).evaluation() == read(folder)


def test_replay_is_the_series_itself_and_says_when_it_ends() -> None:
    process = Trace(values=PLACES)
    assert np.array_equal(sample(process, 100, 3), np.repeat(np.array(PLACES)[:, None], 3, axis=1))
    feed = DemandFeed({"shop": process}, 1, 3)
    assert process.periods == feed.horizon == 100
    with pytest.raises(InputError, match=r"markets.shop: its series has 100 values.*game.horizon to 100"):
        feed.at(100)


@pytest.mark.parametrize("parameters", [{"mode": "windows", "window": 30}, {"mode": "bootstrap", "block": 30}])
def test_segments_follow_the_series_and_then_jump(parameters: dict[str, Any]) -> None:
    demand = sample(Trace(values=PLACES, **parameters), 300, 400)
    steps = np.diff(demand, axis=0)
    ends = np.arange(299) % 30 == 29
    assert np.all(steps[~ends] == 1)
    assert np.mean(steps[ends] == 1) < 0.05
    starts = demand[::30]
    assert starts.min() == 0 and starts.max() == 70
    # 71 possible places, equally likely: the mean start is 35
    assert starts.mean() == pytest.approx(35, abs=4 * 20.5 / np.sqrt(starts.size))


def test_a_window_longer_than_a_block_of_noise() -> None:
    demand = sample(Trace(values=PLACES, mode="windows", window=90), 180, 50)
    assert np.all(np.diff(demand[:90], axis=0) == 1) and np.all(np.diff(demand[90:], axis=0) == 1)
    assert demand.max() <= 99


def test_a_window_as_long_as_the_series_is_the_series() -> None:
    demand = sample(Trace(values=PLACES, mode="windows", window=100), 200, 3)
    assert np.array_equal(demand[:, 0], np.tile(PLACES, 2))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"file": "sale.csv"}, "there is no file"),
        ({"column": "unit"}, r"no column 'unit' \(did you mean 'units'\?\)"),
        ({"date_column": "day", "to": "1997-01-02"}, "date_column: sales.csv has no column 'day'"),
        ({"from": "1996-01-01"}, "1996-01-01 is outside sales.csv, which runs from 1997-01-01 to 1998-01-02"),
        ({"from": "1998-01-01", "to": "1997-01-01"}, "exchange them"),
        ({"from": 1997, "to": 1998}, "'1997-01-01', not a whole number"),
        (
            {"to": "1998-01-01", "held_out": {"from": "1998-01-01", "to": "1998-01-02"}},
            "held_out: it overlaps",
        ),
        ({"held_out": {"from": "1998-01-01", "to": "1998-01-02"}}, "held_out: it overlaps"),
        ({"mode": "windows"}, "mode 'windows' needs window"),
        ({"mode": "windows", "window": 6}, "6 periods do not fit into the 5 values"),
        ({"mode": "bootstrap"}, "mode 'bootstrap' needs block"),
        ({"block": 2}, "mode 'replay' takes no block"),
    ],
)
def test_bad_parameters_are_refused(folder: Path, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        read(folder, **parameters)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("nan", "line 3: units is nan"),
        ("inf", "line 3: units is inf"),
        ("-1", "line 3: units is -1"),
        ("many", "line 3: units is many"),
        ("", "line 3: units is empty"),
    ],
)
def test_bad_demand_is_refused_with_its_line(folder: Path, cell: str, message: str) -> None:
    (folder / "sales.csv").write_text(CSV.replace("1997-01-02,0", f"1997-01-02,{cell}"))
    with pytest.raises(ValidationError, match=message):
        read(folder)


def test_files_that_are_not_series_are_refused(folder: Path) -> None:
    (folder / "sales.csv").write_text("date,units\n")
    with pytest.raises(ValidationError, match="has no rows"):
        read(folder)
    (folder / "sales.csv").write_bytes(b"date,units\n1997-01-01,\xff\xfe\n")
    with pytest.raises(ValidationError, match="not a csv file in UTF-8"):
        read(folder)
    (folder / "sales.csv").write_text(CSV.replace("1997-01-02", "1999-01-02"))
    with pytest.raises(ValidationError, match="not in order"):
        read(folder, to="1998-01-01")


def test_values_stand_alone() -> None:
    with pytest.raises(ValidationError, match="needs a `file` or `values`"):
        Trace()
    with pytest.raises(ValidationError, match="cannot be negative"):
        Trace(values=(1.0, -1.0))
    with pytest.raises(ValidationError, match="held_out_values"):
        Trace.model_validate({"values": [1.0], "held_out": {"from": 1, "to": 2}})
