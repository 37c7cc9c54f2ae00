"""Small albums for tests of the repositories, as the merge makes them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from backend.models.ingestion_models import AlbumRecord, MergedAlbum, MergedTrack, Rights, SourceRecord
from backend.utils.identifiers import derive
from backend.utils.text import fold_name

NOW: Final = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)

_TRACK: Final = MergedTrack(
    id="", title="", artist="The Beatles", album="Abbey Road", disc_number=1, track_number=1, duration_ms=259_946,
    explicit=False, popularity=80, listeners=1_000_000, rating=None, isrc="GBAYE0601690", spotify_id="s1",
    genres=("rock",), moods=("mellow",), audio_features={"energy": 0.5}, provenance={"popularity": "spotify"},
)  # fmt: skip


def track(album_id: str, number: int, **changed: Any) -> MergedTrack:
    """A track of an album."""
    given: dict[str, Any] = {"title": f"Track {number}", "track_number": number, **changed}
    return replace(_TRACK, id=derive("track", album_id, number), **given)


def album(
    *, title: str = "Abbey Road", artist: str = "The Beatles", tracks: int | tuple[MergedTrack, ...] = 1, **changed: Any
) -> MergedAlbum:
    """An album whose tracks say what is said of it."""
    keys = fold_name(artist or ""), fold_name(title or "")
    album_id = changed.pop("id", derive("album", *keys))
    of_tracks = {
        name: changed.pop(name) for name in ("audio_features", "popularity", "duration_ms") if name in changed
    } | ({"genres": changed["genres"]} if "genres" in changed else {})
    if isinstance(tracks, int):
        tracks = tuple(track(album_id, n + 1, album=title, artist=artist, **of_tracks) for n in range(tracks))
    values: dict[str, Any] = {
        "release_date": "1969-09-26", "label": None, "upc": None, "popularity": 70, "listeners": None,
        "aoty_critic_score": None, "aoty_critic_count": None, "aoty_user_score": None, "aoty_user_count": None,
        "genres": ("rock",), "moods": ("mellow",), "ids": {"spotify": album_id}, "provenance": {"title": "spotify"},
        "synthetic": False,
    }  # fmt: skip
    return MergedAlbum(
        id=album_id, title=title, artist=artist, artist_id=derive("artist", keys[0]), artist_key=keys[0],
        title_key=keys[1], tracks=tracks, **values | changed,
    )  # fmt: skip


def record(*, source: str = "spotify", at: datetime = NOW, **values: Any) -> SourceRecord:
    """What a source said."""
    said = AlbumRecord(**{"title": "Abbey Road", "artist": "The Beatles", **values})
    return SourceRecord(source=source, rights=Rights.RESTRICTED, fetched_at=at, album=said)
