"""AcousticBrainz's documents: several submissions of a recording, which disagree; what is unknown is left out.

Of a recording it gives the submissions whose offsets are asked for, without an offset the first alone.
"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from tests.fakes.music import ALBUMS, Song
from tests.fakes.open_music import mbid, query
from tests.fakes.server import Fake

QUERY = query()
UNKNOWN = 3
SUBMISSIONS = 3
SONGS = {mbid("recording", s.id): s for a in ALBUMS for s in a.songs if s.number != UNKNOWN}


class FakeAcousticBrainz(Fake):
    """
    Attributes:
        submissions: how many there are of each recording that it knows.
    """

    def __init__(self) -> None:
        super().__init__(self.reply)
        self.submissions = SUBMISSIONS

    def environment(self, base: str) -> dict[str, str]:
        return {
            "ACOUSTICBRAINZ_API_URL": f"{base}/api/v1", "ACOUSTICBRAINZ_ENABLED": "true", "ACOUSTICBRAINZ_RATE": "2000",
        }  # fmt: skip

    def wanted(self, level: str) -> list[list[str]]:
        return [a.query["recording_ids"].split(";") for a in self.asked if a.path.endswith(level)]

    async def reply(self, request: web.BaseRequest) -> web.StreamResponse:
        level = request.path.rsplit("/", 1)[1]
        items = dict.fromkeys(i for i in request.query.get("recording_ids", "").split(";") if i)
        if level not in {"count", "low-level", "high-level"}:
            return _json({"message": "Not found"}, 404)
        if not items:
            return _json({"message": "Missing `recording_ids` parameter"}, 400)
        if len(items) > 25:
            return _json({"message": "More than 25 recordings not allowed per request"}, 400)
        found: dict[str, dict[str, Any]] = {}
        for key, _, offset in (item.partition(":") for item in items):
            if key not in SONGS:
                continue
            if level == "count":
                found[key] = {"count": self.submissions}
            elif (place := int(offset or 0)) < self.submissions:
                make_one = low if level == "low-level" else high
                found.setdefault(key, {})[str(place)] = make_one(SONGS[key], place % SUBMISSIONS)
        return _json({**found, "mbid_mapping": {}})


def low(song: Song, submission: int) -> dict[str, Any]:
    """The third submission was encoded badly, and the first was heard in another key."""
    return {
        "rhythm": {
            "bpm": (100.0, 102.0, 51.0)[submission] + song.number,
            "danceability": 1.2,
            "beats_position": [0.1] * 9,
        },
        "tonal": {"key_key": ("C#", "A", "A")[submission], "key_scale": "minor", "key_strength": 0.7},
        "lowlevel": {"average_loudness": 0.9, "dynamic_complexity": 4.0, "mfcc": {"mean": [0.0] * 13}},
        "metadata": {"audio_properties": {"length": song.seconds}, "version": {"essentia": "2.1-beta1"}},
    }


def high(song: Song, submission: int) -> dict[str, Any]:
    chances = {
        "danceability": ("danceable", 0.5), "mood_acoustic": ("acoustic", 0.25), "mood_relaxed": ("relaxed", 0.1),
        "mood_happy": ("happy", 0.75), "mood_sad": ("sad", 0.25), "mood_aggressive": ("aggressive", 0.3),
        "mood_party": ("party", 0.2), "voice_instrumental": ("instrumental", (0.0, 0.1, 0.9)[submission]),
    }  # fmt: skip
    classes = {
        name: {"all": {kind: p, f"not_{kind}": 1 - p}, "probability": max(p, 1 - p), "value": kind, "version": {}}
        for name, (kind, p) in chances.items()
    }
    return {"highlevel": classes, "metadata": {"version": {}}}


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(text=json.dumps(value), status=status, content_type="application/json")


def make() -> FakeAcousticBrainz:
    return FakeAcousticBrainz()
