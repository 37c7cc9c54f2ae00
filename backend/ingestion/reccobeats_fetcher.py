"""ReccoBeats: audio features by Spotify's track ids. Needs no key; what its values may be used for is not stated.

Wire form: `GET /v1/audio-features?ids=…&ids=…`, 1 to 40 ids, `{"content": [row]}`; ids that it does not know are left out
without a word, and a row names its track in `href` alone (reccobeats.com/docs).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from pydantic import Field

from backend.config.settings import SettingsGroup
from backend.ingestion.source import Payload, SourceProfile
from backend.ingestion.transport import Limits, Reply, Transport
from backend.models.ingestion_models import AUDIO_FEATURES, AlbumQuery, AlbumRecord, Rights, TrackRecord
from backend.utils.errors import MalformedReplyError, RateLimitedError, RecordNotFoundError, RejectedError

_AT_ONCE: Final = 40
_FORGOTTEN_AFTER: Final = 7 * 86_400.0  # seconds that an unknown id is not asked for again
_TRACK: Final = re.compile(r"/track/([0-9A-Za-z]{22})(?:[/?].*)?$")
_SECONDS: Final = re.compile(r"retry after (\d+(?:\.\d+)?) ?s", re.IGNORECASE)


class ReccoBeatsSettings(SettingsGroup):
    """Where ReccoBeats is and how fast it is asked."""

    reccobeats_enabled: bool = True
    reccobeats_api_url: str = "https://api.reccobeats.com/v1"
    reccobeats_rate: float = Field(default=2.0, gt=0)  # requests a second; its threshold is not published


class ReccoBeatsSource:
    """ReccoBeats as a source."""

    def __init__(self, settings: ReccoBeatsSettings | None = None) -> None:
        self._settings = settings or ReccoBeatsSettings.read()

    @property
    def profile(self) -> SourceProfile:
        """See `Source`."""
        return SourceProfile(
            name="reccobeats",
            rights=Rights.UNKNOWN,
            gives={"audio_features": 0.9, "isrc": 0.5},
            limits=Limits(rate=self._settings.reccobeats_rate, concurrent=2),
            terms="Its terms do not say what its values may be used for; they look like Spotify's of before 2024.",
        )

    @property
    def settings(self) -> SettingsGroup:
        """See `Source`."""
        return self._settings

    def unconfigured(self) -> str | None:
        """See `Source`."""
        return None if self._settings.reccobeats_enabled else "RECCOBEATS_ENABLED is false"

    async def fetch(self, query: AlbumQuery, transport: Transport) -> Payload:
        """The features of all tracks whose Spotify ids are known, but for those that have all of them.

        Raises:
            RecordNotFoundError: no Spotify id is known, or it knows none of them.
        """
        tracks = query.known.tracks if query.known is not None else ()
        named = [(t, i) for t in tracks if (i := t.ids.get("spotify"))]
        if not named:
            raise RecordNotFoundError("ReccoBeats is asked by Spotify's track ids, and nobody knows them")
        lacking = list(dict.fromkeys(i for t, i in named if not t.audio_features.keys() >= _FEATURES))
        unknown = set(await transport.memory.recall(lacking))
        wanted = [i for i in lacking if i not in unknown]
        rows: list[dict[str, Any]] = []
        for start in range(0, len(wanted), _AT_ONCE):
            rows += await self._features(wanted[start : start + _AT_ONCE], transport)
        left_out = set(wanted) - {i for row in rows if (i := _track_id(row))}
        await transport.memory.remember(dict.fromkeys(left_out, True), seconds=_FORGOTTEN_AFTER)
        if not rows:
            reason = "has features of none of these tracks" if lacking else "is not needed: all features are known"
            raise RecordNotFoundError(f"ReccoBeats {reason}")
        return {"features": rows}

    def normalise(self, payload: Payload) -> AlbumRecord:
        """See `Source`. It names nothing: tracks are told by their Spotify ids."""
        rows = payload.get("features")
        if not isinstance(rows, list):
            raise MalformedReplyError("ReccoBeats's answer has no features")
        return AlbumRecord(title="", artist="", tracks=tuple(_tracks(rows)), match_method="id")

    async def _features(self, wanted: Sequence[str], transport: Transport) -> list[dict[str, Any]]:
        url = f"{self._settings.reccobeats_api_url.rstrip('/')}/audio-features"
        reply = await transport.get(url, params=[("ids", i) for i in wanted], check=_check)
        content: list[dict[str, Any]] = reply.json()["content"]
        # What was not asked for is nobody's.
        return [row for row in content if _track_id(row) in wanted]


_FEATURES: Final = frozenset(AUDIO_FEATURES) - {"time_signature"}  # which it does not know


def _tracks(rows: Iterable[dict[str, Any]]) -> Iterator[TrackRecord]:
    for row in rows:
        track_id = _track_id(row)
        if track_id is None:
            raise MalformedReplyError("a row of ReccoBeats's features has no href of a track")
        yield TrackRecord(
            title="",
            isrc=row.get("isrc") or None,
            audio_features={
                name: float(row[name]) for name in AUDIO_FEATURES if isinstance(row.get(name), int | float)
            },
            ids={"spotify": track_id},
        )


def _track_id(row: object) -> str | None:
    found = _TRACK.search(str(row.get("href") or "")) if isinstance(row, dict) else None
    return found[1] if found else None


def _check(reply: Reply) -> None:
    if reply.status == 429 and reply.retry_after() is None and (said := _SECONDS.search(reply.text())):
        raise RateLimitedError("ReccoBeats says: too many requests", retry_after=float(said[1]))
    if reply.is_fault:
        return
    found = reply.json()
    if reply.status == 404:
        raise RecordNotFoundError("ReccoBeats knows none of these tracks")
    if reply.status != 200:
        said = found.get("error") if isinstance(found, dict) else None
        raise RejectedError(f"ReccoBeats answered {reply.status}: {str(said)[:200]}")
    if not isinstance(found, dict) or not isinstance(found.get("content"), list):
        raise MalformedReplyError(f"{reply.url} answered without content")
