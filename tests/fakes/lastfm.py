"""Last.fm's JSON: errors with status 200, one item bare, empty containers as text, numbers now and then as strings."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tests.fakes.music import ALBUMS, ARTIST, Album
from tests.fakes.server import Fake

KEY = "key-of-the-tests"
TRACK_TAGS: dict[str, list[tuple[str, Any]]] = {"Tide": [("sea", 100), ("calm", "35")], "Quay": [("ballad", 100)]}
URL = "https://www.last.fm/music/The+Amber+Lanterns"


class FakeLastfm(Fake):
    """Knows `music`, but editions under their plain name only."""

    def __init__(self) -> None:
        super().__init__(self.reply)

    def environment(self, base: str) -> dict[str, str]:
        return {"LASTFM_API_URL": f"{base}/2.0/", "LASTFM_API_KEY": KEY, "LASTFM_RATE": "2000"}

    def methods(self) -> list[str]:
        return [a.query["method"] for a in self.asked]

    async def reply(self, request: web.BaseRequest) -> web.StreamResponse:
        q = request.query
        if not q.get("api_key"):
            return error(6, "Invalid parameters - Your request is missing a required parameter", 400)
        if q["api_key"] != KEY:
            return error(10, "Invalid API key - You must be granted a valid key by last.fm", 403)
        name = q["method"].replace(".", "_").lower()
        answer = getattr(self, name, None)
        return answer(q) if answer else error(3, "Invalid Method - No method with that name in this package", 400)

    def album_getinfo(self, q: Any) -> web.StreamResponse:
        album = _album(q)
        if album is None:
            return error(6, "Album not found")
        artist = {"name": ARTIST, "mbid": "", "url": URL}
        tracks = [
            {
                "streamable": {"fulltrack": "0", "#text": "0"}, "duration": s.seconds if n else None, "name": s.title,
                "url": f"{URL}/{s.number}", "@attr": {"rank": n + 1}, "artist": artist,
            }
            for n, s in enumerate(album.songs)
        ]  # fmt: skip
        shown = {"track": tracks[0] if len(tracks) == 1 else tracks}
        found = {
            "artist": ARTIST, "name": album.title, "tags": "", "image": [], "tracks": shown, "listeners": "12345",
            "playcount": 67890, "url": f"{URL}/{album.id}",
        }  # fmt: skip
        return _json({"album": found})

    def album_gettoptags(self, q: Any) -> web.StreamResponse:
        if _album(q) is None:
            return error(6, "Album not found")
        return toptags([("harbour folk", 100), ("melancholic", 40)], artist=ARTIST)

    def artist_gettoptags(self, q: Any) -> web.StreamResponse:
        if q["artist"].casefold() != ARTIST.casefold():
            return error(6, "The artist you supplied could not be found")
        return toptags([("folk", "100"), ("seen live", 61), ("british", 20)], artist=ARTIST)

    def track_gettoptags(self, q: Any) -> web.StreamResponse:
        titles = {s.title for a in ALBUMS for s in a.songs if " - " not in s.title}
        if q["track"] not in titles:
            return error(6, "Track not found")
        return toptags(TRACK_TAGS.get(q["track"], []), artist=ARTIST, track=q["track"])

    def track_getinfo(self, q: Any) -> web.StreamResponse:
        song = next((s for a in ALBUMS for s in a.songs if s.title == q["track"] and " - " not in s.title), None)
        if song is None:
            return error(6, "Track not found")
        tags = [{"name": name, "url": ""} for name, _ in TRACK_TAGS.get(song.title, [])]
        found = {
            "name": song.title, "url": f"{URL}/_/{song.title}", "duration": str(song.seconds * 1000), "playcount": "99",
            "listeners": str(1_000 * song.number), "artist": {"name": ARTIST, "mbid": "", "url": URL},
            "toptags": {"tag": tags[0] if len(tags) == 1 else tags},
        }  # fmt: skip
        return _json({"track": found})

    def user_gettopartists(self, q: Any) -> web.StreamResponse:
        rows = [_row(ARTIST, 1, 90), _row("Nobody Else", 2, "7")]
        return _listing(q, "topartists", "artist", rows)

    def user_gettopalbums(self, q: Any) -> web.StreamResponse:
        return _listing(q, "topalbums", "album", [{**_row("Paper Harbour", 1, "55"), "artist": {"name": ARTIST}}])

    def user_gettoptracks(self, q: Any) -> web.StreamResponse:
        return _listing(q, "toptracks", "track", [])

    def user_getinfo(self, q: Any) -> web.StreamResponse:
        if q["user"].casefold() != "ada":
            return error(6, "User not found", 404)
        return _json({"user": {"name": "Ada", "playcount": "9876", "url": "https://www.last.fm/user/Ada"}})


def _album(q: Any) -> Album | None:
    if q["artist"].casefold().removeprefix("the ") != "amber lanterns":
        return None
    return next((a for a in ALBUMS if a.title.casefold() == q["album"].casefold() and "(" not in a.title), None)


def _row(name: str, rank: int, plays: int | str) -> dict[str, Any]:
    return {"name": name, "playcount": plays, "mbid": "", "url": URL, "image": [], "@attr": {"rank": str(rank)}}


def _listing(q: Any, root: str, item: str, rows: list[dict[str, Any]]) -> web.StreamResponse:
    if q["user"] == "hermit":
        return error(17, "Login: User required to be logged in", 403)
    if q["user"] != "ada":
        return error(6, "User not found", 404)
    rows = rows[: int(q["limit"])]
    shown: dict[str, Any] = {item: rows[0] if len(rows) == 1 else rows} if rows else {"#text": "\n"}
    return _json({root: {**shown, "@attr": {"user": "ada", "page": "1", "total": str(len(rows))}}})


def toptags(tags: list[tuple[str, Any]], **attributes: str) -> web.StreamResponse:
    items = [{"count": count, "name": name, "url": f"https://www.last.fm/tag/{name}"} for name, count in tags]
    return _json({"toptags": {"tag": items[0] if len(items) == 1 else items, "@attr": attributes}})


def error(code: int, message: str, status: int = 200) -> web.StreamResponse:
    return _json({"error": code, "message": message, "links": []}, status)


def _json(value: object, status: int = 200) -> web.StreamResponse:
    return web.Response(text=json.dumps(value), status=status, content_type="application/json")


def make() -> FakeLastfm:
    return FakeLastfm()
