"""Conditions on tracks as SQL. Values travel beside the statement, as one JSON text; never inside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from backend.models.results import TrackFilter
from backend.utils.text import fold_name

PARAMETER: Final = "$1::text::jsonb"
"""The filter's values where a client binds parameters."""

SESSION: Final = "current_setting('tensoe.filter')::jsonb"
"""The filter's values where it does not: the session holds them (`SELECT set_config('tensoe.filter', …, false)`)."""


def values(track_filter: TrackFilter) -> str:
    """The values that the conditions look at, as JSON."""
    f = track_filter
    return msgspec.json.encode(
        {
            "genres": [g.lower() for g in f.genres],
            "moods": [m.lower() for m in f.moods],
            "artist": f.artist,
            "artist_key": fold_name(f.artist) if f.artist else None,
            "album_id": f.album_id,
            "year_from": f.year_from,
            "year_to": f.year_to,
            "min_popularity": f.min_popularity,
            "pattern": f"%{_escape(f.q)}%" if f.q else None,
            "synthetic": f.synthetic,
            "after": f.after,
        }
    ).decode()


def where(track_filter: TrackFilter, held: str) -> str:
    """The conditions that are set, joined by AND; "true" when none is.

    Args:
        track_filter: which tracks.
        held: where the statement finds `values`: `PARAMETER` or `SESSION`.
    """
    return " AND ".join(_conditions(track_filter, held)) or "true"


def _conditions(f: TrackFilter, held: str) -> Iterator[str]:
    if f.genres:
        yield f"genres && ARRAY(SELECT jsonb_array_elements_text({held}->'genres'))"
    if f.moods:
        yield f"moods && ARRAY(SELECT jsonb_array_elements_text({held}->'moods'))"
    if f.artist is not None:
        yield (
            f"(lower(artist) = lower({held}->>'artist') OR album_id IN "
            f"(SELECT a.id FROM albums a WHERE a.artist_key = {held}->>'artist_key'))"
        )
    if f.album_id is not None:
        yield f"album_id = {held}->>'album_id'"
    if f.year_from is not None:
        yield f"release_year >= ({held}->>'year_from')::int"
    if f.year_to is not None:
        yield f"release_year <= ({held}->>'year_to')::int"
    if f.min_popularity is not None:
        yield f"popularity >= ({held}->>'min_popularity')::int"
    if f.synthetic is not None:
        yield f"synthetic = ({held}->>'synthetic')::boolean"
    if f.after is not None:
        yield f"id > {held}->>'after'"
    if f.q:
        yield " OR ".join(f"{column} ILIKE {held}->>'pattern'" for column in ("title", "artist", "album")).join("()")


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
