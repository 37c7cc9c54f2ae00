"""Deezer's public API: ISRCs, durations, labels; tempo and gain where nobody else knows them. Needs no key; non-commercial."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from pydantic import Field

from backend.config.settings import SettingsGroup
from backend.ingestion.alignment import align
from backend.ingestion.barcodes import spellings
from backend.ingestion.deezer_wire import check, listed, read_album, read_candidates
from backend.ingestion.editions import without_edition
from backend.ingestion.matcher import Candidate
from backend.ingestion.search import plain_phrases, search
from backend.ingestion.source import Payload, SourceProfile
from backend.ingestion.transport import Limits, Params, Transport
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Rights, TrackRecord
from backend.utils.errors import HintError, RecordNotFoundError

_ALBUM: Final = re.compile(r"(?:https?://(?:www\.)?deezer\.com/(?:[a-z]{2}/)?album/)?(\d+)(?:[/?].*)?")
_SEARCHED: Final = 25
_TRACKS_A_PAGE: Final = 100
_MOST_TRACKS: Final = 5_000  # of an album; a page that always names another one is no list


class DeezerSettings(SettingsGroup):
    """Where Deezer is and how fast it is asked."""

    deezer_enabled: bool = True
    deezer_api_url: str = "https://api.deezer.com"
    deezer_rate: float = Field(default=9.0, gt=0)  # requests a second; the service allows 50 in 5 seconds


class DeezerSource:
    """Deezer as a source. It is asked last: tempo and gain cost a request per track, so only what nobody knows is asked for."""

    def __init__(self, settings: DeezerSettings | None = None) -> None:
        self._settings = settings or DeezerSettings.read()

    @property
    def profile(self) -> SourceProfile:
        """See `Source`."""
        named = ("title", "artist", "tracks", "upc", "explicit", "artists")
        return SourceProfile(
            name="deezer",
            rights=Rights.NONCOMMERCIAL,
            gives={
                **dict.fromkeys(named, 0.6), "release_date": 0.5, "label": 0.5, "duration_ms": 0.5, "isrc": 0.8,
                "popularity": 0.4, "tempo": 0.3, "loudness": 0.2, "tags": 0.5,
            },
            stage="completion",
            defines=True,
            hint="deezer_id",
            fresh_days=90,
            limits=Limits(rate=self._settings.deezer_rate, concurrent=5),
            typical_calls=5.8,
            terms="Non-commercial use only; its terms grant nothing for machine learning.",
        )  # fmt: skip

    @property
    def settings(self) -> SettingsGroup:
        """See `Source`."""
        return self._settings

    def unconfigured(self) -> str | None:
        """See `Source`."""
        return None if self._settings.deezer_enabled else "DEEZER_ENABLED is false"

    async def probe(self, transport: Transport) -> None:
        """See `ingestion.probe`."""
        await self._get("search/album", transport, params={"q": "a", "limit": 1}, has="data")

    async def fetch(self, query: AlbumQuery, transport: Transport) -> Payload:
        """The album: by what the caller names, by its barcode, else by a search; then what its tracks lack."""
        album, match = await self._album(query, transport)
        await self._complete(album, query, transport)
        return {"album": album, "details": await self._details(album, query, transport), "match": match}

    def normalise(self, payload: Payload) -> AlbumRecord:
        """See `Source`."""
        return read_album(payload)

    async def _album(self, query: AlbumQuery, transport: Transport) -> tuple[dict[str, Any], dict[str, Any]]:
        hint, known = query.hints.get("deezer_id"), query.known
        if hint is not None:
            found = _ALBUM.fullmatch(hint.strip())
            if found is None:
                raise HintError(f"deezer_id must be an album's id or address at Deezer; it is {hint!r}")
            try:
                return await self._get(f"album/{found[1]}", transport, has="tracks"), {"method": "id", "score": 1.0}
            except RecordNotFoundError as problem:
                raise HintError(f"deezer_id: Deezer knows no album {found[1]}") from problem
        for code in spellings(known.upc) if known is not None and known.upc else ():
            try:
                return await self._get(f"album/upc:{code}", transport, has="tracks"), {"method": "upc", "score": 1.0}
            except RecordNotFoundError:
                continue  # spelt otherwise there, or an edition that it does not sell: perhaps another one
        meant = query if known is None else AlbumQuery(album=known.title, artist=known.artist, known=known)

        async def ask(words: str) -> list[Candidate]:
            params: dict[str, str | int] = {"q": words, "limit": _SEARCHED}
            return read_candidates(await self._get("search/album", transport, has="data", params=params))

        match = await search(
            meant,
            _phrases(meant),
            ask,
            source="deezer",
            hint="deezer_id",
            missing=f"Deezer knows no album {meant.album!r} by {meant.artist!r}",
        )
        album = await self._get(f"album/{match.candidate.id}", transport, has="tracks")
        return album, {"method": "name", "score": match.score, "penalties": match.penalties}

    async def _complete(self, album: dict[str, Any], query: AlbumQuery, transport: Transport) -> None:
        """Take the whole track list where the album's entry has part of it only, or no ISRC that nobody else knows either."""
        rows = listed(album)
        lacking = [t for t in (query.known.tracks if query.known is not None else ()) if not t.isrc]
        needs_codes = (query.known is None or lacking) and not all(row.get("isrc") for row in rows)
        if len(rows) >= int(album.get("nb_tracks") or 0) and not needs_codes:
            return
        whole: list[Any] = []
        while len(whole) < _MOST_TRACKS:
            params = {"limit": _TRACKS_A_PAGE, "index": len(whole)}
            page = await self._get(f"album/{album['id']}/tracks", transport, has="data", params=params)
            whole += page["data"]
            if not page.get("next") or not page["data"]:
                break
        if len(whole) >= len(rows):
            album["tracks"] = {"data": whole}

    async def _details(
        self, album: Mapping[str, Any], query: AlbumQuery, transport: Transport
    ) -> dict[str, dict[str, Any]]:
        """The tracks' own entries, by id, of those whose tempo or loudness nobody knows."""
        rows = listed(album)
        known = query.known.tracks if query.known is not None else ()
        partners = align(
            known,
            [TrackRecord(title=str(r["title"]), isrc=r.get("isrc"), track_number=n) for n, r in enumerate(rows, 1)],
        )
        wanted = [
            row
            for place, row in enumerate(rows)
            if place not in partners or not {"tempo", "loudness"} <= known[partners[place]].audio_features.keys()
        ]
        found = await asyncio.gather(*(self._track(row, transport) for row in wanted))
        return {str(row["id"]): more for row, more in zip(wanted, found, strict=True) if more and row.get("id")}

    async def _track(self, row: Mapping[str, Any], transport: Transport) -> dict[str, Any] | None:
        path = f"track/isrc:{row['isrc']}" if row.get("isrc") else f"track/{row.get('id')}"
        try:
            return await self._get(path, transport, has="id")
        except RecordNotFoundError:
            return None

    async def _get(self, path: str, transport: Transport, *, has: str, params: Params | None = None) -> dict[str, Any]:
        url = f"{self._settings.deezer_api_url.rstrip('/')}/{path}"
        found: dict[str, Any] = (await transport.get(url, params=params, check=partial(check, has=has))).json()
        return found


def _phrases(query: AlbumQuery) -> Iterator[str]:
    artist = query.artist.replace('"', " ")
    for title in dict.fromkeys((query.album, without_edition(query.album))):
        yield f'artist:"{artist}" album:"{title.replace(chr(34), " ")}"'
    yield from plain_phrases(query.album, query.artist)
