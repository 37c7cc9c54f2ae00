"""The quality report of the catalogue as it stands, bounded and kept until something changes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec
import orjson

from backend.cache import Cache, digest, remember
from backend.models.results import TrackFilter
from backend.repositories.track_columns import FLAT_COLUMNS
from backend.repositories.track_pages import TrackPages
from backend.repositories.track_snapshots import Snapshot
from backend.services.dataset_folders import DataSetFolders
from backend.services.knowledge import Knowledge

if TYPE_CHECKING:
    from backend.features.quality import QualityReport

MOST_LOOKED_AT: Final = 100_000
"""Tracks that a report reads: some hundred MB of memory at the most."""
PART: Final = "catalogue"
"""As the only part of the report is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueQuality:
    """What the catalogue is like.

    Attributes:
        fitting: tracks that the filter takes.
        looked_at: of them, those that the report is of.
        whole: whether these are all.
        moment: what was stored by then is in it (UTC).
        since: the fingerprint of the data set that drift is told since; None for none.
        report: as of a data set, with one part.
    """

    fitting: int
    looked_at: int
    whole: bool
    moment: datetime
    since: str | None
    report: dict[str, Any]


class QualityService:
    """Reports on the catalogue.

    Args:
        knowledge: gives its tracks, and what sources say differently of them.
        pages: counts them.
        folders: data sets, for drift since one of them.
        cache: where reports are kept.
        ttl: seconds they are kept at the most.
        most: tracks that one reads.
    """

    def __init__(
        self, knowledge: Knowledge, pages: TrackPages, folders: DataSetFolders, *, cache: Cache, ttl: float,
        most: int = MOST_LOOKED_AT,
    ) -> None:  # fmt: skip
        self._knowledge = knowledge
        self._pages = pages
        self._folders = folders
        self._cache = cache
        self._ttl = ttl
        self._most = most
        self._turn = asyncio.Semaphore(1)  # each takes memory for all of its rows

    async def report(self, track_filter: TrackFilter, *, target: str | None = None, since: str | None = None) -> bytes:
        """What the tracks that fit are like, as JSON of a `CatalogueQuality`.

        Args:
            track_filter: which tracks, and by whose word.
            target: whose balance is told, as for data sets; None for none.
            since: the name or first digits of a data set, to tell drift since; None for none.

        Raises:
            InvalidInputError: no such target; a filter or a data set cannot be read.
            NotFoundError: there is no such data set.
        """
        before = None if since is None else (await asyncio.to_thread(self._folders.find, since)).fingerprint

        async def compute() -> bytes:
            async with self._turn:
                bounds = await self._pages.bounds(track_filter, limit=self._most)
                known = await self._knowledge.tracks(bounds.rows, as_of=None, columns=FLAT_COLUMNS)
                fitting = await self._pages.count(track_filter)
                made = await asyncio.to_thread(self._made, known, target, before)
            looked_at = known.tracks.num_rows
            return orjson.dumps(
                CatalogueQuality(
                    fitting=max(fitting, looked_at), looked_at=looked_at, whole=fitting <= looked_at,
                    moment=known.moment, since=before, report=made.to_plain(),
                )
            )  # fmt: skip

        if track_filter.seen_by is not None:  # what follows from somebody's history is kept nowhere
            return await compute()
        asked = {"filter": msgspec.to_builtins(track_filter), "target": target, "since": before}
        return await remember(self._cache, "catalogue", digest("quality", asked), ttl=self._ttl, compute=compute)

    def _made(self, known: Snapshot, target: str | None, before: str | None) -> QualityReport:
        from backend.features import quality  # late: they load Arrow
        from backend.features import target as targets

        aim = None if target is None else targets.parse(target, find_tag=targets.tags_of(known.tracks))
        earlier = None if before is None else self._folders.tracks(self._folders.find(before))
        parts = {PART: known.tracks}
        return quality.report(parts, target=aim, before=earlier, contradictions=known.contradictions)
