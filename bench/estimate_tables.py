"""The tables that estimates are measured on: a public one that the user names, and made-up albums."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa

from backend.demo.generator import generate
from backend.models.ingestion_models import AUDIO_FEATURES

MADE_UP_ALBUMS = 1_500


def songs(path: Path) -> pa.Table:
    """The tracks of the CSV, once each: genres and subgenres of all playlists that a track stands in."""
    listed = pd.read_csv(path, dtype={"track_album_release_date": str})
    genres: dict[str, set[str]] = {}
    for row in listed[["track_id", "playlist_genre", "playlist_subgenre"]].itertuples(index=False):
        genres.setdefault(row[0], set()).update(row[1:])
    once = listed.drop_duplicates("track_id").sort_values("track_id")
    n = len(once)
    columns = {
        "id": pa.array(once["track_id"], pa.string()),
        "artist": pa.array(once["track_artist"], pa.string(), from_pandas=True),
        "genres": pa.array([sorted(genres[i]) for i in once["track_id"]], pa.list_(pa.string())),
        "moods": pa.nulls(n, pa.list_(pa.string())),
        "release_year": pa.array(once["track_album_release_date"].str[:4].astype(int)),
        "duration_ms": pa.array(once["duration_ms"]),
        "explicit": pa.nulls(n, pa.bool_()),
        "popularity": pa.array(once["track_popularity"]),
    }
    for feature in AUDIO_FEATURES:
        there = feature in once
        columns[feature] = pa.array(once[feature].astype(float)) if there else pa.nulls(n, pa.float64())
    return pa.table(columns)


def made_up() -> pa.Table:
    """Albums of the generator, for where no table is."""
    rows: list[dict[str, object]] = []
    for album in generate(MADE_UP_ALBUMS):
        tags = [tag.name for tag in album.tags]
        for track in album.tracks:
            row: dict[str, object] = {
                "id": f"{len(rows):06}",
                "artist": album.artist,
                "genres": tags,
                "moods": [],
                **track.audio_features,
            }
            year = int(album.release_date[:4]) if album.release_date else None
            row |= {"release_year": year, "duration_ms": track.duration_ms}
            rows.append(row | {"explicit": track.explicit, "popularity": track.popularity})
    kinds = {
        **dict.fromkeys(("id", "artist"), pa.string()),
        **dict.fromkeys(("genres", "moods"), pa.list_(pa.string())),
        **dict.fromkeys(("release_year", "duration_ms", "popularity"), pa.int64()),
        "explicit": pa.bool_(),
        **dict.fromkeys(AUDIO_FEATURES, pa.float64()),
    }
    return pa.table({name: pa.array([row.get(name) for row in rows], kind) for name, kind in kinds.items()})
