"""A stand-in for Deezer in the wire's true form that knows any number of albums: `python -m bench.stand_in PORT`.

Every "Album N" by "Artist N % 5000" exists and has three tracks. It answers at once, and remembers nothing.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import Any

from aiohttp import web

TRACKS = 3
ARTISTS = 5_000
_NAMED = re.compile(r'artist:"Artist (\d+)" album:"Album (\d+)"')


def names(number: int) -> tuple[str, str]:
    """Title and artist of an album."""
    return f"Album {number}", f"Artist {number % ARTISTS}"


def _brief(number: int) -> dict[str, Any]:
    title, artist = names(number)
    return {
        "id": number, "title": title, "nb_tracks": TRACKS, "type": "album",
        "artist": {"id": number % ARTISTS, "name": artist, "type": "artist"},
    }  # fmt: skip


def _track(number: int, place: int) -> dict[str, Any]:
    return {
        "id": number * 10 + place, "title": f"Song {number} {place}", "duration": 180 + place, "rank": 1_000 * place,
        "explicit_lyrics": False, "isrc": f"ZZ{number:09d}{place}", "artist": _brief(number)["artist"], "type": "track",
        "bpm": 90.5 + place, "gain": -10.0, "track_position": place, "disk_number": 1, "album": _brief(number),
    }  # fmt: skip


async def answer(request: web.BaseRequest) -> web.StreamResponse:
    """One request."""
    path = request.path
    if path == "/search/album":
        match = _NAMED.search(request.query["q"])
        data = [_brief(int(match[2]))] if match else []
        return _json({"data": data, "total": len(data)})
    if match := re.fullmatch(r"/album/(\d+)", path):
        number = int(match[1])
        tracks = [_track(number, place) for place in range(1, TRACKS + 1)]
        return _json(
            {**_brief(number), "upc": "", "release_date": f"{1960 + number % 60}-10-01", "record_type": "album",
             "label": f"Label {number % 97}", "genres": {"data": [{"id": 1, "name": "Folk"}]}, "tracks": {"data": tracks}}
        )  # fmt: skip
    if match := re.fullmatch(r"/track/isrc:ZZ(\d{9})(\d)", path):
        return _json(_track(int(match[1]), int(match[2])))
    return _json({"error": {"type": "DataException", "message": "no data", "code": 800}})


def _json(value: object) -> web.Response:
    return web.Response(text=json.dumps(value), content_type="application/json")


async def main(port: int) -> None:
    """Answer until ended."""
    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
