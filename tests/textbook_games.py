"""Games with known equilibria, as costs."""

import numpy as np

from marl_supply.equilibria.normal_form import NormalForm, normal_form


def prisoners_dilemma() -> NormalForm:
    """Years in prison; confessing is dominant."""
    return normal_form([[[1, 3], [0, 2]], [[1, 0], [3, 2]]], ["row", "column"], [["silent", "confess"]] * 2)


def coordination() -> NormalForm:
    """Both on 0 cost 0 each, both on 1 cost 1, apart 2: equilibria at (0, 0), (1, 1) and (1/3, 2/3) for both."""
    return normal_form([[[0, 2], [2, 1]], [[0, 2], [2, 1]]])


def matching_pennies() -> NormalForm:
    return normal_form([[[0, 1], [1, 0]], [[1, 0], [0, 1]]])


def rock_paper_scissors() -> NormalForm:
    first = np.array([[0, 1, -1], [-1, 0, 1], [1, -1, 0]])
    return normal_form([first, -first])


def public_goods(players: int = 3, endowment: float = 1.0, multiplier: float = 1.5) -> NormalForm:
    """Each keeps (0) or gives (1) its endowment; what is given is multiplied and shared. Keeping is dominant."""
    costs = np.empty((players,) + (2,) * players)
    for choice in np.ndindex(*(2,) * players):
        pot = multiplier * endowment * sum(choice)
        for player in range(players):
            costs[(player, *choice)] = endowment * choice[player] - pot / players
    return normal_form(costs)


def volunteers(loss: float = 4.0, players: int = 3) -> NormalForm:
    """Volunteering (0) costs 1, and all lose much if nobody does (1).

    In the symmetric equilibrium each stays away with probability (1 / loss) ** (1 / (players - 1)) (Diekmann 1985).
    """
    costs = np.zeros((players,) + (2,) * players)
    for choice in np.ndindex(*(2,) * players):
        for player in range(players):
            costs[(player, *choice)] = 1.0 if choice[player] == 0 else loss * all(choice)
    return normal_form(costs)


def jordan(first_weight: float = 1.0) -> NormalForm:
    """1 wants to match 2, 2 to match 3, and 3 not to match 1 (Jordan 1993); only the mixed equilibrium exists.

    A mismatch that player 1 makes with strategy 0 costs it `first_weight`, all others 1, so that 2 mixes
    (1, w) / (1 + w) and 1 and 3 half and half.
    """
    costs = np.zeros((3, 2, 2, 2))
    for one, two, three in np.ndindex(2, 2, 2):
        costs[0, one, two, three] = (one != two) * (first_weight if one == 0 else 1.0)
        costs[1, one, two, three] = two != three
        costs[2, one, two, three] = three == one
    return normal_form(costs)


def shapleys_cycle() -> NormalForm:
    """In which fictitious play circles (Shapley 1964)."""
    first = 1 - np.eye(3)
    return normal_form([first, np.roll(first, 1, axis=1)])


def random_game(seed: int, *shape: int, whole: bool = False) -> NormalForm:
    generator = np.random.default_rng(seed)
    size = (len(shape), *shape)
    return normal_form(generator.integers(0, 3, size) if whole else generator.normal(size=size))
