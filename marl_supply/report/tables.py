"""Tables as aligned text and as markdown, and numbers short enough to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Cells = Sequence[Sequence[Any]]


def number(value: float | None) -> str:
    """A number with about four digits that tell; a dash for none.

    Examples
    --------
    >>> number(5997.5), number(180.0), number(7.31254), number(0.94231), number(None)
    ('5,997.5', '180.0', '7.313', '0.942', '-')
    """
    if value is None:
        return "-"
    size = abs(value)
    digits = 1 if size >= 100 else 2 if size >= 10 else 3
    return f"{value:,.{digits}f}"


def aligned(cells: Cells) -> str:
    """Rows of cells under each other, two blanks between columns; text to the left, numbers to the right."""
    rows = [[_text(value) for value in row] for row in cells]
    right = _numeric(cells)
    widths = [max((len(row[c]) for row in rows if c < len(row)), default=0) for c in range(len(right))]
    lines = []
    for row in rows:
        padded = [
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(row, widths, right, strict=False)
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def markdown(cells: Cells) -> str:
    """The same as a markdown table; the first row is its head."""
    head, *rows = [[_text(value) for value in row] for row in cells]
    rule = ["---:" if number else "---" for number in _numeric(cells)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *rows])


def _numeric(cells: Cells) -> list[bool]:
    """For each column whether a number stands in it."""
    columns = max(map(len, cells))
    return [any(isinstance(row[c], int | float) for row in cells if c < len(row)) for c in range(columns)]


def _text(value: Any) -> str:
    if isinstance(value, float) or value is None:
        return number(value)
    return str(value)
