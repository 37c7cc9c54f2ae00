"""Data sets compared: what differs and why, and how far values drifted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from backend.ingestion.policy import counts_at
from backend.ingestion.source import SourceProfile
from backend.models.datasets import Manifest
from backend.models.ingestion_models import RightsLevel
from backend.repositories.record_changes import RecordChanges
from backend.services.dataset_folders import DataSetFolders
from backend.utils.errors import InvalidInputError

if TYPE_CHECKING:
    import pyarrow as pa

    from backend.features.changes import Changes
    from backend.features.quality import QualityReport

MOST_SHOWN: Final = 10_000
"""The most rows, values and figures that are shown of each kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifted:
    """A data set's quality report, with the drift since another one.

    Attributes:
        before: the other one.
        after: the one.
        report: `report.drift` tells of each field, `report.findings` what is worth a look.
    """

    before: Manifest
    after: Manifest
    report: QualityReport


class DataSetComparison:
    """Compares data sets that are there; nothing is written.

    Args:
        folders: where they are kept.
        records: whose word changed in between.
        profiles: every registered source's: below the level `any`, only the word of those that are permitted there counts.
    """

    def __init__(
        self, folders: DataSetFolders, records: RecordChanges, *, profiles: Mapping[str, SourceProfile]
    ) -> None:
        self._folders = folders
        self._records = records
        self._profiles = profiles
        self._turn = asyncio.Semaphore(1)  # each takes memory for two data sets

    async def diff(self, one: str, other: str | None = None, *, limit: int = 20) -> Changes:
        """How a data set differs from another, and why.

        Args:
            one: a name or the first digits of a fingerprint: the earlier.
            other: the later; None: `one`, compared with the build of its name before it.
            limit: the most rows, values and figures shown of each kind; all are counted.

        Raises:
            NotFoundError: there is no such data set.
            InvalidInputError: a file is damaged, or the limit cannot be.
        """
        if not 0 <= limit <= MOST_SHOWN:
            raise InvalidInputError(f"limit={limit} is not between 0 and {MOST_SHOWN}")

        def work() -> Changes:
            from backend.features.changes import Side, compare  # late: it loads DuckDB

            before, after = (Side(self._folders.path(m), m) for m in self._folders.pair(one, other))
            known = self._records.between(
                before.manifest.watermark,
                after.manifest.watermark,
                sources=self._counting(before.manifest, after.manifest),
            )
            return compare(before, after, known, limit=limit)

        async with self._turn:
            return await asyncio.to_thread(work)

    async def drift(self, one: str, other: str | None = None) -> Drifted:
        """The later one's quality report, with its drift since the earlier one.

        Raises:
            NotFoundError: there is no such data set.
            InvalidInputError: a file is damaged.
        """

        def work() -> Drifted:
            from backend.features import quality  # late: they load Arrow
            from backend.features import target as targets

            before, after = self._folders.pair(one, other)
            parts = self._folders.tracks(after)
            recipe = json.loads(self._folders.file(after, "recipe.json").read_bytes())
            name = recipe.get("target")
            found = None
            if name is not None:
                found = targets.parse(name, find_tag=targets.tags_of(_together(parts)))
            return Drifted(
                before=before,
                after=after,
                report=quality.report(parts, target=found, before=self._folders.tracks(before)),
            )

        async with self._turn:
            return await asyncio.to_thread(work)

    def _counting(self, before: Manifest, after: Manifest) -> list[str]:
        """The sources that decide on the values of both; none named: all of them."""
        if before.rights != after.rights or after.rights == RightsLevel.ANY:
            return []
        level = RightsLevel(after.rights)
        return [name for name, profile in self._profiles.items() if counts_at(profile, level)]


def _together(parts: dict[str, pa.Table]) -> pa.Table:
    import pyarrow as pa

    return pa.concat_tables(parts.values())
