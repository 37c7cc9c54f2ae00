"""ListenBrainz: how many people listen to a recording. Needs no key; statistics are CC0.

Wire form: `POST /1/popularity/recording` with up to 1,000 recordings' MBIDs; the answers come in their order, with null for what
nobody listened to (listenbrainz.readthedocs.io, API: popularity).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from pydantic import Field

from backend.config.settings import SettingsGroup
from backend.ingestion.popularity import LISTENBRAINZ_FULL, from_listeners
from backend.ingestion.source import Payload, SourceProfile
from backend.ingestion.transport import Limits, Reply, Transport
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Rights, TrackRecord
from backend.utils.errors import MalformedReplyError, RecordNotFoundError, RejectedError

_AT_ONCE: Final = 1_000


class ListenBrainzSettings(SettingsGroup):
    """Where ListenBrainz is and how fast it is asked."""

    listenbrainz_enabled: bool = True
    listenbrainz_api_url: str = "https://api.listenbrainz.org/1"
    listenbrainz_rate: float = Field(default=1.0, gt=0)  # requests a second


class ListenBrainzSource:
    """ListenBrainz as a source."""

    def __init__(self, settings: ListenBrainzSettings | None = None) -> None:
        self._settings = settings or ListenBrainzSettings.read()

    @property
    def profile(self) -> SourceProfile:
        """See `Source`."""
        return SourceProfile(
            name="listenbrainz",
            rights=Rights.OPEN,
            gives={"popularity": 0.6, "listeners": 0.8},
            fresh_days=14,
            limits=Limits(rate=self._settings.listenbrainz_rate, concurrent=2, backoff=1.0),
            typical_calls=1.0,
            terms="Listens and statistics are CC0.",
        )

    @property
    def settings(self) -> SettingsGroup:
        """See `Source`."""
        return self._settings

    def unconfigured(self) -> str | None:
        """See `Source`."""
        return None if self._settings.listenbrainz_enabled else "LISTENBRAINZ_ENABLED is false"

    async def fetch(self, query: AlbumQuery, transport: Transport) -> Payload:
        """The figures of all recordings whose MBIDs are known.

        Raises:
            RecordNotFoundError: nobody knows any of them.
        """
        tracks = query.known.tracks if query.known is not None else ()
        wanted = list(dict.fromkeys(mbid for t in tracks if (mbid := t.ids.get("musicbrainz"))))
        if not wanted:
            raise RecordNotFoundError("ListenBrainz is asked by recordings' MusicBrainz ids, and nobody knows them")
        rows: list[Any] = []
        for start in range(0, len(wanted), _AT_ONCE):
            rows += await self._figures(wanted[start : start + _AT_ONCE], transport)
        heard = [row for row in rows if row.get("total_user_count") is not None]
        if not heard:
            raise RecordNotFoundError("ListenBrainz has no listener of these recordings")
        return {"recordings": heard}

    def normalise(self, payload: Payload) -> AlbumRecord:
        """See `Source`. It names nothing: recordings are told by their MBIDs."""
        rows = payload.get("recordings")
        if not isinstance(rows, list) or not all(isinstance(r, dict) and r.get("recording_mbid") for r in rows):
            raise MalformedReplyError("ListenBrainz's answer has no recordings with a recording_mbid")
        tracks = tuple(
            TrackRecord(
                title="",
                listeners=row.get("total_user_count"),
                popularity=from_listeners(row.get("total_user_count"), full=LISTENBRAINZ_FULL),
                ids={"musicbrainz": str(row["recording_mbid"])},
            )
            for row in rows
        )
        return AlbumRecord(title="", artist="", tracks=tracks, match_method="mbid")

    async def _figures(self, wanted: Sequence[str], transport: Transport) -> list[Any]:
        url = f"{self._settings.listenbrainz_api_url.rstrip('/')}/popularity/recording"
        reply = await transport.post(url, json={"recording_mbids": list(wanted)}, check=partial(_check, len(wanted)))
        found: list[Any] = reply.json()
        return found


def _check(count: int, reply: Reply) -> None:
    if reply.is_fault:
        return
    found = reply.json()
    if reply.status != 200:
        said = found.get("error") if isinstance(found, dict) else None
        raise RejectedError(f"ListenBrainz answered {reply.status}: {str(said)[:200]}")
    # A row for each, in their order: fewer are not the answer to what was asked.
    if not isinstance(found, list) or len(found) != count:
        raise MalformedReplyError(f"{reply.url} answered no list of the {count} recordings asked for")
    if not all(isinstance(row, dict) and "recording_mbid" in row for row in found):
        raise MalformedReplyError(f"{reply.url} answered rows without recording_mbid")
