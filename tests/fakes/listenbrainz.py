"""ListenBrainz: popularity of recordings, and statistics of listeners (`listenbrainz-server`, `stats_api.py`)."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tests.fakes.music import ALBUMS, ARTIST, HARBOUR
from tests.fakes.open_music import mbid, query
from tests.fakes.server import Fake

QUERY = query()
USERS = {mbid("recording", s.id): 500 * s.number for a in ALBUMS for s in a.songs if s.number != 3}


RANGES = ("week", "month", "quarter", "half_yearly", "year", "all_time", "this_week", "this_month", "this_year")
MOST_AT_ONCE = 3
"""Fewer than may be asked for, as its older versions did: who reads must page."""


def _stats() -> dict[str, list[dict[str, Any]]]:
    """Of `grace`: seven artists, ours the most."""
    others = [{"artist_mbids": [], "artist_name": f"Nobody {n}", "listen_count": 10 - n} for n in range(6)]
    song = HARBOUR.songs[1]
    return {
        "artists": [{"artist_mbids": [mbid("artist", ARTIST)], "artist_name": ARTIST, "listen_count": 40}, *others],
        "releases": [
            {"artist_mbids": [], "artist_name": ARTIST, "caa_id": None, "caa_release_mbid": None, "listen_count": 30,
             "release_mbid": "", "release_name": HARBOUR.title},
            {"artist_mbids": [], "artist_name": "Nobody 0", "listen_count": 9, "release_mbid": "",
             "release_name": "Nothing at All"},
        ],
        "recordings": [
            {"artist_mbids": [], "artist_name": ARTIST, "listen_count": 25, "recording_mbid": mbid("recording", song.id),
             "release_mbid": "", "release_name": HARBOUR.title, "track_name": song.title},
        ],
    }  # fmt: skip


class FakeListenBrainz(Fake):
    """Knows how many listen to each song of `music` but every third of a disc, and what `grace` plays."""

    def __init__(self) -> None:
        super().__init__(self.reply)
        self.bodies: list[list[str]] = []

    def environment(self, base: str) -> dict[str, str]:
        return {
            "LISTENBRAINZ_API_URL": f"{base}/1", "LISTENBRAINZ_ENABLED": "true", "LISTENBRAINZ_RATE": "2000",
        }  # fmt: skip

    async def reply(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "GET" and request.path.startswith("/1/stats/user/"):
            return self.stats(request)
        if request.method != "POST" or request.path != "/1/popularity/recording":
            return _json({"code": 404, "error": "not found"}, 404)
        wanted = json.loads(await request.read()).get("recording_mbids")
        if not isinstance(wanted, list) or len(wanted) > 1000:
            return _json({"code": 400, "error": "'recording_mbids' may hold 1000 at most"}, 400)
        self.bodies.append(wanted)
        rows = [(mbid, USERS.get(mbid)) for mbid in wanted]
        return _json(
            [
                {"recording_mbid": m, "total_listen_count": n if n is None else 9 * n, "total_user_count": n}
                for m, n in rows
            ]
        )

    def stats(self, request: web.BaseRequest) -> web.StreamResponse:
        _, _, name, entity = request.path.removeprefix("/1/").split("/")
        of = request.query.get("range", "all_time")
        if of not in RANGES:
            return _json({"code": 400, "error": f"Invalid range: {of}"}, 400)
        if name not in {"grace", "silent"}:
            return _json({"code": 404, "error": f"Cannot find user: {name}"}, 404)
        if name == "silent" or of == "week":
            return web.Response(status=204)
        offset, count = int(request.query.get("offset", 0)), int(request.query.get("count", 25))
        rows = _stats()[entity]
        some = rows[offset : offset + min(count, MOST_AT_ONCE)]
        payload = {
            "user_id": name, entity: some, "count": len(some), f"total_{entity.removesuffix('s')}_count": len(rows),
            "offset": offset, "range": of, "from_ts": 1009823400, "to_ts": 1790029157, "last_updated": 1788494361,
        }  # fmt: skip
        return _json({"payload": payload})


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(text=json.dumps(value), status=status, content_type="application/json")


def make() -> FakeListenBrainz:
    return FakeListenBrainz()
