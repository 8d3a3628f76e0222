"""What can be worked out about finished rows; each file is one analysis (see `marl_supply.study.analysis`)."""
