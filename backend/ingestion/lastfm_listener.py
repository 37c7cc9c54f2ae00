"""What a Last.fm listener plays most: public data, asked by the listener's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from backend.ingestion.lastfm_client import LastfmSettings, call
from backend.ingestion.lastfm_wire import Json, listed, name_of, number, rank_of
from backend.ingestion.transport import Transport
from backend.models.ingestion_models import Rights
from backend.utils.errors import UnconfiguredError

Kind = Literal["artists", "albums", "tracks"]
Period = Literal["overall", "7day", "1month", "3month", "6month", "12month"]

_METHODS: Final[Mapping[Kind, tuple[str, str, str]]] = {
    "artists": ("user.getTopArtists", "topartists", "artist"),
    "albums": ("user.getTopAlbums", "topalbums", "album"),
    "tracks": ("user.getTopTracks", "toptracks", "track"),
}


class LastfmListener:
    """Asks for listeners.

    Args:
        transport: Last.fm's, shared with the source so that both keep to one pace.
        settings: Last.fm's.
    """

    def __init__(self, transport: Transport, settings: LastfmSettings | None = None) -> None:
        self._transport = transport
        self._settings = settings or LastfmSettings.read()

    @property
    def rights(self) -> Rights:
        """What Last.fm's terms let one do with what listeners play."""
        return Rights.NONCOMMERCIAL

    async def top(self, user: str, kind: Kind, *, period: Period, limit: int) -> Sequence[Mapping[str, Any]]:
        """The most played, first the most: name, plays, rank, url, and the artist of albums and tracks.

        Raises:
            UnconfiguredError: no key is set.
            RecordNotFoundError: there is no such listener.
            BlockedError: the listener keeps it private.
            SourceError: anything else that keeps the answer away.
        """
        method, root, item = _METHODS[kind]
        reply = await self._call(method, root, user=user, period=period, limit=limit)
        rows = [f for f in listed(reply[root], item) if name_of(f)]
        return [_row(found, position) for position, found in enumerate(rows[:limit], 1)]

    async def info(self, user: str) -> Mapping[str, Any]:
        """Name as the listener spells it, plays in all, url.

        Raises:
            SourceError: as `top`.
        """
        reply = await self._call("user.getInfo", "user", user=user)
        found: Json = reply["user"] if isinstance(reply["user"], Mapping) else {}
        return {
            "name": name_of(found) or user,
            "plays": number(found.get("playcount")) or 0,
            "url": str(found.get("url") or "") or None,
        }

    async def _call(self, method: str, root: str, **params: str | int) -> dict[str, Any]:
        if not self._settings.key:
            raise UnconfiguredError("Listeners are looked up at Last.fm, and LASTFM_API_KEY is not set")
        return await call(self._settings, self._transport, method, roots=(root,), params=params)


def _row(found: Json, position: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "rank": rank_of(found) or position,
        "name": name_of(found),
        "plays": number(found.get("playcount")) or 0,
        "url": str(found.get("url") or "") or None,
    }
    if "artist" in found:
        row["artist"] = name_of(found["artist"])
    return row
