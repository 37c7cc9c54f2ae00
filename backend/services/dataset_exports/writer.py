"""What a form of export is, and what it is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from backend.services.dataset_exports.data_set import DataSet

Progress = Callable[[int, int], None]
"""Told the rows written so far and all of them; what it raises ends the export, of which nothing stays."""


class Writer(Protocol):
    """A form of export.

    Attributes:
        name: as it is asked for.
        suffix: of its one file, with the dot; empty when it is a folder.
    """

    @property
    def name(self) -> str:
        """As it is asked for."""
        ...

    @property
    def suffix(self) -> str:
        """Of its one file, with the dot; empty when it is a folder."""
        ...

    def write(self, dataset: DataSet, place: Path) -> None:
        """Write everything to a place where nothing is yet: a file, or a folder to be made.

        Raises:
            InvalidInputError: this form cannot hold this data set; the message says why and names one that can.
            OSError: the disk is full, or cannot be written to.
        """
        ...
