"""Made-up albums in any number, for tests and benchmarks: the same seed gives the same bytes, on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice
from typing import Any, Final

import numpy as np

from backend.demo.names import STEP, album_titles, artist_name, track_titles
from backend.demo.population import ARTISTS_AT_ONCE, FAMILIES, KINDS, Draw, draw_albums, draw_artists, draw_tracks
from backend.demo.sound import MEASURES
from backend.demo.words import LABELS
from backend.models.ingestion_models import AlbumRecord, Tag, TrackRecord

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DISC: Final = 20  # tracks on a disc
_WEIGHTS: Final = (1.0, 0.8, 0.6, 0.5, 0.4)  # of a kind, its genre and up to three moods


def generate(albums: int, *, seed: int = 0) -> Iterator[AlbumRecord]:
    """Made-up albums one after the other, in bounded memory; fewer albums of a seed are the first of more.

    Artists have one to six albums. As in reality some tracks lack features, popularity or duration, some albums
    scores, genres or the day of release; there are singles, EPs and a few albums of two discs with 40 tracks.

    Args:
        albums: how many; ten tracks each on average.
        seed: what they depend on; at least 0.
    """
    return islice((album for block in count() for album in _block(seed, block)), albums)


def _block(seed: int, block: int) -> Iterator[AlbumRecord]:
    draw = Draw(np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, block]))))
    artists = draw_artists(draw)
    albums = draw_albums(draw, artists)
    rows = iter(_rows(draw_tracks(draw, albums)))
    names = [artist_name(block * ARTISTS_AT_ONCE + i) for i in range(ARTISTS_AT_ONCE)]
    used: set[tuple[str, str]] = set()
    number = 0
    for album in _rows({field: values for field, values in albums.items() if field != "offset"}):
        name = names[album["artist"]]
        first = int(album["titles"] * len(track_titles()))
        tracks = tuple(
            _track(row, first=first, artists=(name,), isrc=f"{_registrant(block)}{row['year'] % 100:02}{number + i:05}")
            for i, row in enumerate(islice(rows, album["tracks"]))
        )
        number += len(tracks)
        title = tracks[0].title if album["single"] else _title(artists["titles"][album["artist"]], album["order"])
        while (name, title) in used:
            title += " II"
        used.add((name, title))
        yield _album(album, tracks, title=title, artist=name)


def _rows(columns: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of columns of equal length, as plain Python values."""
    lists = [c.tolist() if isinstance(c, np.ndarray) else c for c in columns.values()]
    return (dict(zip(columns, row, strict=True)) for row in zip(*lists, strict=True))


def _title(start: float, order: int) -> str:
    titles = album_titles()
    return titles[(int(start * len(titles)) + order * STEP) % len(titles)]


def _track(row: dict[str, Any], *, first: int, artists: tuple[str, ...], isrc: str) -> TrackRecord:
    titles, place = track_titles(), row["place"]
    return TrackRecord(
        title=titles[(first + place * STEP) % len(titles)],
        artists=artists,
        disc_number=1 + place // _DISC,
        track_number=1 + place % _DISC,
        duration_ms=row["duration"] or None,
        explicit=None if row["explicit"] < 0 else row["explicit"] == 1,
        popularity=None if row["popularity"] < 0 else row["popularity"],
        isrc=isrc,
        audio_features={} if row["mute"] else _features(row),
    )


def _features(row: dict[str, Any]) -> dict[str, float]:
    features = dict(zip(MEASURES, row["features"], strict=True))
    features["key"] = float(row["key"])
    features["mode"] = float(row["mode"])
    features["time_signature"] = 3.0 if row["waltz"] else 4.0
    return features


def _album(album: dict[str, Any], tracks: tuple[TrackRecord, ...], *, title: str, artist: str) -> AlbumRecord:
    critic, user = album["critic"], album["user"]
    label = int(album["label"] * 2 * len(LABELS))  # half of them: not known
    return AlbumRecord(
        title=title,
        artist=artist,
        release_date=album["date"],
        label=LABELS[label] if label < len(LABELS) else None,
        popularity=round(min(100.0, max(0.0, album["fame"]))),
        critic_score=critic,
        critic_count=None if critic is None else album["reviews"],
        user_score=user,
        user_count=None if user is None else album["votes"],
        tags=_tags(album) if album["tagged"] else (),
        tracks=tracks,
    )


def _tags(album: dict[str, Any]) -> tuple[Tag, ...]:
    family_number, kind = KINDS[album["kind"]]
    family = FAMILIES[family_number]
    moods = [family.moods[(album["mood"] + i) % len(family.moods)] for i in range(album["moods"])]
    names = (kind, family.genre, *moods)
    return tuple(Tag(name=name, weight=weight, level="album") for name, weight in zip(names, _WEIGHTS, strict=False))


def _registrant(block: int) -> str:
    """ZZ is nobody's country code, so that no ISRC of ours is anybody's; three signs of the block make it unique."""
    return "ZZ" + _DIGITS[block // 1296 % 36] + _DIGITS[block // 36 % 36] + _DIGITS[block % 36]
