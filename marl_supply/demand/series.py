"""Reading a recorded demand series from a csv file."""

import csv
import math
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, StrictInt

from marl_supply.errors import nearest

Mark = StrictInt | date
"""A place in a series: a date (1997-04-01), or a whole number such as a year."""


class Span(BaseModel):
    """A stretch of a series, both ends included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    from_: Mark = Field(alias="from", description="first date or number of the span")
    to: Mark = Field(description="last date or number of the span, itself included")


class Series:
    """The demand column of a csv file, beside the column that says when.

    Parameters
    ----------
    path : Path
        A csv file with a header line.
    column : str
        The column of demand, units per period.
    date_column : str
        The column of dates (ISO 8601) or of whole numbers such as years; read only when spans are asked.

    Raises
    ------
    ValueError
        If the file or a column is missing, or a demand is not a number or is negative.
    """

    def __init__(self, path: Path, column: str, date_column: str) -> None:
        self.path = path
        self.date_column = date_column
        self._rows = self._read()
        self.values = tuple(self._demand(row, line, column) for line, row in enumerate(self._rows, start=2))

    def _read(self) -> list[dict[str, str | None]]:
        if not self.path.is_file():
            raise ValueError(f"file: there is no file '{self.path}'; paths are relative to the topology file")
        try:
            with self.path.open(newline="", encoding="utf-8-sig") as stream:
                rows = list(csv.DictReader(stream))
        except (UnicodeDecodeError, csv.Error) as error:
            raise ValueError(f"file: {self.path.name} is not a csv file in UTF-8 ({error}); save it as one") from None
        if not rows:
            raise ValueError(f"file: {self.path.name} has no rows; give a header line and a row for each period")
        return rows

    def _cell(self, row: dict[str, str | None], line: int, column: str, field: str) -> str:
        if column not in row:
            options = [name for name in row if name]
            hint = nearest(column, options) or f"; there are: {', '.join(options)}"
            raise ValueError(f"{field}: {self.path.name} has no column '{column}'{hint}")
        cell = row[column]
        if cell is None or not cell.strip():
            raise ValueError(f"{self.path.name} line {line}: {column} is empty; fill it in or remove the line")
        return cell.strip()

    def _demand(self, row: dict[str, str | None], line: int, column: str) -> float:
        cell = self._cell(row, line, column, "column")
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or value < 0:
            raise ValueError(
                f"{self.path.name} line {line}: {column} is {cell}; demand must be a number that is 0 or more"
            )
        return value

    def _mark(self, row: dict[str, str | None], line: int, like: Mark) -> Mark:
        cell = self._cell(row, line, self.date_column, "date_column")
        kind = "a whole number" if isinstance(like, int) else "a date such as 1997-04-01"
        try:
            return int(cell) if isinstance(like, int) else date.fromisoformat(cell)
        except ValueError:
            raise ValueError(f"{self.path.name} line {line}: {self.date_column} is '{cell}', not {kind}") from None

    def between(self, first: Mark | None, last: Mark | None) -> tuple[float, ...]:
        """The demands from `first` to `last`, both included; None stands for the series's own end."""
        given = [mark for mark in (first, last) if mark is not None]
        if not given:
            return self.values
        if isinstance(given[0], int) != isinstance(given[-1], int):
            raise ValueError(f"from and to: {first} and {last} are of two kinds; give two dates or two numbers")
        marks = [self._mark(row, line, given[0]) for line, row in enumerate(self._rows, start=2)]
        self._check_inside(given, marks)
        keys = [_key(mark) for mark in marks]
        low = keys[0] if first is None else _key(first)
        high = keys[-1] if last is None else _key(last)
        if low > high:
            raise ValueError(f"from: {first} is after to, {last}; exchange them")
        return tuple(value for key, value in zip(keys, self.values, strict=True) if low <= key <= high)

    def _check_inside(self, given: Iterable[Mark], marks: list[Mark]) -> None:
        keys = [_key(mark) for mark in marks]
        if keys != sorted(keys):
            raise ValueError(
                f"date_column: {self.date_column} of {self.path.name} is not in order; sort the file by it"
            )
        for mark in given:
            if not keys[0] <= _key(mark) <= keys[-1]:
                raise ValueError(f"{mark} is outside {self.path.name}, which runs from {marks[0]} to {marks[-1]}")


def _key(mark: Mark) -> int:
    return mark if isinstance(mark, int) else mark.toordinal()


def overlap(first: Mark | None, last: Mark | None, span: Span) -> bool:
    """Whether a span shares a period with the stretch `first` to `last` (None: open on that side)."""
    starts_before_end = first is None or _key(first) <= _key(span.to)
    return starts_before_end and (last is None or _key(span.from_) <= _key(last))
