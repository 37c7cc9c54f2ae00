"""Last.fm: the tags that listeners gave to tracks, albums and artists, and how many listen."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, Final

from backend.config.settings import SettingsGroup
from backend.ingestion.editions import without_edition
from backend.ingestion.lastfm_client import LastfmSettings, call
from backend.ingestion.lastfm_tracks import NO_TAGS, Answers, TrackAsker
from backend.ingestion.lastfm_wire import Json, listed, name_of, read_album
from backend.ingestion.matcher import Candidate, Match, artist_difference, choose
from backend.ingestion.source import Payload, SourceProfile
from backend.ingestion.transport import Limits, Transport
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Rights
from backend.utils.errors import MalformedReplyError, RecordNotFoundError

__all__ = ["LastfmSettings", "LastfmSource"]

_OWN: Final = {"listeners": 1.0, "tags": 1.0, "popularity": 0.5}
_STORAGE_CAP: Final = 100_000_000  # bytes of its data at any time (its terms, 4.3.4: "Reasonable Usage Cap")
_OTHER_ARTIST: Final = 0.5  # a track whose artist is this far from the album's is looked up under its own


class LastfmSource:
    """Last.fm as a source."""

    def __init__(self, settings: LastfmSettings | None = None) -> None:
        self._settings = settings or LastfmSettings.read()
        self._answers = Answers()

    @property
    def profile(self) -> SourceProfile:
        """See `Source`."""
        return SourceProfile(
            name="lastfm",
            rights=Rights.NONCOMMERCIAL,
            gives={**dict.fromkeys(("title", "artist", "tracks"), 0.4), **_OWN, "duration_ms": 0.3},
            # Listeners cost a request a track: asked for where ListenBrainz, which has hundreds in one, knows none.
            stage="completion",
            storage_cap=_STORAGE_CAP,
            keyed=True,
            # Its errors 8 and 16 come often and go when asked again.
            fresh_days=30,
            limits=Limits(rate=self._settings.lastfm_rate, concurrent=8, attempts=5),
            typical_calls=18.9,
            key_at="https://www.last.fm/api/account/create",
            terms="Non-commercial use only; at most 100 MB may be stored, and it must not be passed on.",
        )

    @property
    def settings(self) -> SettingsGroup:
        """See `Source`."""
        return self._settings

    def unconfigured(self) -> str | None:
        """See `Source`."""
        return None if self._settings.key else "LASTFM_API_KEY not set"

    async def probe(self, transport: Transport) -> None:
        """See `ingestion.probe`."""
        await call(self._settings, transport, "artist.getTopTags", roots=("toptags",), params={"artist": "Cher"})

    async def fetch(self, query: AlbumQuery, transport: Transport) -> Payload:
        """The album, its tags, its artist's, and each track's.

        Tracks are those already known of the album, else Last.fm's own. Of an album that Last.fm does not know but another
        source does, the tags of its artist and tracks are taken.
        """
        try:
            album, match = await self._album(query, transport)
        except RecordNotFoundError as missing:
            return await self._without_album(query, transport, missing)
        artist, title = name_of(album.get("artist")), str(album["name"])
        tracks = _known_tracks(query.known, artist) or _own_tracks(album, artist)
        return await self._payload(
            album,
            tracks,
            transport,
            title=title,
            match={"method": "name", "score": match.score, "penalties": match.penalties},
        )

    async def _without_album(self, query: AlbumQuery, transport: Transport, missing: RecordNotFoundError) -> Payload:
        known = query.known
        if known is None or not known.tracks:
            raise missing
        artist = next(iter(known.tracks[0].artists), known.artist)
        artist = artist if known.artist.startswith(artist) else known.artist
        album = {"name": known.title, "artist": artist}
        found = await self._payload(
            album, _known_tracks(known, artist), transport, title=None, match={"method": "artist", "score": 0.5}
        )
        said = [found["artist_tags"], *(t["tags"] for t in found["tracks"])]
        if not any(listed(reply.get("toptags") or reply.get("tags"), "tag") for reply in said):
            raise missing
        return found

    async def _payload(
        self,
        album: dict[str, Any],
        tracks: Sequence[dict[str, Any]],
        transport: Transport,
        *,
        title: str | None,
        match: dict[str, Any],
    ) -> Payload:
        """All tags of an album (of its artist and tracks alone when `title` is None)."""
        artist, asker = name_of(album.get("artist")), TrackAsker(self._settings, transport, self._answers)
        asked: dict[tuple[str, str], bool] = {}  # whether nobody has counted its listeners
        for t in tracks:
            key = t["artist"], t["title"]
            asked[key] = asked.get(key, False) or not t["counted"]
        shared, own, *found = await asyncio.gather(
            asker.tags("artist.getTopTags", artist=artist),
            self._album_tags(asker, artist=artist, title=title),
            *(asker.about(a, t, count=count) for (a, t), count in asked.items()),
        )
        told = dict(zip(asked, found, strict=True))
        return {
            "album": album,
            "album_tags": own,
            "artist_tags": shared,
            "tracks": [{**t, **told[t["artist"], t["title"]]} for t in tracks],
            "match": match,
        }

    def normalise(self, payload: Payload) -> AlbumRecord:
        """See `Source`."""
        return read_album(payload)

    # -- asking ------------------------------------------------------------------------------------

    async def _album(self, query: AlbumQuery, transport: Transport) -> tuple[dict[str, Any], Match]:
        """album.getInfo under each name that the album may bear here, and how near what is found is to it."""
        missing = RecordNotFoundError(f"Last.fm knows no album {query.album!r} by {query.artist!r}")
        asked = set[tuple[str, str]]()
        for artist, title, plain in _names(query):
            if (artist, plain) in asked:
                continue
            asked.add((artist, plain))
            try:
                reply = await self._call(
                    transport, "album.getInfo", roots=("album",), artist=artist, album=plain, autocorrect=1
                )
                album = reply["album"]
                if not isinstance(album, dict) or not album.get("name"):
                    raise MalformedReplyError("Last.fm's album.getInfo answered an album without a name")
                found = Candidate(str(album.get("url") or ""), name_of(album.get("artist")), str(album["name"]))
                # A correction of names may lead to somebody else.
                return album, choose(AlbumQuery(album=title, artist=artist), [found])
            except RecordNotFoundError as problem:
                missing = problem
        raise missing

    async def _album_tags(self, asker: TrackAsker, *, artist: str, title: str | None) -> dict[str, Any]:
        if title is None:
            return dict(NO_TAGS)
        return await asker.tags("album.getTopTags", artist=artist, album=title)

    async def _call(
        self, transport: Transport, method: str, *, roots: tuple[str, ...], **params: str | int
    ) -> dict[str, Any]:
        return await call(self._settings, transport, method, roots=roots, params=params)


def _names(query: AlbumQuery) -> Iterator[tuple[str, str, str]]:
    """The artists and titles to ask under, best first: as known, the first credited artist, as asked for.

    The third is what to ask for: the title, then the title without its edition.
    """
    pairs = [(query.artist, query.album)]
    known = query.known
    if known is not None and known.title and known.artist:
        first = next((a for t in known.tracks for a in t.artists[:1] if known.artist.startswith(f"{a}, ")), None)
        pairs = [(artist, known.title) for artist in (known.artist, first) if artist] + pairs
    for artist, title in pairs:
        yield artist, title, title
        yield artist, title, without_edition(title)


def _known_tracks(known: AlbumRecord | None, artist: str) -> list[dict[str, Any]]:
    """The tracks of an identity source; on a compilation each under its own artist."""
    tracks = known.tracks if known is not None else ()
    return [
        {
            "artist": next((a for a in t.artists[:1] if artist_difference(artist, a) >= _OTHER_ARTIST), artist),
            "title": t.title,
            "disc": t.disc_number,
            "number": t.track_number,
            "counted": t.listeners is not None,
        }
        for t in tracks
        if t.title.strip()
    ]


def _own_tracks(album: Json, artist: str) -> Sequence[dict[str, Any]]:
    titles = [str(t.get("name") or "").strip() for t in listed(album.get("tracks"), "track")]
    return [
        {"artist": artist, "title": t, "disc": 1, "number": n, "counted": False} for n, t in enumerate(titles, 1) if t
    ]
