"""Equilibria: best responses, how far a profile is from one, where they lie, and what coalitions can save.

On simulated games: `responder` and `responders/`, `gains`, `exploitability`, `best_response_dynamics`, `cross_play`,
`contract_design`. On tables of costs: `normal_form`, `mixed`, `quantal_response`, `replicator`, `correlated`; of a
game, `empirical`. Of coalitions: `coalitions`, `coalition_costs`, `shapley`, `core`.
"""
