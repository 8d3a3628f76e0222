"""``marl-supply dataset``: record what policies do on a family of instances, for Minari."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from marl_supply.cli.parser import add_json, add_set, natural, positive, print_json

HELP = "record what policies do on a family of instances, for Minari"


def describe(parser: ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("topology", metavar="TOPOLOGY", help="a shipped name, or the path of a topology file")
    parser.add_argument(
        "--policy",
        action="append",
        required=True,
        metavar="WORDS",
        help='who plays: "NAME seat.AGENT=NAME ... NODE.KEY=VALUE ... tuned=REPLICATIONS scale=FACTOR random=SHARE", a '
        "rule, a file of trained policies or `exact`, others in some seats, parameters, whether these are searched on "
        "every instance, a factor of them and a share of random actions; may be repeated",
    )
    parser.add_argument("--episodes", type=positive, default=100, metavar="N", help="of each policy and instance (100)")
    parser.add_argument("--out", required=True, metavar="NAME", help="folder under MINARI_DATASETS_PATH: lost_sales/v0")
    parser.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="PATH=VALUES",
        help="draw a value of the file for each instance from 1,2,3, 1..5 or [{...}, {...}]; may be repeated",
    )
    parser.add_argument(
        "--vary-case",
        action="append",
        default=[],
        metavar="VALUES",
        help='values that belong together, {"PATH": VALUE, ...}; one of all that are given is drawn for an instance',
    )
    parser.add_argument("--instances", type=positive, default=1, metavar="N", help="how many are drawn (1)")
    parser.add_argument("--seed", type=natural, default=0, metavar="S", help="of what is drawn for the instances (0)")
    parser.add_argument(
        "--first-episode-seed", type=natural, default=0, metavar="S", help="of the first episode; the next follow (0)"
    )
    parser.add_argument(
        "--common-seeds", action="store_true", help="all policies play the same episode seeds on an instance"
    )
    parser.add_argument(
        "--exploring-starts",
        type=natural,
        default=0,
        metavar="K",
        help="episodes begin with up to K periods of random actions, the same for all who play a seed (0)",
    )
    parser.add_argument("--jobs", type=positive, default=1, metavar="N", help="instances at once, in processes (1)")
    add_set(parser, "game.horizon=50")
    add_json(parser)


def execute(options: Namespace) -> int:
    """Record, and print the card or the folder."""
    from marl_supply.data import load_dataset
    from marl_supply.data.card import PAGE
    from marl_supply.study.dataset import record_dataset
    from marl_supply.study.family import Range, parse_case
    from marl_supply.study.mixed import Mixed

    folder = record_dataset(
        options.topology,
        options.out,
        [Mixed.parse(stated) for stated in options.policy],
        options.episodes,
        overrides=options.set,
        ranges=[Range.parse(stated) for stated in options.vary],
        cases=[parse_case(stated) for stated in options.vary_case],
        instances=options.instances,
        seed=options.seed,
        first_episode_seed=options.first_episode_seed,
        common_seeds=options.common_seeds,
        exploring_starts=options.exploring_starts,
        jobs=options.jobs,
        told=lambda line: print(line, file=sys.stderr),
    )
    if options.json:
        print_json(dict(load_dataset(folder).card))
    else:
        print((folder / PAGE).read_text(encoding="utf-8"))
        print(folder)
    return 0
