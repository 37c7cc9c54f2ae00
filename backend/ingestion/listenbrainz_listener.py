"""What a ListenBrainz listener plays most: public data (CC0), asked by the listener's name; needs no key.

Wire form: `GET /1/stats/user/{name}/artists|releases|recordings?range=&count=&offset=` answers `{"payload": {…, "artists": […],
"count", "total_artist_count", "offset", "range"}}`; 204 without a body where no statistics have been computed, 404
`{"code", "error"}` for an unknown name (listenbrainz.readthedocs.io, API: statistics; listenbrainz-server, `stats_api.py`).
A server may give fewer rows at once than were asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from backend.ingestion.lastfm_listener import Kind, Period
from backend.ingestion.listenbrainz_fetcher import ListenBrainzSettings
from backend.ingestion.transport import Reply, Transport
from backend.models.ingestion_models import Rights
from backend.utils.errors import MalformedReplyError, RecordNotFoundError, RejectedError, UnconfiguredError

_KINDS: Final[Mapping[Kind, tuple[str, str]]] = {
    "artists": ("artists", "artist_name"),
    "albums": ("releases", "release_name"),
    "tracks": ("recordings", "track_name"),
}
# Its ranges are of the calendar: the last whole week, month, quarter, half year, year.
_RANGES: Final[Mapping[Period, str]] = {
    "overall": "all_time", "7day": "week", "1month": "month", "3month": "quarter", "6month": "half_yearly", "12month": "year",
}  # fmt: skip
_AT_ONCE: Final = 1_000
_NO_CONTENT: Final = 204


class ListenBrainzListener:
    """Asks for listeners.

    Args:
        transport: ListenBrainz's, shared with the source so that both keep to one pace.
        settings: ListenBrainz's.
    """

    def __init__(self, transport: Transport, settings: ListenBrainzSettings | None = None) -> None:
        self._transport = transport
        self._settings = settings or ListenBrainzSettings.read()

    @property
    def rights(self) -> Rights:
        """Statistics are CC0."""
        return Rights.OPEN

    async def top(self, user: str, kind: Kind, *, period: Period, limit: int) -> Sequence[Mapping[str, Any]]:
        """The most played, first the most: name, plays, rank, MBID, and the artist of albums and tracks.

        Raises:
            UnconfiguredError: ListenBrainz is switched off.
            RecordNotFoundError: there is no such listener, or nothing has been computed of him for this time.
            SourceError: anything else that keeps the answer away.
        """
        if not self._settings.listenbrainz_enabled:
            raise UnconfiguredError("Listeners are looked up at ListenBrainz, and LISTENBRAINZ_ENABLED is false")
        found: list[Mapping[str, Any]] = []
        while len(found) < limit:
            rows, total = await self._page(user, kind, period=period, count=limit - len(found), offset=len(found))
            found += rows
            if not rows or len(found) >= total:
                break
        named = [row for row in found[:limit] if str(row.get(_KINDS[kind][1]) or "").strip()]
        return [_row(row, kind, position) for position, row in enumerate(named, 1)]

    async def _page(
        self, user: str, kind: Kind, *, period: Period, count: int, offset: int
    ) -> tuple[list[Mapping[str, Any]], int]:
        entity = _KINDS[kind][0]
        url = f"{self._settings.listenbrainz_api_url.rstrip('/')}/stats/user/{quote(user, safe='')}/{entity}"
        params: dict[str, str | int] = {"range": _RANGES[period], "count": min(count, _AT_ONCE), "offset": offset}
        reply = await self._transport.get(url, params=params, check=partial(_check, user, entity))
        payload: Mapping[str, Any] = reply.json()["payload"]
        total = payload.get(f"total_{entity.removesuffix('s')}_count")
        rows = [row for row in payload[entity] if isinstance(row, Mapping)]
        return rows, total if isinstance(total, int) else offset + len(rows)


def _row(found: Mapping[str, Any], kind: Kind, position: int) -> dict[str, Any]:
    plays = found.get("listen_count")
    row: dict[str, Any] = {
        "rank": position,
        "name": str(found[_KINDS[kind][1]]).strip(),
        "plays": plays if isinstance(plays, int) else 0,
        "url": None,
    }
    if kind != "artists":
        row["artist"] = str(found.get("artist_name") or "").strip()
    if kind == "tracks":
        row["mbid"] = str(found.get("recording_mbid") or "") or None
    return row


def _check(user: str, entity: str, reply: Reply) -> None:
    if reply.is_fault:
        return
    if reply.status == _NO_CONTENT:
        raise RecordNotFoundError(
            f"ListenBrainz has no statistics of {user!r} for this time: nothing was played, or nothing has been computed yet"
        )
    found = reply.json()
    said = str(found.get("error") or "no reason given")[:200] if isinstance(found, dict) else "no reason given"
    if reply.status == 404:
        raise RecordNotFoundError(f"ListenBrainz: {said}")
    if reply.status != 200:
        raise RejectedError(f"ListenBrainz answered {reply.status}: {said}")
    payload = found.get("payload") if isinstance(found, dict) else None
    if not isinstance(payload, dict) or not isinstance(payload.get(entity), list):
        raise MalformedReplyError(f"{reply.url} answered no payload with {entity}")
