"""The command line: ``marl-supply VERB ...``. A verb is one file in `verbs/`; what it needs it imports when it runs.

Exit codes: 0; 1 where a check failed; 2 for the user's input, with one sentence on stderr; 130 when interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from marl_supply.cli.parser import parse
from marl_supply.errors import InputError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        What stands behind ``marl-supply``; unstated, the process's own.

    Examples
    --------
    >>> main(["evaluate", "beer_gme", "--policy", "base_stock"])
    2
    """
    try:
        verb, options = parse(sys.argv[1:] if arguments is None else list(arguments))
        return verb.execute(options)
    except InputError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    except KeyboardInterrupt as interrupt:
        print(f"interrupted{': ' if interrupt.args else ''}{' '.join(map(str, interrupt.args))}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except SystemExit as end:
        return int(end.code or 0)
