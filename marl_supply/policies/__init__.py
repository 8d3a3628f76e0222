"""Decision rules, one family a file. A new rule is a new file: a subclass of `Rule` with its parameters."""

from marl_supply.policies.rule import Parameter, Rule
from marl_supply.policies.seating import names, rule, seat_everybody

__all__ = ["Parameter", "Rule", "names", "rule", "seat_everybody"]
