"""One row in a process of its own: ``python -m marl_supply.study.child FOLDER ROW``, started by `jobs`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from marl_supply.errors import InputError
from marl_supply.study.folder import Folder, write_text
from marl_supply.study.load import load
from marl_supply.study.work import work


def main(folder: Folder, name: str) -> int:
    """Do the row; 2 if it cannot be done as it is written, with the sentence on stderr."""
    parent = os.getppid()
    said: list[str] = []

    def report(share: float, words: str) -> None:
        if os.getppid() != parent:
            raise KeyboardInterrupt  # whoever started this is gone
        text = json.dumps({"share": round(share, 3), "words": words})
        if said[-1:] != [text]:
            said[:] = [text]
            write_text(folder.row(name) / "progress.json", text)

    try:
        work(folder, load(folder.path / "experiment.json"), name, report)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(Folder(Path(sys.argv[1])), sys.argv[2]))
