"""Spotify's Web API: names, numbers, durations, identifiers; popularity and audio features where the client id still may.

Wire forms: developer.spotify.com/documentation/web-api, in the shapes of 2026. Fields that development mode
dropped (popularity, label, genres, …) are all optional here.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cachetools import TTLCache

from backend.config.settings import SettingsGroup
from backend.ingestion.matcher import Candidate, Match
from backend.ingestion.search import plain_phrases, search
from backend.ingestion.source import Payload, SourceProfile
from backend.ingestion.spotify_access import Access, Kind
from backend.ingestion.spotify_client import ForbiddenError, SpotifyClient, SpotifySettings
from backend.ingestion.spotify_fields import FieldWatch
from backend.ingestion.spotify_wire import following, listed, read_album, read_candidates, track_id
from backend.ingestion.transport import Limits, Transport
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Rights
from backend.utils.errors import HintError, MalformedReplyError, RecordNotFoundError

__all__ = ["SpotifySettings", "SpotifySource"]

_SEARCHED: Final = 10  # the most that development mode allows
_TRACKS_A_PAGE: Final = 50
_TRACKS_A_BATCH: Final = 50
_FEATURES_A_BATCH: Final = 100
_MOST_TRACKS: Final = 10_000  # of one album; a service that never ends its list is not followed for ever
_ALBUM_ID: Final = re.compile(
    r"(?:spotify:album:|https://open\.spotify\.com/(?:intl-\w+/)?album/)?([0-9A-Za-z]{22})(?:\?.*)?"
)
_ARTISTS_KEPT: Final = 10_000
_ARTIST_SECONDS: Final = 6 * 3600.0


class SpotifySource:
    """Spotify as a source.

    In development mode it costs two requests an album: a search, and the album with its first 50 tracks. What is left out
    there is not asked for one by one: a single track adds its ISRC alone, at a request per track and some 600 requests a day,
    while MusicBrainz, Deezer and ReccoBeats give the ISRCs of an album for a request or two; and artists come without genres.
    """

    def __init__(self, settings: SpotifySettings | None = None) -> None:
        self._settings = s = settings or SpotifySettings.read()
        self._client = SpotifyClient(s)
        self._access = Access(s.spotify_mode, s.spotify_client_id.get_secret_value())
        self._watch = FieldWatch()
        self._artists: TTLCache[str, dict[str, Any]] = TTLCache(_ARTISTS_KEPT, _ARTIST_SECONDS)
        self._asking: dict[str, asyncio.Lock] = {}

    @property
    def unknown_fields(self) -> Mapping[str, int]:
        """Fields that its answers had and Tensoe does not know, and how often: "album.mood"."""
        return self._watch.unknown

    @property
    def profile(self) -> SourceProfile:
        """See `Source`."""
        named = ("title", "artist", "artists", "tracks", "upc")
        fields = (*named, "release_date", "duration_ms", "explicit", "isrc", "popularity")
        return SourceProfile(
            name="spotify",
            rights=Rights.RESTRICTED,
            gives={**dict.fromkeys(fields, 1.0), "label": 0.8, "audio_features": 1.0, "tags": 0.7},
            stage="identity",
            defines=True,
            hint="spotify_id",
            keyed=True,
            # The rolling limit counts within 30 seconds: what it asks for is waited for.
            fresh_days=30,
            limits=Limits(rate=self._settings.spotify_rate, concurrent=10, patience=45.0),
            typical_calls=2.0,
            key_at="https://developer.spotify.com/dashboard",
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

    async def probe(self, transport: Transport) -> None:
        """See `ingestion.probe`: a token, which is counted for no quota of the Web API."""
        await self._client.renew(transport)

    async def fetch(self, query: AlbumQuery, transport: Transport) -> Payload:
        """Find the album and read it, its tracks, its artist, and what else the client id may.

        Raises:
            HintError: `spotify_id` names no album.
            RecordNotFoundError: no album is near enough, or it was taken down.
            SourceError: by class what else keeps it away.
        """
        transport.check_group(self._client.group("albums"))  # without which a search is for nothing
        hint = query.hints.get("spotify_id")
        if hint is None:
            found = await self._find(query, transport)
            match = {"method": "name", "score": found.score, "penalties": found.penalties}
            album = await self._album(found.candidate.id, transport)
        else:
            match = {"method": "id", "score": 1.0}
            try:
                album = await self._album(_album_id(hint), transport)
            except RecordNotFoundError as problem:
                raise HintError(f"spotify_id: Spotify knows no album {hint!r}") from problem
        if not album.get("name"):
            raise RecordNotFoundError("Spotify has taken the album down: its name is empty")
        ids = [key for t in listed(album["tracks"].get("items")) if (key := track_id(t))]
        full = await self._many("tracks", ids, size=_TRACKS_A_BATCH, transport=transport)
        features = await self._many("audio-features", ids, size=_FEATURES_A_BATCH, transport=transport)
        self._watch.look("track", full)
        self._watch.look("audio_features", features)
        return {
            "album": album,
            "artist": await self._artist(album, transport),
            "tracks": full,
            "audio_features": features,
            "match": match,
        }

    def normalise(self, payload: Payload) -> AlbumRecord:
        """See `Source`."""
        return read_album(payload)

    # -- finding and reading -----------------------------------------------------------------------

    async def _find(self, query: AlbumQuery, transport: Transport) -> Match:
        """The album meant, by searches that forgive more and more: the filters want every word as Spotify spells it."""
        album, artist = query.album.replace('"', " "), query.artist.replace('"', " ")
        return await search(
            query,
            (f'album:"{album}" artist:"{artist}"', *plain_phrases(album, artist)),
            lambda words: self._search(words, transport),
            source="spotify",
            hint="spotify_id",
            missing=f"Spotify knows no album {query.album!r} by {query.artist!r}",
        )

    async def _search(self, words: str, transport: Transport) -> list[Candidate]:
        params: dict[str, str | int] = {"q": words, "type": "album", "limit": _SEARCHED}
        return read_candidates(await self._client.get("search", transport, has="albums", params=params))

    async def _album(self, key: str, transport: Transport) -> dict[str, Any]:
        """An album with all its tracks: the first page comes with it, the others are asked for."""
        album = await self._client.get(f"albums/{key}", transport, has="tracks")
        page = album["tracks"]
        if not isinstance(page, dict) or not isinstance(page.get("items"), list):
            raise MalformedReplyError("Spotify's album has no track list (tracks.items)")
        items: list[Any] = page["items"]
        self._watch.look("album", [album])
        self._watch.look("page", [page])
        offset = following(page, so_far=len(items))
        while offset is not None and offset < _MOST_TRACKS:
            params = {"limit": _TRACKS_A_PAGE, "offset": offset}
            page = await self._client.get(f"albums/{key}/tracks", transport, has="items", params=params)
            if not isinstance(page["items"], list) or not page["items"]:
                break  # the total promised more than there is
            items += page["items"]
            after, offset = offset, following(page, so_far=offset + len(page["items"]))
            offset = None if offset is not None and offset <= after else offset
        self._watch.look("track", items)
        return album

    async def _artist(self, album: dict[str, Any], transport: Transport) -> dict[str, Any] | None:
        """The first artist, for genres; asked once in a while, and not in development mode, where genres are empty."""
        keys = [str(a["id"]) for a in listed(album.get("artists")) if a.get("id")]
        if not keys or await self._access.known("tracks", transport.memory) is False:
            return None
        async with self._asking.setdefault(
            keys[0], asyncio.Lock()
        ):  # albums of one artist that run at once ask but once
            found = self._artists.get(keys[0])
            if found is None:
                try:
                    found = await self._client.get(f"artists/{keys[0]}", transport, has="id")
                except (RecordNotFoundError, ForbiddenError):
                    found = {}  # genres alone are no reason to lose the album
                self._artists[keys[0]] = found
                self._watch.look("artist", [found])
        if len(self._asking) > _ARTISTS_KEPT:
            self._asking.clear()
        return found

    async def _many(self, kind: Kind, ids: Sequence[str], *, size: int, transport: Transport) -> list[dict[str, Any]]:
        """Objects by batches; none where the client id may not."""
        found: list[dict[str, Any]] = []
        for start in range(0, len(ids), size):
            async with self._access.asking(kind, transport.memory) as is_allowed:
                if not is_allowed:
                    return []
                found += await self._batch(kind, ids[start : start + size], transport)
        return found

    async def _batch(self, kind: Kind, ids: Sequence[str], transport: Transport) -> list[dict[str, Any]]:
        field = kind.replace("-", "_")
        try:
            reply = await self._client.get(kind, transport, has=field, params={"ids": ",".join(ids)})
        except RecordNotFoundError:
            return []  # of this batch; says nothing of the next
        except ForbiddenError:
            await self._access.learn(kind, allowed=False, memory=transport.memory)
            return []
        await self._access.learn(kind, allowed=True, memory=transport.memory)
        return listed(reply[field])


def _album_id(hint: str | None) -> str:
    """The id in what the user gives: an id, an address or a URI of an album."""
    found = _ALBUM_ID.fullmatch((hint or "").strip())
    if found is None:
        raise HintError(f"spotify_id must be an album's id, address or URI at Spotify; it is {hint!r}")
    return found[1]
