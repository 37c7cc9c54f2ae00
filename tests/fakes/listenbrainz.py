"""ListenBrainz's popularity of recordings."""

from __future__ import annotations

import json

from aiohttp import web

from tests.fakes.music import ALBUMS
from tests.fakes.open_music import mbid, query
from tests.fakes.server import Fake

QUERY = query()
USERS = {mbid("recording", s.id): 500 * s.number for a in ALBUMS for s in a.songs if s.number != 3}


class FakeListenBrainz(Fake):
    """Knows how many listen to each song of `music` but every third of a disc."""

    def __init__(self) -> None:
        super().__init__(self.reply)
        self.bodies: list[list[str]] = []

    def environment(self, base: str) -> dict[str, str]:
        return {
            "LISTENBRAINZ_API_URL": f"{base}/1", "LISTENBRAINZ_ENABLED": "true", "LISTENBRAINZ_RATE": "2000",
        }  # fmt: skip

    async def reply(self, request: web.BaseRequest) -> web.StreamResponse:
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


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(text=json.dumps(value), status=status, content_type="application/json")


def make() -> FakeListenBrainz:
    return FakeListenBrainz()
