"""What is known: now, or as it was at a past moment."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from backend.ingestion.insert_to_supabase import Merging
from backend.ingestion.merger import Levels
from backend.ingestion.policy import counts_at
from backend.models.ingestion_models import Rights, RightsLevel, SourceRecord
from backend.models.results import TrackFilter
from backend.repositories.contradictions import FIELDS, Believed
from backend.repositories.track_snapshots import Snapshot, TrackSnapshots
from backend.services.estimates import Estimates
from backend.utils.errors import InvalidInputError

log = structlog.get_logger(__name__)


class Knowledge:
    """Gives tracks of a moment.

    Args:
        snapshots: reads them.
        merging: how records become rows: by the policy and the rights of now, whenever the records are from.
        estimates: what was not measured; None where nothing is estimated.
    """

    def __init__(self, snapshots: TrackSnapshots, *, merging: Merging, estimates: Estimates | None = None) -> None:
        self._snapshots = snapshots
        self._merging = merging
        self._estimates = estimates

    async def tracks(self, track_filter: TrackFilter, *, as_of: datetime | None, columns: Sequence[str]) -> Snapshot:
        """Tracks that fit, ordered by id, and what sources say differently of them.

        Args:
            track_filter: which of them.
            as_of: what was known at this moment; None for now.
            columns: of `FLAT_COLUMNS`.

        Raises:
            InvalidInputError: the moment is to come, before all that is kept, or its estimates cannot be made again.
        """
        believed = self._believed(track_filter.rights)
        if as_of is None:
            return await asyncio.to_thread(
                lambda: self._snapshots.now(track_filter, columns=columns, believed=believed)
            )
        moment, merging, is_same_model = as_of.astimezone(UTC), replace(self._merging, estimate=None), True
        if self._estimates is not None and track_filter.estimates:
            then, is_same_model = await self._estimates.at(moment, track_filter.rights)
            merging = replace(merging, estimate=then)

        def merge(album_id: str, records: Sequence[SourceRecord]) -> Levels | None:
            try:
                return merging.levels(records, album_id=album_id)
            except InvalidInputError as problem:
                log.warning("an album of the past cannot be merged", album_id=album_id, problem=str(problem))
                return None

        policy = merging.policy.fingerprint(merging.profiles)

        def read() -> Snapshot:
            return self._snapshots.at(
                track_filter, moment=moment, merge=merge, policy=policy, is_same_model=is_same_model, columns=columns,
                believed=believed,
            )  # fmt: skip

        found = await asyncio.to_thread(read)
        profiles, level = merging.profiles, track_filter.rights
        # What nobody may see at this level is not missing from it.
        hidden = {name for name, profile in profiles.items() if not counts_at(profile, level)}
        return replace(found, lost=tuple(each for each in found.lost if each.source not in hidden))

    def _believed(self, level: RightsLevel) -> Believed:
        """Whose word contradicts another's: by field, who is believed on it at a level. What is made up contradicts nobody."""
        trust = self._merging.policy.trust
        real = [p for p in self._merging.profiles.values() if not p.stand_in and p.rights is not Rights.SYNTHETIC]
        # Where editions share an entry, its number of tracks is another edition's.
        return {
            field: [p.name for p in real if trust(p, field, level) > 0 and (p.defines or field != "tracks")]
            for field in FIELDS
        }
