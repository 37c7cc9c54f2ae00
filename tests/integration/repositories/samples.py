"""Albums for the store's tests, made small by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from backend.models.ingestion_models import AlbumRecord, MergedAlbum, MergedTrack, Rights, SourceRecord, TrackRecord
from backend.utils.identifiers import derive

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def track(number: int, *, album: str = "a1", **more: Any) -> MergedTrack:
    values: dict[str, Any] = {
        "id": derive("track", album, number),
        "title": f"Song {number}",
        "artist": "The Amber Lanterns",
        "album": "Paper Harbour",
        "disc_number": 1,
        "track_number": number,
        "duration_ms": 200_000 + number,
        "explicit": False,
        "popularity": 10 * number,
        "listeners": None,
        "rating": None,
        "isrc": None,
        "spotify_id": f"s{number}",
        "genres": ("rock", "indie rock"),
        "moods": ("calm",),
        "audio_features": {"energy": 0.5, "tempo": 120.25},
        "provenance": {"title": "one", "genres": "one+two"},
    }
    return MergedTrack(**{**values, **more})


def album(key: str = "a1", *, tracks: int = 3, **more: Any) -> MergedAlbum:
    values: dict[str, Any] = {
        "id": key,
        "title": "Paper Harbour",
        "artist": "The Amber Lanterns",
        "artist_id": "artist-1",
        "title_key": "paper harbour",
        "artist_key": "amber lanterns",
        "release_date": "1999-05",
        "label": "Tide",
        "upc": None,
        "popularity": 40,
        "listeners": None,
        "aoty_critic_score": 81.5,
        "aoty_critic_count": 12,
        "aoty_user_score": 77.25,
        "aoty_user_count": 1200,
        "genres": ("rock",),
        "moods": ("calm",),
        "ids": {"one": f"one-{key}"},
        "provenance": {"title": "one", "aoty_user_score": "two", "release_date": "one"},
        "synthetic": False,
        "tracks": tuple(track(n, album=key) for n in range(1, tracks + 1)),
    }
    return MergedAlbum(**{**values, **more})


def record(source: str = "one", *, minutes: int = 0, **more: Any) -> SourceRecord:
    said = AlbumRecord(
        title="Paper Harbour", artist="The Amber Lanterns", tracks=(TrackRecord(title="Song 1"),), **more
    )
    return SourceRecord(source=source, rights=Rights.OPEN, fetched_at=NOON + timedelta(minutes=minutes), album=said)
