"""The error that a user's input raises, and the nearest-name hint that it carries."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """What the user wrote cannot be used: one sentence with the place, what is wrong, and the fix.

    The command line prints it alone and exits with status 2.
    """


def nearest(name: str, options: Iterable[str]) -> str:
    """Return ``" (did you mean 'x'?)"`` for the option closest to `name`, or ``""`` when none is close.

    Examples
    --------
    >>> nearest("wholesalr", ["retailer", "wholesaler"])
    " (did you mean 'wholesaler'?)"
    >>> nearest("zebra", ["retailer", "wholesaler"])
    ''
    """
    close = difflib.get_close_matches(name, list(options), n=1, cutoff=0.6)
    return f" (did you mean '{close[0]}'?)" if close else ""
