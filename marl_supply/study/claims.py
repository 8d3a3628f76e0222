"""Claims about rows that a report judges."""

from __future__ import annotations

from pydantic import field_validator, model_validator

from marl_supply.topology.file import Section
from marl_supply.topology.keys import Amount, Name, key


class Within(Section):
    """The row that another is said to be as good as, and how near it has to come."""

    row: Name = key(..., "", "the other row")
    percent: Amount = key(..., "%", "the most that they differ by, of what the other costs less `report.constant`")


class Claim(Section):
    """What is said of a row; the report ends with whether it holds. What of below, above and within stands, counts.

    It holds if every difference says so and is significant, and does not if one significantly says the contrary. Within
    a margin are rows whose interval is, and outside those whose interval is. All else is not settled.
    """

    text: str = key(..., "", "the claim in words")
    row: Name = key(..., "", "the row that it is about")
    below: tuple[Name, ...] = key((), "", "rows that cost more (earn less)")
    above: tuple[Name, ...] = key((), "", "rows that cost less (earn more)")
    within: Within | None = key(None, "", "`{row, percent}`: a row that costs about the same")

    @property
    def others(self) -> list[tuple[str, str]]:
        """Where another row is named, and which."""
        named = [("below", row) for row in self.below] + [("above", row) for row in self.above]
        return named + ([("within.row", self.within.row)] if self.within else [])

    @field_validator("text")
    @classmethod
    def _says_something(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("it says nothing; write the claim in words")
        return " ".join(text.split())

    @model_validator(mode="after")
    def _compares(self) -> Claim:
        rows = [row for _, row in self.others]
        if not rows:
            raise ValueError(f"{self.row} is compared with nothing; give below, above or within")
        if self.row in rows or len(set(rows)) < len(rows):
            twice = self.row if self.row in rows else next(row for row in rows if rows.count(row) > 1)
            raise ValueError(f"'{twice}' stands twice in it; name each row once")
        return self
