"""MusicBrainz's web service, version 2, as JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from aiohttp import web

from tests.fakes.music import ALBUMS, ARTIST, ARTIST_ID, Album, Song, found
from tests.fakes.open_music import UPC, isrc, mbid
from tests.fakes.server import Fake

NO_AGENT = "Please identify your application in the User-Agent header"


class FakeMusicBrainz(Fake):
    """Knows `music`; of each album one release, and a pseudo-release of the first before it."""

    def __init__(self) -> None:
        super().__init__(self.reply)

    def environment(self, base: str) -> dict[str, str]:
        return {
            "MUSICBRAINZ_API_URL": f"{base}/ws/2", "MUSICBRAINZ_ENABLED": "true", "MUSICBRAINZ_RATE": "2000",
        }  # fmt: skip

    async def reply(self, request: web.BaseRequest) -> web.StreamResponse:
        if "/" not in request.headers.get("user-agent", ""):
            return _json({"error": NO_AGENT}, 403)
        if request.query.get("fmt") != "json":
            return web.Response(text="<metadata/>", content_type="application/xml")
        if request.path == "/ws/2/release":
            return _json(self.search(request.query["query"]))
        if match := re.fullmatch(r"/ws/2/release/([0-9a-f-]{36})", request.path):
            album = next((a for a in ALBUMS if mbid("release", a.id) == match[1]), None)
            if album is not None:
                return _json(whole(album, request.query["inc"].split()))
        return _json(
            {"error": "Not Found", "help": "For usage, please see: https://musicbrainz.org/development/mmd"}, 404
        )

    def search(self, query: str) -> dict[str, Any]:
        codes = re.findall(r"barcode:(\d+)", query)
        hits = (
            [a for a in ALBUMS if UPC.get(a.id) in codes]
            if codes
            else found(re.sub(r"release:|artist:| AND ", " ", query))
        )
        rows = [{**release(a), "score": 100 - n, "track-count": len(a.songs)} for n, a in enumerate(hits)]
        if rows and not codes:
            rows = [{**rows[0], "id": mbid("release", "pseudo"), "status": "Pseudo-Release"}, *rows]
        return {"created": "2026-11-22T00:00:00.000Z", "count": len(rows), "offset": 0, "releases": rows}


def credit() -> list[dict[str, Any]]:
    artist = {
        "id": mbid("artist", ARTIST_ID), "name": ARTIST, "sort-name": "Amber Lanterns, The", "disambiguation": "",
        "tags": [{"name": "folk", "count": 4}], "genres": [{"id": mbid("genre", "folk"), "name": "folk", "count": 4}],
    }  # fmt: skip
    return [{"name": ARTIST, "joinphrase": "", "artist": artist}]


def release(album: Album) -> dict[str, Any]:
    return {
        "id": mbid("release", album.id), "title": album.title, "status": "Official", "date": album.date,
        "barcode": UPC.get(album.id, ""), "country": "XW", "disambiguation": "", "artist-credit": credit(),
        "release-group": {
            "id": mbid("group", album.id), "primary-type": "Album", "secondary-types": [],
            "first-release-date": album.date[:4],
        },
    }  # fmt: skip


def whole(album: Album, inc: list[str]) -> dict[str, Any]:
    """A release with what was asked for."""
    given = {part for joined in inc for part in joined.split("+")}
    found = release(album)
    if "genres" in given:
        found["genres"] = [
            {"id": mbid("genre", g), "name": g, "count": n, "disambiguation": ""}
            for g, n in (("indie folk", 5), ("rock", -1))
        ]
        found["tags"] = [{"name": "melancholic", "count": 2}]
    if "labels" in given:
        found["label-info"] = [{"catalog-number": "AL 1", "label": {"id": mbid("label", "x"), "name": "Small Boats"}}]
    if "url-rels" in given:
        found["relations"] = [
            {
                "type": "free streaming",
                "target-type": "url",
                "url": {"resource": f"https://open.spotify.com/album/{album.id}"},
            }
        ]
    discs = sorted({s.disc for s in album.songs})
    if "recordings" in given:
        found["media"] = [
            {
                "position": disc, "format": "CD", "title": "", "track-offset": 0,
                "track-count": sum(s.disc == disc for s in album.songs),
                "tracks": [track(s) for s in album.songs if s.disc == disc],
            }
            for disc in discs
        ]  # fmt: skip
    return found


def track(song: Song) -> dict[str, Any]:
    # A length may be null, of the track alone or of its recording as well; a recording may have no code or several.
    length = None if song.number == 4 else song.seconds * 1000
    codes = [] if song.number == 2 else ["ZZZZZ9999999", isrc(song)]
    recording = {
        "id": mbid("recording", song.id), "title": song.title, "length": length, "video": False, "disambiguation": "",
        "isrcs": codes, "artist-credit": credit(), "genres": [{"name": "sea shanty", "count": 1}] if song.number == 1 else [],
    }  # fmt: skip
    return {
        "id": mbid("track", song.id), "number": f"A{song.number}", "position": song.number, "title": song.title,
        "length": None if song.number == 3 else length, "recording": recording, "artist-credit": credit(),
    }  # fmt: skip


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(text=json.dumps(value), status=status, content_type="application/json")


def make() -> FakeMusicBrainz:
    return FakeMusicBrainz()
