"""What is worked out about the rows of an experiment once they are finished: a section `analyse` of its file.

Adding an analysis is adding a file to `analyses/`: subclass, declare the keys as fields, write `work`. What it finds is
kept in the results folder (`analyses/NAME.json`), and found again only when its keys change. A file of the same name in
`report/sections/` shows it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from marl_supply.study.folder import Folder
from marl_supply.topology.file import Section

if TYPE_CHECKING:
    from marl_supply.study.experiment import Experiment

HOME = "marl_supply.study.analyses"
Say = Callable[[str], None]


class Analysis(Section):
    """One analysis with its keys; a subclass in `analyses/` goes by its name."""

    def check(self, experiment: Experiment) -> None:
        """Refuse, before anything runs, what cannot be worked out.

        Raises
        ------
        InputError
            In one sentence.
        """

    @abstractmethod
    def work(self, folder: Folder, experiment: Experiment, say: Say) -> dict[str, Any]:
        """Work it out from the finished rows of a results folder; JSON-able."""

    def to_dict(self) -> dict[str, Any]:
        """Its keys, JSON-able."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
