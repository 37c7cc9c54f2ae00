"""Last.fm: the tags that listeners gave to tracks, albums and artists, and how many listen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from cachetools import TTLCache
from pydantic import Field, SecretStr

from backend.config.settings import SettingsGroup
from backend.ingestion.distance import take_apart
from backend.ingestion.lastfm_wire import Json, check, listed, number, read_tags
from backend.ingestion.matcher import artist_difference
from backend.ingestion.source import Payload, SourceProfile
from backend.ingestion.transport import Limits, Transport
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Rights, Tag, TrackRecord
from backend.utils.errors import MalformedReplyError, RecordNotFoundError

_ARTISTS_KEPT: Final = 10_000
_ARTIST_SECONDS: Final = 6 * 3600.0
_OTHER_ARTIST: Final = 0.5  # a correction that leads this far away is not followed


class LastfmSettings(SettingsGroup):
    """Where Last.fm is and who asks."""

    lastfm_api_key: SecretStr = SecretStr("")
    lastfm_api_secret: SecretStr = SecretStr("")  # for writing, which Tensoe does not do
    lastfm_api_url: str = "https://ws.audioscrobbler.com/2.0/"
    lastfm_rate: float = Field(default=4.0, gt=0)  # requests a second


async def call(settings: LastfmSettings, transport: Transport, method: str, **params: str | int) -> dict[str, Any]:
    """Call a method of the API.

    Raises:
        SourceError: by class what the reply says.
    """
    key = settings.lastfm_api_key.get_secret_value()
    query = {"method": method, "api_key": key, "format": "json", **params}
    found: dict[str, Any] = (await transport.get(settings.lastfm_api_url, params=query, check=check)).json()
    return found


class LastfmSource:
    """Last.fm as a source."""

    def __init__(self, settings: LastfmSettings | None = None) -> None:
        self._settings = settings or LastfmSettings.read()
        self._artists: TTLCache[str, dict[str, Any]] = TTLCache(_ARTISTS_KEPT, _ARTIST_SECONDS)
        self._asking: dict[str, asyncio.Lock] = {}

    @property
    def profile(self) -> SourceProfile:
        """See `Source`."""
        return SourceProfile(
            name="lastfm",
            rights=Rights.NONCOMMERCIAL,
            gives={"title": 0.4, "artist": 0.4, "tracks": 0.4, "duration_ms": 0.3, "listeners": 1.0, "tags": 1.0},
            keyed=True,
            limits=Limits(rate=self._settings.lastfm_rate, concurrent=8),
            terms="Non-commercial use only; at most 100 MB may be stored, and it must not be passed on.",
        )

    @property
    def settings(self) -> SettingsGroup:
        """See `Source`."""
        return self._settings

    def unconfigured(self) -> str | None:
        """See `Source`."""
        return None if self._settings.lastfm_api_key.get_secret_value() else "LASTFM_API_KEY not set"

    async def fetch(self, query: AlbumQuery, transport: Transport) -> Payload:
        """The album, its tags, its artist's, and each track's."""
        info = await self._info(query, transport)
        album = info["album"]
        artist, title = str(album.get("artist") or query.artist), str(album.get("name") or query.album)
        titles = [t.title for t in query.known.tracks] if query.known and query.known.tracks else _titles(album)
        names = {"artist": artist, "album": title}
        shared, own, *tracks = await asyncio.gather(
            self._artist(artist, transport),
            self._tags(transport, "album.getTopTags", **names),
            *(self._tags(transport, "track.getTopTags", artist=artist, track=t) for t in titles if t),
        )
        return {
            "info": info,
            "album_tags": own,
            "artist_tags": shared,
            "track_tags": dict(zip((t for t in titles if t), tracks, strict=True)),
        }

    def normalise(self, payload: Payload) -> AlbumRecord:
        """See `Source`."""
        album = payload["info"].get("album")
        if not isinstance(album, dict) or not album.get("name"):
            raise MalformedReplyError("Last.fm's album has no name (album.name)")
        tags = payload["track_tags"]
        spoken = {str(t.get("name") or ""): t for t in listed(album.get("tracks"), "track")}
        titles = list(spoken) if set(tags) <= set(spoken) else [*tags]
        return AlbumRecord(
            title=str(album["name"]),
            artist=str(album.get("artist") or ""),
            listeners=number(album.get("listeners")),
            tags=(*_read(payload["album_tags"], "album"), *_read(payload["artist_tags"], "artist")),
            tracks=tuple(
                _track(title, spoken.get(title, {}), tags.get(title), position)
                for position, title in enumerate(titles, 1)
                if title
            ),
            ids={"lastfm": str(album["url"])} if album.get("url") else {},
            url=str(album["url"]) if album.get("url") else None,
        )

    # -- asking ------------------------------------------------------------------------------------

    async def _info(self, query: AlbumQuery, transport: Transport) -> dict[str, Any]:
        """album.getInfo under the names as known best, then without an edition's words, then as asked for."""
        known = query.known
        title, artist = (known.title, known.artist) if known else (query.album, query.artist)
        first = artist.split(", ")[0]  # of several credited artists
        tried: list[tuple[str, str]] = []
        problem: RecordNotFoundError | None = None
        for pair in ((artist, title), (first, title), (first, _plain(title)), (query.artist, query.album)):
            if pair in tried:
                continue
            tried.append(pair)
            try:
                found = await self._call(transport, "album.getInfo", artist=pair[0], album=pair[1], autocorrect=1)
            except RecordNotFoundError as missing:
                problem = missing
                continue
            if artist_difference(pair[0], str((found.get("album") or {}).get("artist") or pair[0])) < _OTHER_ARTIST:
                if not isinstance(found.get("album"), dict):
                    raise MalformedReplyError("Last.fm's album.getInfo answered without album")
                return found
        raise problem or RecordNotFoundError(f"Last.fm knows no album {title!r} by {artist!r}")

    async def _artist(self, artist: str, transport: Transport) -> dict[str, Any]:
        """The artist's tags; albums of one artist that run at once ask but once."""
        async with self._asking.setdefault(artist, asyncio.Lock()):
            if artist not in self._artists:
                self._artists[artist] = await self._tags(transport, "artist.getTopTags", artist=artist)
        if len(self._asking) > _ARTISTS_KEPT:
            self._asking.clear()
        return self._artists[artist]

    async def _tags(self, transport: Transport, method: str, **names: str) -> dict[str, Any]:
        """The tags of something that may be unknown though its album is known."""
        try:
            return await self._call(transport, method, autocorrect=1, **names)
        except RecordNotFoundError:
            return {"toptags": {"tag": []}}

    async def _call(self, transport: Transport, method: str, **params: str | int) -> dict[str, Any]:
        return await call(self._settings, transport, method, **params)


def _titles(album: Json) -> list[str]:
    return [str(t.get("name") or "") for t in listed(album.get("tracks"), "track")]


def _plain(title: str) -> str:
    """A title without its edition's words, spelt as it was.

    >>> _plain("Abbey Road (Remastered)"), _plain("GUTS (spilled)")
    ('Abbey Road', 'GUTS (spilled)')
    """
    return title.split(" (", maxsplit=1)[0].split(" [", maxsplit=1)[0] if take_apart(title).editions else title


def _read(reply: Json | None, level: Any) -> Sequence[Tag]:
    return read_tags(reply, level) if reply is not None else ()


def _track(title: str, spoken: Json, tags: Json | None, position: int) -> TrackRecord:
    seconds = number(spoken.get("duration"))
    rank = number((spoken.get("@attr") or {}).get("rank")) if spoken else None
    return TrackRecord(
        title=title,
        track_number=rank or position,
        duration_ms=seconds * 1000 if seconds else None,
        tags=tuple(_read(tags, "track")),
    )
