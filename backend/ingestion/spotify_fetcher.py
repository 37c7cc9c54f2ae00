"""Spotify's Web API: names, numbers, durations, identifiers; popularity and audio features where the client id still may.

Wire forms: developer.spotify.com/documentation/web-api, in the shapes of 2026. Fields that development mode
dropped (popularity, label, genres, …) are all optional here.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Sequence
from typing import Any, Final

import structlog
from cachetools import TTLCache

from backend.config.settings import SettingsGroup
from backend.ingestion.editions import without_edition
from backend.ingestion.matcher import Candidate, Match, choose
from backend.ingestion.source import Payload, SourceProfile
from backend.ingestion.spotify_client import ForbiddenError, SpotifyClient, SpotifySettings
from backend.ingestion.spotify_wire import read_album, read_candidates
from backend.ingestion.transport import Limits, Transport
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Rights
from backend.utils.errors import MalformedReplyError, RecordNotFoundError, RejectedError

__all__ = ["SpotifySettings", "SpotifySource"]

log = structlog.get_logger(__name__)

_SEARCHED: Final = 10  # the most that development mode allows
_TRACKS_A_PAGE: Final = 50
_TRACKS_A_BATCH: Final = 50
_FEATURES_A_BATCH: Final = 100
_ALBUM_ID: Final = re.compile(
    r"(?:spotify:album:|https://open\.spotify\.com/(?:intl-\w+/)?album/)?([0-9A-Za-z]{22})(?:\?.*)?"
)
_ARTISTS_KEPT: Final = 10_000
_ARTIST_SECONDS: Final = 6 * 3600.0


class SpotifySource:
    """Spotify as a source. Remembers for the process what its client id may not do."""

    def __init__(self, settings: SpotifySettings | None = None) -> None:
        self._settings = settings or SpotifySettings.read()
        self._client = SpotifyClient(self._settings)
        self._allowed: set[str] = set()
        self._refused: set[str] = set()
        self._probing = asyncio.Lock()
        self._artists: TTLCache[str, dict[str, Any]] = TTLCache(_ARTISTS_KEPT, _ARTIST_SECONDS)

    @property
    def profile(self) -> SourceProfile:
        """See `Source`."""
        fields = ("title", "artist", "tracks", "release_date", "duration_ms", "explicit", "isrc", "upc", "popularity")
        return SourceProfile(
            name="spotify",
            rights=Rights.RESTRICTED,
            gives={**dict.fromkeys(fields, 1.0), "label": 0.8, "audio_features": 1.0, "tags": 0.7},
            stage="identity",
            defines=True,
            keyed=True,
            limits=Limits(rate=self._settings.spotify_rate, concurrent=10),
            terms="Its developer terms bar training machine-learning models on its content.",
        )

    @property
    def settings(self) -> SettingsGroup:
        """See `Source`."""
        return self._settings

    def unconfigured(self) -> str | None:
        """See `Source`."""
        s = self._settings
        pairs = (("SPOTIFY_CLIENT_ID", s.spotify_client_id), ("SPOTIFY_CLIENT_SECRET", s.spotify_client_secret))
        missing = [name for name, value in pairs if not value.get_secret_value()]
        return f"{' and '.join(missing)} not set" if missing else None

    async def fetch(self, query: AlbumQuery, transport: Transport) -> Payload:
        """Find the album and read it, its tracks, its artist, and what else the client id may."""
        hint = query.hints.get("spotify_id")
        match = await self._find(query, transport) if hint is None else None
        album = await self._client.get(
            f"albums/{_album_id(hint) if match is None else match.candidate.id}", transport, has="tracks"
        )
        if not album.get("name"):
            raise RecordNotFoundError("Spotify has taken the album down: its name is empty")
        await self._complete(album, transport)
        tracks = [t for t in album["tracks"]["items"] if t and t.get("id")]
        ids = [str(t["id"]) for t in tracks]
        full = await self._many("tracks", ids, size=_TRACKS_A_BATCH, transport=transport)
        features = await self._many("audio-features", ids, size=_FEATURES_A_BATCH, transport=transport)
        return {
            "album": album,
            "artist": await self._artist(album, transport),
            "tracks": full,
            "audio_features": features,
            "match": {"method": "id", "score": 1.0} if match is None else {"method": "name", "score": match.score},
        }

    def normalise(self, payload: Payload) -> AlbumRecord:
        """See `Source`."""
        return read_album(payload)

    # -- finding and reading -----------------------------------------------------------------------

    async def _find(self, query: AlbumQuery, transport: Transport) -> Match:
        """The album meant, by searches that forgive more and more: the filters want every word as Spotify spells it."""
        album, artist = query.album.replace('"', " "), query.artist.replace('"', " ")
        missing = RecordNotFoundError(f"Spotify knows no album {query.album!r} by {query.artist!r}")
        searches = (f'album:"{album}" artist:"{artist}"', f"{album} {artist}", without_edition(album))
        for words in filter(str.strip, searches):
            try:
                return choose(query, await self._search(words, transport))
            except RecordNotFoundError as problem:
                missing = problem
        raise missing

    async def _search(self, words: str, transport: Transport) -> list[Candidate]:
        params: dict[str, str | int] = {"q": words, "type": "album", "limit": _SEARCHED}
        return read_candidates(await self._client.get("search", transport, has="albums", params=params))

    async def _complete(self, album: dict[str, Any], transport: Transport) -> None:
        """Add the tracks past the first page."""
        page = album.get("tracks")
        if not isinstance(page, dict) or not isinstance(page.get("items"), list):
            raise MalformedReplyError("Spotify's album has no track list (tracks.items)")
        items: list[Any] = page["items"]
        while len(items) < int(page.get("total") or 0):
            params = {"limit": _TRACKS_A_PAGE, "offset": len(items)}
            more = await self._client.get(f"albums/{album['id']}/tracks", transport, has="items", params=params)
            if not more.get("items"):
                break
            items += more["items"]

    async def _artist(self, album: dict[str, Any], transport: Transport) -> dict[str, Any] | None:
        """The first artist, for genres; asked once in a while, and not in development mode, where genres are empty."""
        artists = [a for a in album.get("artists") or [] if a and a.get("id")]
        if not artists or "tracks" in self._refused:
            return None
        key = str(artists[0]["id"])
        if key not in self._artists:
            self._artists[key] = await self._client.get(f"artists/{key}", transport, has="id")
        return self._artists[key]

    async def _many(self, kind: str, ids: Sequence[str], *, size: int, transport: Transport) -> list[dict[str, Any]]:
        """Objects by batches; none where the client id may not, which is found out once."""
        found: list[dict[str, Any]] = []
        for start in range(0, len(ids), size):
            # Albums that run at once must not all find out for themselves: a refusal counts towards the quota too.
            async with contextlib.nullcontext() if kind in self._allowed else self._probing:
                if kind in self._refused:
                    return []
                found += await self._batch(kind, ids[start : start + size], transport)
        return found

    async def _batch(self, kind: str, ids: Sequence[str], transport: Transport) -> list[dict[str, Any]]:
        field = kind.replace("-", "_")
        try:
            reply = await self._client.get(kind, transport, has=field, params={"ids": ",".join(ids)})
        except RecordNotFoundError:
            return []  # of this batch; says nothing of the next
        except ForbiddenError:
            self._refused.add(kind)
            log.info("this client id may not ask there (development mode)", source="spotify", endpoint=kind)
            return []
        self._allowed.add(kind)
        return [thing for thing in reply[field] or [] if thing]


def _album_id(hint: str | None) -> str:
    """The id in what the user gives: an id, an address or a URI of an album."""
    found = _ALBUM_ID.fullmatch((hint or "").strip())
    if found is None:
        raise RejectedError(f"spotify_id must be an album's id, address or URI at Spotify; it is {hint!r}")
    return found[1]
