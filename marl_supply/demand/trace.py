"""Recorded demand: replayed, or resampled in windows or blocks."""

from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, ValidationInfo, model_validator

from marl_supply.demand.distribution import Distribution
from marl_supply.demand.process import BLOCK, Array, DemandProcess, GeneratorOf, periods_of
from marl_supply.demand.series import Mark, Series, Span, overlap
from marl_supply.errors import InputError


class Trace(DemandProcess):
    """A recorded series, from a csv file or given as `values`.

    `replay`: every replication meets the series from its first value; a game may be no longer than the
    series. `windows`: each replication starts at a random period of the series such that `window` periods
    fit, and continues at another after them. `bootstrap`: the same with `block`, a moving-block bootstrap
    (Kunsch 1989, "The jackknife and the bootstrap for general stationary observations", Annals of Statistics
    17:1217-1241).

    A file is read once, while the topology is loaded, relative to the topology file (the validation context's
    "directory"). From then on `values` and `held_out_values` hold the numbers and nothing is read again:
    `file` only says where they came from.
    """

    file: str | None = Field(None, description="csv file with a header line, relative to the topology file")
    column: str = Field("demand", description="column of the file that holds demand (units per period)")
    date_column: str = Field("date", description="column of the file with ISO dates or whole numbers")
    from_: Mark | None = Field(None, alias="from", description="first date or number used; unstated, the file's first")
    to: Mark | None = Field(None, description="last date or number used, included; unstated, the file's last")
    values: tuple[float, ...] = Field((), description="the series itself, instead of a file (units per period)")
    mode: Literal["replay", "windows", "bootstrap"] = Field("replay", description="replay, windows or bootstrap")
    window: int | None = Field(None, ge=1, description="length of a window, with `mode: windows` (periods)")
    block: int | None = Field(None, ge=1, description="length of a block, with `mode: bootstrap` (periods)")
    held_out: Span | None = Field(None, description="{from, to}: the span to score policies on, never trained on")
    held_out_values: tuple[float, ...] = Field((), description="the held-out series itself (units per period)")

    @model_validator(mode="after")
    def _loaded(self, info: ValidationInfo) -> "Trace":
        if self.values and self.held_out is not None and not self.held_out_values:
            raise ValueError("held_out: beside `values`, give the held-out numbers as `held_out_values`")
        if not self.values:
            self._read(Path((info.context or {}).get("directory", ".")))
        if min(self.values + self.held_out_values) < 0:
            raise ValueError("values: demand cannot be negative; give numbers that are 0 or more")
        self._check_mode()
        return self

    def _read(self, directory: Path) -> None:
        """Fill in the values; the model is frozen for everybody else."""
        if self.file is None:
            raise ValueError("file: a trace needs a `file` or `values`; give one of them")
        if self.held_out is not None and overlap(self.from_, self.to, self.held_out):
            raise ValueError("held_out: it overlaps the span from..to, so training would see it; move one")
        series = Series(directory / self.file, self.column, self.date_column)
        loaded = {"values": series.between(self.from_, self.to)}
        if self.held_out is not None:
            loaded["held_out_values"] = series.between(self.held_out.from_, self.held_out.to)
        self.__dict__.update(loaded)
        self.__pydantic_fields_set__.update(loaded)

    def _check_mode(self) -> None:
        for mode, field in (("windows", "window"), ("bootstrap", "block")):
            length = getattr(self, field)
            if (self.mode == mode) != (length is not None):
                raise ValueError(f"{field}: mode '{self.mode}' {'needs' if self.mode == mode else 'takes no'} {field}")
            if length is not None and length > len(self.values):
                raise ValueError(f"{field}: {length} periods do not fit into the {len(self.values)} values; shorten it")

    @property
    def mean(self) -> float:
        return self._moments[0]

    @property
    def variance(self) -> float:
        return self._moments[1]

    @cached_property
    def _moments(self) -> tuple[float, float]:
        """Mean and variance of a period drawn at random in the long run."""
        values, length = np.array(self.values), self.segment
        if length is None:
            return float(np.mean(values)), float(np.var(values))
        places = np.arange(len(values))  # those near the ends are in fewer segments than others
        segments = np.minimum(places, len(values) - length) - np.maximum(places - length + 1, 0) + 1
        mean = float(np.average(values, weights=segments))
        return mean, float(np.average((values - mean) ** 2, weights=segments))

    @property
    def integer(self) -> bool:
        return all(value.is_integer() for value in self.values + self.held_out_values)

    @property
    def periods(self) -> int | None:
        return len(self.values) if self.mode == "replay" else None

    def evaluation(self) -> "Trace":
        """A replay of the held-out span; the trace itself when nothing is held out."""
        if not self.held_out_values:
            return self
        return Trace(file=self.file, column=self.column, values=self.held_out_values)

    @property
    def segment(self) -> int | None:
        """The length of a window or block, periods; None for a replay."""
        return self.window or self.block

    @property
    def cut(self) -> str:
        """How the series is cut; series of one stream that are cut alike jump to the same places."""
        return f"{len(self.values)} values in segments of {self.segment}"

    def distribution(self, period: int = 0, given: float | None = None) -> Distribution:
        """The law of a period's demand over replications; of a replay, the value itself."""
        self._takes_nothing(given)
        if self.segment is None:
            if period >= len(self.values):
                raise InputError(f"trace: its series has {len(self.values)} values and period {period} was asked")
            return Distribution.point(self.values[period])
        offset = period % self.segment
        possible = self.values[offset : len(self.values) - self.segment + 1 + offset]
        return Distribution.of(possible, np.ones(len(possible)))

    def forecast(self, period: int, last_demand: Array | None, ahead: int) -> Array:
        """The last demand, which is all that a seat knows of a recorded path; the mean where nothing was seen.

        What the series holds later is not told, nor is its mean: a held-out span would give itself away.
        """
        if last_demand is None:
            return np.full((ahead, 1), self.mean)
        return np.repeat(np.asarray(last_demand, dtype=np.float64)[None], ahead, axis=0)

    def draw(self, generator: GeneratorOf, replications: int, period_block: int, carry: Any) -> tuple[Array, Any]:
        if self.mode == "replay":
            return self._replay(replications, period_block), None
        length = self.segment or 1
        segment, offset = np.divmod(periods_of(period_block), length)
        starts = generator("").integers(
            0, len(self.values) - length + 1, (int(np.count_nonzero(offset == 0)), replications)
        )
        first = segment[0]
        if carry is not None:  # where the segment of the last period before this block began
            starts = np.vstack([carry, starts])
            first -= offset[0] == 0
        place = starts[segment - first] + offset[:, None]
        return np.array(self.values).take(place), starts[-1]

    def _replay(self, replications: int, period_block: int) -> Array:
        """The series' part in a block; periods past its end, which the feed refuses, are NaN."""
        part = np.full(BLOCK, np.nan)
        known = self.values[period_block * BLOCK : (period_block + 1) * BLOCK]
        part[: len(known)] = known
        return np.repeat(part[:, None], replications, axis=1)
