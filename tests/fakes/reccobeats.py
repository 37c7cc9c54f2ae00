"""ReccoBeats's audio features and tracks: ids that it does not know are left out, and rows come in an order of their own."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tests.fakes.music import ALBUMS, ARTIST, ARTIST_ID, Song
from tests.fakes.open_music import isrc, mbid, query, spotify_id
from tests.fakes.server import Fake

QUERY = query()
SHARES = ("acousticness", "danceability", "energy", "instrumentalness", "liveness", "speechiness", "valence")
UNKNOWN = 2  # the number on its disc of songs that it does not know
UNMEASURED = 4  # and of those of which it has no features
SONGS = {spotify_id(s): s for a in ALBUMS for s in a.songs if s.number != UNKNOWN}


class FakeReccoBeats(Fake):
    """
    Attributes:
        wanted: the ids of each request for features.
        looked_up: of each request for tracks.
    """

    def __init__(self) -> None:
        super().__init__(self.reply)
        self.wanted: list[list[str]] = []
        self.looked_up: list[list[str]] = []

    def environment(self, base: str) -> dict[str, str]:
        return {"RECCOBEATS_API_URL": f"{base}/v1", "RECCOBEATS_ENABLED": "true", "RECCOBEATS_RATE": "2000"}

    async def reply(self, request: web.BaseRequest) -> web.StreamResponse:
        ids = request.query.getall("ids", [])
        path = request.path.removeprefix("/v1/")
        if path not in {"audio-features", "track"}:
            return _json({"timestamp": "2026-11-22T00:00:00Z", "error": "Not Found", "path": request.path}, 404)
        if not 1 <= len(ids) <= 40:
            bad = {
                "timestamp": "2026-11-22T00:00:00Z",
                "error": "ids: size must be between 1 and 40",
                "path": request.path,
            }
            return _json(bad, 400)
        songs = [SONGS[i] for i in sorted(ids, reverse=True) if i in SONGS]
        if path == "track":
            self.looked_up.append(ids)
            return _json({"content": [entry(s) for s in songs]})
        self.wanted.append(ids)
        return _json({"content": [row(s) for s in songs if s.number != UNMEASURED]})


def row(song: Song) -> dict[str, Any]:
    share = song.number / 100
    return {
        "id": mbid("recco", song.id), "href": f"https://open.spotify.com/track/{spotify_id(song)}", "isrc": isrc(song),
        **dict.fromkeys(SHARES, share),
        "loudness": -5.0 - song.number, "tempo": 100.0 + song.number, "key": song.number % 12, "mode": 1,
    }  # fmt: skip


def entry(song: Song) -> dict[str, Any]:
    return {
        "id": mbid("recco", song.id), "trackTitle": song.title,
        "artists": [{"id": mbid("reccoartist", ARTIST_ID), "name": ARTIST, "href": f"https://open.spotify.com/artist/{ARTIST_ID}"}],
        "durationMs": song.seconds * 1000, "isrc": isrc(song), "ean": None, "upc": None,
        "href": f"https://open.spotify.com/track/{spotify_id(song)}", "availableCountries": "DE,GB,US",
        "popularity": 50 + song.number,
    }  # fmt: skip


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(text=json.dumps(value), status=status, content_type="application/json")


def make() -> FakeReccoBeats:
    return FakeReccoBeats()
