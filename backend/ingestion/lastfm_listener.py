"""What a Last.fm listener plays most: public data, asked by the listener's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from backend.ingestion.lastfm_fetcher import LastfmSettings, call
from backend.ingestion.lastfm_wire import Json, listed, number
from backend.ingestion.transport import Transport
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

    async def top(self, user: str, kind: Kind, *, period: Period, limit: int) -> Sequence[Mapping[str, Any]]:
        """The most played, first the most: name, plays, rank, url, and the artist of albums and tracks.

        Raises:
            UnconfiguredError: no key is set.
            RecordNotFoundError: there is no such listener.
            BlockedError: the listener keeps it private.
            SourceError: anything else that keeps the answer away.
        """
        if not self._settings.lastfm_api_key.get_secret_value():
            raise UnconfiguredError("Listeners are looked up at Last.fm, and LASTFM_API_KEY is not set")
        method, root, item = _METHODS[kind]
        reply = await call(self._settings, self._transport, method, user=user, period=period, limit=limit)
        return [_row(found, position) for position, found in enumerate(listed(reply.get(root), item)[:limit], 1)]


def _row(found: Json, position: int) -> dict[str, Any]:
    artist = found.get("artist")
    row: dict[str, Any] = {
        "rank": number((found.get("@attr") or {}).get("rank")) or position,
        "name": str(found.get("name") or ""),
        "plays": number(found.get("playcount")) or 0,
        "url": str(found.get("url") or "") or None,
    }
    if isinstance(artist, Mapping):
        row["artist"] = str(artist.get("name") or artist.get("#text") or "")
    return row
