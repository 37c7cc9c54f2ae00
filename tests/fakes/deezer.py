"""Deezer's public API: every error is an answer of status 200; 0 beats a minute mean that nobody measured."""

from __future__ import annotations

import json
import re
from typing import Any

from aiohttp import web

from tests.fakes.music import ALBUMS, ARTIST, Album, Song, found
from tests.fakes.music import album as make_album
from tests.fakes.open_music import UPC, isrc
from tests.fakes.server import Fake, says

UNMEASURED = 2
LONG = make_album(9, "One Hundred and Thirty Lamps", "2001", tuple(f"Lamp No. {n}" for n in range(1, 131)))
KNOWN = (*ALBUMS, LONG)  # its search finds those of `music` alone
quota = says('{"error": {"type": "Exception", "message": "Quota limit exceeded", "code": 4}}')


class FakeDeezer(Fake):
    """Knows `music` and a long album; ISRCs stand in the track list of an album, not in its own entry."""

    def __init__(self) -> None:
        super().__init__(self.reply)

    def environment(self, base: str) -> dict[str, str]:
        return {"DEEZER_API_URL": base, "DEEZER_ENABLED": "true", "DEEZER_RATE": "2000"}

    async def reply(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if path == "/search/album":
            hits = found(re.sub(r"artist:|album:", " ", request.query["q"]))
            return _json({"data": [brief(a) for a in hits], "total": len(hits)})
        if match := re.fullmatch(r"/album/(upc:)?(\d+)(/tracks)?", path):
            album = next((a for a in KNOWN if (UPC.get(a.id) if match[1] else str(number(a))) == match[2]), None)
            if album is None:
                return none()
            if match[3]:
                start, limit = int(request.query.get("index", 0)), int(request.query.get("limit", 25))
                rows = [{**entry(s), "isrc": isrc(s)} for s in album.songs][start : start + limit]
                more = {"next": "there is more"} if start + limit < len(album.songs) else {}
                return _json({"data": rows, "total": len(album.songs), **more})
            return _json(whole(album))
        if match := re.fullmatch(r"/track/(isrc:)?(\w+)", path):
            for album in KNOWN:
                for song in album.songs:
                    if match[2] == (isrc(song) if match[1] else str(number(album, song))):
                        return _json(detailed(song, album))
        return none()


def number(album: Album, song: Song | None = None) -> int:
    place = 1000 * (KNOWN.index(album) + 1)
    return place if song is None else place + album.songs.index(song) + 1


def brief(album: Album) -> dict[str, Any]:
    artist = {"id": 77, "name": ARTIST, "type": "artist"}
    return {"id": number(album), "title": album.title, "nb_tracks": len(album.songs), "artist": artist, "type": "album"}


def entry(song: Song) -> dict[str, Any]:
    album = next(a for a in KNOWN if song in a.songs)
    return {
        "id": number(album, song), "title": song.title, "duration": song.seconds, "rank": 10_000 * song.number,
        "explicit_lyrics": song.number == 1, "artist": {"id": 77, "name": ARTIST}, "type": "track",
    }  # fmt: skip


def whole(album: Album) -> dict[str, Any]:
    return {
        **brief(album), "upc": UPC.get(album.id, ""), "release_date": "1987-10-01", "record_type": "album",
        "label": "Small Boats", "genres": {"data": [{"id": 1, "name": "Folk"}]},
        "tracks": {"data": [entry(s) for s in album.songs][:25]},
    }  # fmt: skip


def detailed(song: Song, album: Album) -> dict[str, Any]:
    bpm = 0 if song.number == UNMEASURED else 90.5 + song.number
    return {
        **entry(song), "isrc": isrc(song), "bpm": bpm, "gain": -10.0, "track_position": song.number, "disk_number": song.disc,
        "album": brief(album),
    }  # fmt: skip


def none() -> web.Response:
    return _json({"error": {"type": "DataException", "message": "no data", "code": 800}})


def _json(value: object) -> web.Response:
    return web.Response(text=json.dumps(value), content_type="application/json")


def make() -> FakeDeezer:
    return FakeDeezer()
