"""MusicBrainz: releases and recordings with their identifiers, ISRCs, labels and genres. Needs no key.

One request a second and address; above it everybody is answered 503, now and then anyway. Core data are CC0, tags and genres
CC BY-NC-SA.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from pydantic import Field

from backend.config.settings import SettingsGroup
from backend.ingestion.barcodes import spellings
from backend.ingestion.editions import without_edition
from backend.ingestion.matcher import Candidate, Match, choose
from backend.ingestion.musicbrainz_wire import escaped, read_candidates, read_release
from backend.ingestion.search import plain_phrases, search
from backend.ingestion.source import Payload, SourceProfile
from backend.ingestion.transport import Limits, Reply, ShutOutError, Transport
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Rights
from backend.utils.errors import (
    AmbiguousError,
    HintError,
    MalformedReplyError,
    RecordNotFoundError,
    RejectedError,
)

_MBID: Final = re.compile(
    r"(?:https?://(?:www\.|beta\.)?musicbrainz\.org/release/)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/?"
)
_WITH: Final = "artist-credits+labels+recordings+release-groups+media+isrcs+genres+tags+url-rels"
_SEARCHED: Final = 25


class MusicBrainzSettings(SettingsGroup):
    """Where MusicBrainz is and how fast it is asked."""

    musicbrainz_enabled: bool = True
    musicbrainz_api_url: str = "https://musicbrainz.org/ws/2"
    musicbrainz_rate: float = Field(default=0.9, gt=0)  # requests a second; the service allows 1


class MusicBrainzSource:
    """MusicBrainz as a source."""

    def __init__(self, settings: MusicBrainzSettings | None = None) -> None:
        self._settings = settings or MusicBrainzSettings.read()

    @property
    def profile(self) -> SourceProfile:
        """See `Source`."""
        named = ("title", "artist", "tracks", "release_date", "label", "upc", "artists", "duration_ms")
        return SourceProfile(
            name="musicbrainz",
            rights=Rights.OPEN,
            rights_of={"tags": Rights.NONCOMMERCIAL},
            gives={**dict.fromkeys(named, 0.8), "isrc": 0.9, "tags": 0.8},
            stage="catalogue",
            defines=True,
            hint="musicbrainz_id",
            # A reply of 503 says to come again at once (Retry-After: 0), which helps nobody: the pace spaces the tries.
            fresh_days=180,
            limits=Limits(rate=self._settings.musicbrainz_rate, concurrent=1, attempts=5, backoff=1.0),
            typical_calls=2.0,
            terms="Core data are CC0; tags and genres CC BY-NC-SA 3.0.",
        )

    @property
    def settings(self) -> SettingsGroup:
        """See `Source`."""
        return self._settings

    def unconfigured(self) -> str | None:
        """See `Source`."""
        return None if self._settings.musicbrainz_enabled else "MUSICBRAINZ_ENABLED is false"

    async def probe(self, transport: Transport) -> None:
        """See `ingestion.probe`."""
        await self._get("release", transport, params={"fmt": "json", "limit": 1, "query": "barcode:0"}, has="releases")

    async def fetch(self, query: AlbumQuery, transport: Transport) -> Payload:
        """The release: by what the caller names, by its barcode, else by a search; then all of it in one request."""
        release_id, match = await self._find(query, transport)
        params = {"fmt": "json", "inc": _WITH}
        try:
            release = await self._get(f"release/{release_id}", transport, params=params, has="media")
        except RecordNotFoundError as problem:
            if match["method"] == "mbid":
                raise HintError(f"musicbrainz_id: MusicBrainz knows no release {release_id}") from problem
            raise
        return {"release": release, "match": match}

    def normalise(self, payload: Payload) -> AlbumRecord:
        """See `Source`."""
        return read_release(payload)

    async def _find(self, query: AlbumQuery, transport: Transport) -> tuple[str, dict[str, Any]]:
        hint = query.hints.get("musicbrainz_id")
        if hint is not None:
            found = _MBID.fullmatch(hint.strip().lower())
            if found is None:
                raise HintError(f"musicbrainz_id must be a release's id or address at MusicBrainz; it is {hint!r}")
            return found[1], {"method": "mbid", "score": 1.0}
        known = query.known
        meant = query if known is None else AlbumQuery(album=known.title, artist=known.artist, known=known)
        if known is not None and known.upc and (match := await self._by_barcode(known.upc, meant, transport)):
            return match.candidate.id, {"method": "upc", "score": match.score, "penalties": match.penalties}

        async def ask(words: str) -> list[Candidate]:
            return await self._search(words, transport)

        match = await search(
            meant,
            _phrases(meant),
            ask,
            source="musicbrainz",
            hint="musicbrainz_id",
            missing=f"MusicBrainz knows no album {meant.album!r} by {meant.artist!r}",
        )
        return match.candidate.id, {"method": "name", "score": match.score, "penalties": match.penalties}

    async def _by_barcode(self, upc: str, meant: AlbumQuery, transport: Transport) -> Match | None:
        """The release with this barcode; None when there is none, or of another album only (labels reuse codes)."""
        codes = spellings(upc)
        offered = await self._search(" OR ".join(f"barcode:{code}" for code in codes), transport) if codes else []
        try:
            return choose(meant, offered, source="musicbrainz", hint="musicbrainz_id")
        except (RecordNotFoundError, AmbiguousError):
            return None

    async def _search(self, words: str, transport: Transport) -> list[Candidate]:
        params = {"fmt": "json", "limit": _SEARCHED, "query": words}
        return read_candidates(await self._get("release", transport, params=params, has="releases"))

    async def _get(self, path: str, transport: Transport, *, params: dict[str, Any], has: str) -> dict[str, Any]:
        def check(reply: Reply) -> None:
            _check(reply, has)

        url = f"{self._settings.musicbrainz_api_url.rstrip('/')}/{path}"
        found: dict[str, Any] = (await transport.get(url, params=params, check=check)).json()
        return found


def _phrases(query: AlbumQuery) -> Iterator[str]:
    for title in dict.fromkeys((query.album, without_edition(query.album))):
        yield f'release:"{_quoted(title)}" AND artist:"{_quoted(query.artist)}"'
    yield from map(escaped, plain_phrases(query.album, query.artist))


def _quoted(words: str) -> str:
    return words.replace("\\", r"\\").replace('"', r"\"")


def _check(reply: Reply, has: str) -> None:
    if reply.is_fault:
        return
    if reply.status == 404:
        raise RecordNotFoundError(f"MusicBrainz knows nothing at {reply.url}")
    if reply.status == 403:
        # It wants to know who asks, and bars those whom it has told to stop.
        raise ShutOutError(
            "MusicBrainz refuses to answer; set TENSOE_CONTACT to an address at which you can be reached"
        )
    found = reply.json()
    if not isinstance(found, dict):
        raise MalformedReplyError(f"{reply.url} answered no JSON object")
    if reply.status != 200:
        raise RejectedError(f"MusicBrainz answered {reply.status}: {str(found.get('error'))[:200]}")
    if has not in found:
        raise MalformedReplyError(f"{reply.url} answered without {has}")
