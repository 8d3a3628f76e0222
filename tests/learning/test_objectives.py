"""Advantages, gradient norms and value moments against plain numpy, one copy at a time."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from marl_supply.learning.networks import StackedNetwork, last_open, propagate, sample, stacked  # noqa: E402
from marl_supply.learning.objectives import Moments, advantages, clip_gradients, standardised  # noqa: E402


def test_advantages_by_definition() -> None:
    """The sum of discounted errors up to the end of the episode or of the batch, written out."""
    rng = np.random.default_rng(0)
    rewards, values, following = rng.standard_normal((3, 2, 5, 12))
    cut = rng.random((2, 5, 12)) < 0.2
    discount, trace = 0.9, 0.7
    expected = np.zeros_like(rewards)
    for chain in np.ndindex(2, 5):
        for start in range(12):
            weight = 1.0
            for period in range(start, 12):
                place = (*chain, period)
                expected[(*chain, start)] += weight * (rewards[place] + discount * following[place] - values[place])
                if cut[place]:
                    break
                weight *= discount * trace
    found = advantages(*map(torch.tensor, (rewards, values, following, cut)), discount, trace)
    assert cut.any()
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)


def test_gradients_are_clipped_by_copy() -> None:
    """A copy with a large gradient does not shrink another's."""
    weight, bias = (torch.zeros(3, 4, 2, requires_grad=True), torch.zeros(3, 1, 2, requires_grad=True))
    gradients = torch.randn(3, 4, 2) * torch.tensor([0.01, 1.0, 100.0])[:, None, None], torch.ones(3, 1, 2) * 0.01
    weight.grad, bias.grad = gradients[0].clone(), gradients[1].clone()
    clip_gradients([weight, bias], 0.5)
    norms = [(weight.grad[k].square().sum() + bias.grad[k].square().sum()).sqrt().item() for k in range(3)]
    assert torch.equal(weight.grad[0], gradients[0][0])
    assert norms[1:] == pytest.approx([0.5, 0.5], abs=1e-4)


def test_standardised_and_moments_by_copy() -> None:
    values = torch.randn(4, 1000) * torch.tensor([1.0, 5.0, 0.1, 30.0])[:, None] + 7
    scaled = standardised(values)
    np.testing.assert_allclose(scaled.mean(1), 0, atol=1e-4)
    np.testing.assert_allclose(scaled.std(1), 1, atol=1e-3)
    moments = Moments(4)
    assert [x.flatten().tolist() for x in moments.current()] == [[0.0] * 4, [1.0] * 4]
    moments.update(values)
    mean, deviation = moments.current()
    np.testing.assert_allclose(mean[:, 0], values.mean(1), rtol=1e-4)
    np.testing.assert_allclose(deviation[:, 0], values.std(1), rtol=1e-2)


def test_a_copy_starts_as_it_would_alone() -> None:
    both = StackedNetwork((5, 8, 3), [(1, "a"), (2, "a")], 0.1)
    alone = StackedNetwork((5, 8, 3), [(2, "a")], 0.1)
    assert torch.equal(both.weights[0][1], alone.weights[0][0])
    assert not torch.equal(both.weights[0][0], both.weights[0][1])
    inputs = torch.randn(2, 6, 5)
    np.testing.assert_allclose(both(inputs)[1].detach(), alone(inputs[1:])[0].detach(), atol=1e-6)
    several = propagate(stacked([both, both]), torch.cat([inputs, inputs]))
    np.testing.assert_allclose(several[2:].detach(), both(inputs).detach(), atol=1e-6)


def test_samples_follow_the_probabilities() -> None:
    """Equally spaced uniform numbers hit each choice in proportion; closed choices never."""
    logits = torch.tensor([1.0, -1e9, 0.5, 2.0, -1e9]).expand(1, 10_000, 1, 5)
    uniforms = ((torch.arange(10_000) + 0.5) / 10_000).view(1, -1, 1)
    last = last_open(logits[0, 0])
    chosen, logs = sample(logits, uniforms, last)
    expected = torch.softmax(logits[0, 0, 0], -1)
    counts = torch.bincount(chosen.flatten(), minlength=5) / 10_000
    np.testing.assert_allclose(counts, expected, atol=1e-3)
    np.testing.assert_allclose(logs.exp(), expected[chosen[..., 0]], rtol=1e-5)
    assert sample(logits, torch.ones(1, 10_000, 1), last)[0].max() == 3
