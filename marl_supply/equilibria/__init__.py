"""Equilibria: best responses, how far a profile is from one, where they lie, and what coalitions can save.

On simulated games: `responder` and `responders/`, `gains`, `exploitability`, `best_response_dynamics`, `contract_design`,
`cross_play`. On tables of costs: `normal_form`, `mixed`, `quantal_response`, `replicator`, `correlated`; `empirical`
makes a table of a game. Of coalitions: `coalitions`, `coalition_costs`, `shapley`, `core`.
"""
