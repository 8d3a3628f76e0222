"""`python -m marl_supply` is `marl-supply`."""

import sys

from marl_supply.cli import main

if __name__ == "__main__":
    sys.exit(main())
