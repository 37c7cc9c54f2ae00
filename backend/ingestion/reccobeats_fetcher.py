"""ReccoBeats: audio features by Spotify's track ids, ISRC and popularity where nobody else has them.

Needs no key; what its values may be used for is not stated. Wire form: `GET /v1/audio-features?ids=…&ids=…` and `/v1/track`, 1
to 40 ids, `{"content": [row]}`; ids that it does not know are left out without a word, and a row names its track in `href` alone
(reccobeats.com/docs).
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
_OF_TRACK: Final = ("href", "isrc", "popularity")  # what is read of a track's row
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
            # Its popularity is a copy of Spotify's, of an unknown day.
            gives={"audio_features": 0.9, "isrc": 0.5, "popularity": 0.3},
            fresh_days=365,
            limits=Limits(rate=self._settings.reccobeats_rate, concurrent=2),
            typical_calls=2.0,
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
        """The features of all tracks whose Spotify ids are known, and their ISRC and popularity, where any is lacking.

        Raises:
            RecordNotFoundError: no Spotify id is known, or it knows none of them.
        """
        tracks = query.known.tracks if query.known is not None else ()
        named = [(t, i) for t in tracks if (i := t.ids.get("spotify"))]
        if not named:
            raise RecordNotFoundError("ReccoBeats is asked by Spotify's track ids, and nobody knows them")
        lacking = [i for t, i in named if not t.audio_features.keys() >= _FEATURES]
        features = await self._rows("audio-features", lacking, transport)
        # A row of features has the ISRC, too.
        coded = {_track_id(row) for row in features if row.get("isrc")}
        bare = [i for t, i in named if t.popularity is None or not (t.isrc or i in coded)]
        rows = await self._rows("track", bare, transport)
        if not features and not rows:
            reason = "knows none of these tracks" if lacking or bare else "is not needed: all that it has is known"
            raise RecordNotFoundError(f"ReccoBeats {reason}")
        return {"features": features, "tracks": [{name: row.get(name) for name in _OF_TRACK} for row in rows]}

    def normalise(self, payload: Payload) -> AlbumRecord:
        """See `Source`. It names nothing: tracks are told by their Spotify ids."""
        # What was kept before tracks were asked for has none of them.
        features, rows = payload.get("features"), payload.get("tracks", [])
        if not isinstance(features, list) or not isinstance(rows, list):
            raise MalformedReplyError("ReccoBeats's answer has no features")
        return AlbumRecord(title="", artist="", tracks=tuple(_tracks(features, rows)), match_method="id")

    async def _rows(self, path: str, named: Sequence[str], transport: Transport) -> list[dict[str, Any]]:
        """The rows of those tracks that it knows; of the others it is not asked again for a while."""
        keys = {i: f"{path}:{i}" for i in named}
        unknown = await transport.memory.recall(keys.values())
        wanted = [i for i, key in keys.items() if key not in unknown]
        url = f"{self._settings.reccobeats_api_url.rstrip('/')}/{path}"
        rows: list[dict[str, Any]] = []
        left_out: dict[str, bool] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            try:
                reply = await transport.get(url, params=[("ids", i) for i in part], check=_check)
            except RecordNotFoundError:
                continue  # says nothing of the other requests, nor which of these tracks is unknown
            # What was not asked for is nobody's.
            found = {i: row for row in reply.json()["content"] if (i := _track_id(row)) in part}
            rows += found.values()
            left_out |= {keys[i]: True for i in part if i not in found}
        await transport.memory.remember(left_out, seconds=_FORGOTTEN_AFTER)
        return rows


_FEATURES: Final = frozenset(AUDIO_FEATURES) - {"time_signature"}  # which it does not know


def _tracks(features: Iterable[dict[str, Any]], rows: Iterable[dict[str, Any]]) -> Iterator[TrackRecord]:
    measured, told = _by_id(features), _by_id(rows)
    for track_id in {**measured, **told}:
        row, more = measured.get(track_id, {}), told.get(track_id, {})
        popularity = more.get("popularity")
        yield TrackRecord(
            title="",
            isrc=row.get("isrc") or more.get("isrc") or None,
            popularity=popularity if isinstance(popularity, int) and 0 <= popularity <= 100 else None,
            audio_features={
                name: float(row[name]) for name in AUDIO_FEATURES if isinstance(row.get(name), int | float)
            },
            ids={"spotify": track_id},
        )


def _by_id(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = {_track_id(row): row for row in rows}
    if None in found:
        raise MalformedReplyError("a row of ReccoBeats's answer has no href of a track")
    return {track_id: row for track_id, row in found.items() if track_id is not None}


def _track_id(row: object) -> str | None:
    found = _TRACK.search(str(row.get("href") or "")) if isinstance(row, dict) else None
    return found[1] if found else None


def _check(reply: Reply) -> None:
    if reply.status == 429 and reply.retry_after() is None and (said := _SECONDS.search(reply.text())):
        raise RateLimitedError("ReccoBeats says: too many requests", retry_after=float(said[1]))
    if reply.is_fault:
        return
    if reply.status == 404:
        raise RecordNotFoundError("ReccoBeats knows none of these tracks")
    found = reply.json()
    if reply.status != 200:
        said = found.get("error") if isinstance(found, dict) else None
        raise RejectedError(f"ReccoBeats answered {reply.status}: {str(said)[:200]}")
    if not isinstance(found, dict) or not isinstance(found.get("content"), list):
        raise MalformedReplyError(f"{reply.url} answered without content")
