"""The public form of a track, in the one place that all readers take it from."""

from __future__ import annotations

from typing import Final

from backend.models.ingestion_models import AUDIO_FEATURES

TRACK_COLUMNS: Final = (
    "id", "title", "artist", "album", "album_id", "disc_number", "track_number", "release_date", "release_year",
    "duration_ms", "explicit", "popularity", "genres", "moods", "audio_features", "aoty_score", "aoty_critic_score", "rating",
    "listeners", "isrc", "spotify_id", "recording_id", "recording_mbid", "mood_valence", "mood_arousal", "tag_weights",
    "estimates", "provenance", "synthetic",
)  # fmt: skip
"""The columns of a row of training data."""

FLAT_COLUMNS: Final = tuple(c for c in TRACK_COLUMNS if c != "audio_features") + AUDIO_FEATURES
"""The same with a column per audio feature, as CSV and bulk readers take it."""

JOINED_BY: Final = "; "
"""Between the texts of a list where there are no lists, as in CSV."""

READABLE: Final = frozenset({*TRACK_COLUMNS, *AUDIO_FEATURES})
"""What may be asked for by name."""


def csv_expression(column: str) -> str:
    """The column as a field of a CSV file: lists joined by `JOINED_BY`, flags as true and false, numbers as JSON has them."""
    return f"array_to_string({column}, '{JOINED_BY}')" if column in {"genres", "moods"} else f'"{column}"::text'
