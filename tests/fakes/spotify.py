"""Spotify's accounts service and Web API in the wire form of 2026, in development or extended mode."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from aiohttp import web

from tests.fakes.music import ALBUMS, ARTIST, ARTIST_ID, Album, Song, found, words
from tests.fakes.server import Fake

SECRET = "secret-of-the-client"
NO_PREMIUM = "Active premium subscription required for the owner of the app."
FORBIDDEN = {"error": {"status": 403, "message": "Forbidden"}}


class FakeSpotify(Fake):
    """Knows `music`; `extended` is its mode, `premium` its owner's, `good_for` the requests that a token lives."""

    def __init__(self) -> None:
        super().__init__(self.reply)
        self.extended = True
        self.premium = True
        self.good_for = 10_000
        self.expires_in = 3600
        self.tokens: dict[str, int] = {}

    def environment(self, base: str) -> dict[str, str]:
        return {
            "SPOTIFY_API_URL": f"{base}/v1",
            "SPOTIFY_ACCOUNTS_URL": f"{base}/accounts/",
            "SPOTIFY_CLIENT_ID": "client",
            "SPOTIFY_CLIENT_SECRET": SECRET,
            "SPOTIFY_RATE": "2000",
        }

    async def reply(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/accounts/api/token":
            return await self._token(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        left = self.tokens.get(token, 0)
        if left <= 0:
            return _json({"error": {"status": 401, "message": "The access token expired"}}, 401)
        self.tokens[token] = left - 1
        if not self.premium:
            return web.Response(text=NO_PREMIUM, status=403)
        return self._catalogue(request)

    async def _token(self, request: web.BaseRequest) -> web.StreamResponse:
        form = await request.post()
        expected = base64.b64encode(f"client:{SECRET}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {expected}" or form["grant_type"] != "client_credentials":
            return _json({"error": "invalid_client", "error_description": "Invalid client"}, 400)
        token = f"token-{len(self.tokens) + 1}"
        self.tokens[token] = self.good_for
        return _json({"access_token": token, "token_type": "Bearer", "expires_in": self.expires_in})

    def _catalogue(self, request: web.BaseRequest) -> web.StreamResponse:
        parts, query = request.path.removeprefix("/v1/").split("/"), request.query
        match parts:
            case ["search"]:
                if int(query["limit"]) > 10:
                    return _json({"error": {"status": 400, "message": "Invalid limit"}}, 400)
                items: list[Any] = [self._simple(a) for a in _hits(query["q"])][: int(query["limit"])]
                return _json({"albums": _page([None, *items], 0, 10)})
            case ["albums", key]:
                album = next((a for a in ALBUMS if a.id == key), None)
                return _json(self._album(album)) if album else _missing()
            case ["albums", key, "tracks"]:
                album = next(a for a in ALBUMS if a.id == key)
                return _json(_page([_track(s) for s in album.songs], int(query["offset"]), int(query["limit"])))
            case ["artists", _]:
                genres = ["harbour folk", "sea shanty"] if self.extended else []
                return _json({**_artist(), "genres": genres, "images": []})
            case [("tracks" | "audio-features") as kind]:
                ids = query["ids"].split(",")
                if not self.extended:
                    return _json(FORBIDDEN, 403)
                if len(ids) > (50 if kind == "tracks" else 100):
                    return _json({"error": {"status": 400, "message": "Too many ids requested"}}, 400)
                build = _full if kind == "tracks" else _features
                return _json({kind.replace("-", "_"): [build(i) for i in ids]})
        return _missing()

    def _simple(self, album: Album) -> dict[str, Any]:
        return {
            "album_type": "album", "total_tracks": len(album.songs), "href": "", "id": album.id, "images": [],
            "external_urls": {"spotify": f"https://open.spotify.com/album/{album.id}"}, "name": album.title,
            "release_date": album.date, "release_date_precision": album.precision, "type": "album",
            "uri": f"spotify:album:{album.id}", "artists": [_artist()],
        }  # fmt: skip

    def _album(self, album: Album) -> dict[str, Any]:
        tracks = _page([_track(s) for s in album.songs], 0, 50)
        more = {"label": "Quayside", "popularity": 41, "available_markets": ["DE"]} if self.extended else {}
        ids = {"external_ids": {"upc": "4000000000013"}}
        return {**self._simple(album), "tracks": tracks, "copyrights": [], "genres": [], **ids, **more}


def _hits(q: str) -> list[Album]:
    filters = dict(re.findall(r'(album|artist):"([^"]*)"', q))
    if not filters:
        return found(q)
    return [
        a for a in ALBUMS if words(filters["album"]) <= words(a.title) and words(filters["artist"]) <= words(ARTIST)
    ]


def _artist() -> dict[str, Any]:
    return {"external_urls": {}, "href": "", "id": ARTIST_ID, "name": ARTIST, "type": "artist", "uri": ""}


def _track(song: Song) -> dict[str, Any]:
    return {
        "artists": [_artist()], "disc_number": song.disc, "duration_ms": song.seconds * 1000 + 500, "explicit": False,
        "external_urls": {}, "href": "", "id": song.id, "name": song.title, "preview_url": None,
        "track_number": song.number, "type": "track", "uri": f"spotify:track:{song.id}", "is_local": False,
    }  # fmt: skip


def _song(key: str) -> Song | None:
    return next((s for a in ALBUMS for s in a.songs if s.id == key), None)


def _full(key: str) -> dict[str, Any] | None:
    song = _song(key)
    isrc = f"ZZTST{int(key[4:10]):07d}"
    return None if song is None else {**_track(song), "external_ids": {"isrc": isrc}, "popularity": song.number}


def _features(key: str) -> dict[str, Any] | None:
    song = _song(key)
    if song is None or song.title == "Intro":
        return None
    return {
        "acousticness": 0.25, "danceability": 0.5, "energy": 0.625, "instrumentalness": 0.0, "liveness": 0.125,
        "loudness": -7.5, "speechiness": 0.03125, "tempo": 120.5, "valence": 0.75, "key": -1, "mode": 1,
        "time_signature": 4, "duration_ms": song.seconds * 1000 + 500, "id": song.id, "type": "audio_features",
        "uri": "", "track_href": "", "analysis_url": "",
    }  # fmt: skip


def _page(items: list[Any], offset: int, limit: int) -> dict[str, Any]:
    end = offset + limit
    following = f"?offset={end}" if end < len(items) else None
    return {
        "href": "", "limit": limit, "next": following, "offset": offset, "previous": None,
        "total": len(items), "items": items[offset:end],
    }  # fmt: skip


def _missing() -> web.StreamResponse:
    return _json({"error": {"status": 404, "message": "Resource not found"}}, 404)


def _json(value: object, status: int = 200) -> web.StreamResponse:
    return web.Response(text=json.dumps(value), status=status, content_type="application/json")


def make() -> FakeSpotify:
    return FakeSpotify()
