"""Where each value comes from: what every source says of it, when, with which rights, and why one of them was taken."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from backend.ingestion.explanation import Explained, explain_album, explain_track
from backend.ingestion.insert_to_supabase import Merging
from backend.models.ingestion_models import RightsLevel
from backend.repositories.histories import Histories
from backend.utils.errors import InvalidInputError, NotFoundError


class ProvenanceService:
    """Explains rows.

    Args:
        histories: reads what the sources said.
        merging: how records become rows.
    """

    def __init__(self, histories: Histories, *, merging: Merging) -> None:
        self._histories = histories
        self._merging = merging

    async def album(self, album_id: str, *, level: RightsLevel, at: datetime | None = None) -> dict[str, Any]:
        """Each field of an album: `value`, `source`, `why`, and `said` by each permitted source.

        Args:
            album_id: the album's.
            level: of rights; what is said by others is not shown.
            at: as of a past moment; now when None. Without a time zone it is UTC.

        Raises:
            NotFoundError: there is no such album at this level, or there was not at that time.
            InvalidInputError: the moment is to come.
        """
        moment = _past(at)
        records = await self._histories.records(album_id, at=moment)
        await self._prepare()
        found = explain_album(records, merging=self._merging, album_id=album_id, level=level)
        if found is None:
            raise NotFoundError(f"No source whose values are {level} names the album {album_id[:100]!r}")
        return _shown(found, id=album_id, level=level, at=moment)

    async def track(self, track_id: str, *, level: RightsLevel, at: datetime | None = None) -> dict[str, Any]:
        """Each field of a track, likewise; audio features by name, with `raw` as the source measured it.

        Raises:
            NotFoundError: there is no such track at this level, or there was not at that time.
            InvalidInputError: the moment is to come.
        """
        moment = _past(at)
        album_id = await self._histories.album_of(track_id)
        records = await self._histories.records(album_id, at=moment)
        await self._prepare()
        found = explain_track(records, merging=self._merging, album_id=album_id, track_id=track_id, level=level)
        if found is None:
            raise NotFoundError(f"No source whose values are {level} lists the track {track_id[:100]!r}")
        return _shown(found, id=track_id, level=level, at=moment, album_id=album_id)

    async def _prepare(self) -> None:
        if self._merging.prepare is not None:
            await self._merging.prepare()


def _past(at: datetime | None) -> datetime | None:
    if at is None:
        return None
    moment = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    if moment > datetime.now(UTC):
        raise InvalidInputError(f"at={moment.isoformat()} is to come; give a past moment, or leave it out for now")
    return moment


def _shown(found: dict[str, Explained], *, level: RightsLevel, at: datetime | None, **more: str) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(found)
    return {**more, "rights": level.value, "at": None if at is None else at.isoformat(), "fields": shown}
