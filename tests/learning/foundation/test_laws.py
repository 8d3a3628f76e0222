"""What numpy plays is what torch learns: the same laws, decision by decision, and laws that sum to one."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tiny_transformer import batch_of, play, policy_of, random_model  # noqa: E402

from marl_supply.game.game import Game  # noqa: E402
from marl_supply.learning.foundation.decisions import NOMINAL, DecisionTokens  # noqa: E402
from marl_supply.learning.foundation.playing import cell_logarithms, name_logarithms  # noqa: E402
from marl_supply.learning.foundation.shapes import NAMES  # noqa: E402
from marl_supply.learning.foundation.transformer import (  # noqa: E402
    Laws,
    Mixture,
    TensorBatch,
    Transformer,
    log_likelihood,
)

PERIODS = 8
GAMES = ["lost_sales", "dual_sourcing", "collaborative", "newsvendor", "uneven_review"]


def torch_laws(model: Transformer, batch: TensorBatch) -> Laws:
    with torch.no_grad():
        found: Laws = model(batch)
    return found


@pytest.mark.parametrize("request_of", [0.02, None])
@pytest.mark.parametrize("name", GAMES)
def test_numpy_plays_what_torch_learns(name: str, request_of: float | None) -> None:
    """Over more periods than the layers can look back."""
    game, model = Game(name), random_model(1)
    played = play(game, policy_of(model, request_of).sampling(), 3, PERIODS)
    found = torch_laws(model, TensorBatch(batch_of(game, played, request_of), "cpu"))
    numbers = found.numbers
    for own, other in zip(played.laws, (numbers.weights, numbers.means, numbers.scales, found.names), strict=True):
        assert own == pytest.approx(other.numpy(), abs=1e-4)
    assert np.ptp(played.laws[1]) > 0.1


@pytest.mark.parametrize("name", [name for name in GAMES if name != "newsvendor"])
def test_the_likelihood_of_what_was_drawn_is_its_probability(name: str) -> None:
    game, model = Game(name), random_model(2)
    (seat,) = game.seats.values()
    decisions = DecisionTokens(seat)
    played = play(game, policy_of(model).sampling(), 3, PERIODS)
    batch = TensorBatch(batch_of(game, played), "cpu")
    laws = torch_laws(model, batch)
    likelihood = log_likelihood(laws, batch).numpy()
    for number, kind in enumerate(decisions.kinds):
        if kind == NOMINAL:  # torch knows of more names than there are edges; who plays leaves them out
            count = decisions.edges_of(number)
            among = laws.names[:, :, number].log_softmax(-1)[..., :count].logsumexp(-1).numpy()
            likelihood[:, :, number] -= among
    own = np.array(
        [
            [
                np.take_along_axis(logs, played.actions[:, period, number, None].astype(np.int64), -1)[:, 0]
                for number, logs in enumerate(logarithms)
            ]
            for period, logarithms in enumerate(played.logarithms)
        ]
    ).transpose(2, 0, 1)
    assert own == pytest.approx(likelihood, abs=1e-4)
    assert len(np.unique(played.actions[..., -1])) > 1


@pytest.mark.parametrize("scale", [-5.0, -1.0, 2.0])
@pytest.mark.parametrize("low, step, choices", [(0.0, 0.2, 101), (-0.4, 0.5, 2), (1.0, 0.1, 17)])
def test_the_cells_of_a_law_sum_to_one(scale: float, low: float, step: float, choices: int) -> None:
    """In numpy exactly; in torch, which takes densities for the far cells, nearly."""
    rng = np.random.default_rng(3)
    weights, means = (rng.standard_normal((4, 3)).astype(np.float32) for _ in range(2))
    scales = np.full((4, 3), scale, dtype=np.float32)
    own = cell_logarithms(weights, means, scales, low, step, choices)
    assert np.exp(own).sum(-1) == pytest.approx(1, abs=1e-9)
    grid = low + step * np.arange(choices)
    assert likelihood_of(grid, weights, means, scales, step).sum(-1) == pytest.approx(1, abs=2e-4)
    seen = own > -9
    found = likelihood_of(grid, weights, means, scales, step)[seen]
    assert np.log(found) == pytest.approx(own[seen], abs=1e-3)


def likelihood_of(grid: Any, weights: Any, means: Any, scales: Any, step: float) -> Any:
    """(P, choices) by torch of every cell of a grid, one period for each law."""
    choices, laws = len(grid), len(weights)
    given = [torch.from_numpy(part)[None, :, None, :].expand(choices, -1, -1, -1) for part in (weights, means, scales)]
    values = torch.from_numpy(grid.astype(np.float32))[:, None, None].expand(-1, laws, 1)
    ends = {name: torch.full((choices, 1, 1), float(part)) for name, part in (("low", grid[0]), ("high", grid[-1]))}
    grids: Any = SimpleNamespace(
        values=values, step=torch.full((choices, 1, 1), step), nominal=torch.tensor([False]), **ends
    )
    mixture = Mixture(*given)
    found = log_likelihood(Laws(mixture, torch.zeros(choices, laws, 1, NAMES), mixture), grids)
    return found.exp().numpy()[:, :, 0].T


def test_a_choice_among_names_is_among_those_that_are_there() -> None:
    found = name_logarithms(np.array([[1.0, 2.0, 9.0, 9.0]], dtype=np.float32), 2)
    assert np.exp(found) == pytest.approx(np.array([[1, np.e]]) / (1 + np.e))


def test_a_density_integrates_to_one() -> None:
    """Where units are continuous there is no grid, and the law is a density."""
    grid = np.linspace(-40, 40, 8001)
    weights, means = np.array([[0.3, -1.0]], dtype=np.float32), np.array([[0.5, 3.0]], dtype=np.float32)
    found = likelihood_of(grid, weights, means, np.array([[-0.5, 0.5]], dtype=np.float32), 0.0)
    assert found[0, 1:-1].sum() * 0.01 == pytest.approx(1, abs=1e-3)
