"""Conditions on tracks as SQL. Values travel beside the statement, as one JSON text; never inside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from backend.models.ingestion_models import AUDIO_FEATURES
from backend.models.results import TrackFilter
from backend.repositories.layers import LAYERS, Layer
from backend.repositories.tag_spellings import spellings
from backend.repositories.track_columns import TRACK_COLUMNS
from backend.utils.errors import InvalidInputError
from backend.utils.text import fold, fold_name

_FASTEST: Final = 10_000.0  # beats a minute

PARAMETER: Final = "$1::text::jsonb"
"""The filter's values where a client binds parameters."""

# The same columns, with what was estimated unknown. Nobody who takes estimates pays for it.
_MEASURED: Final = "(SELECT {columns} FROM {{table}}) AS measured".format(
    columns=", ".join(
        f'CASE WHEN estimates ? \'{c}\' THEN NULL ELSE "{c}" END AS "{c}"'
        if c in AUDIO_FEATURES
        else "audio_features - ARRAY(SELECT jsonb_object_keys(estimates)) AS audio_features"
        if c == "audio_features"
        else "provenance - ARRAY(SELECT jsonb_object_keys(estimates)) AS provenance"
        if c == "provenance"
        else "'{{}}'::jsonb AS estimates"
        if c == "estimates"
        else f'"{c}"'
        for c in dict.fromkeys((*TRACK_COLUMNS, *AUDIO_FEATURES))
    )
)

SESSION: Final = "current_setting('tensoe.filter')::jsonb"
"""The filter's values where it does not: the session holds them (`SELECT set_config('tensoe.filter', …, false)`)."""


_COMPARED: Final = {
    "album_id": ("album_id =", "text"),
    "year_from": ("release_year >=", "int"),
    "year_to": ("release_year <=", "int"),
    "min_popularity": ("popularity >=", "int"),
    "max_popularity": ("popularity <=", "int"),
    "tempo_from": ("tempo >=", "real"),
    "tempo_to": ("tempo <=", "real"),
    "min_user_score": ("aoty_score >=", "real"),
    "max_user_score": ("aoty_score <=", "real"),
    "min_critic_score": ("aoty_critic_score >=", "real"),
    "max_critic_score": ("aoty_critic_score <=", "real"),
    "explicit": ("explicit =", "boolean"),
    "synthetic": ("synthetic =", "boolean"),
    "after": ("id >", "text"),
    "until": ("id <=", "text"),
}
"""Fields of a filter that are compared with one column: how, and as what."""


def values(track_filter: TrackFilter) -> str:
    """The values that the conditions look at, as JSON.

    Raises:
        InvalidInputError: a text holds what PostgreSQL cannot.
    """
    f = track_filter
    held = {
        "genres": [s for g in f.genres for s in spellings(g)],
        "moods": [s for m in f.moods for s in spellings(m)],
        "artist": f.artist,
        "artist_key": fold_name(f.artist) if f.artist else None,
        "album_id": f.album_id,
        "year_from": f.year_from,
        "year_to": f.year_to,
        "min_popularity": f.min_popularity,
        "max_popularity": f.max_popularity,
        "tempo_from": _beats(f.tempo_from),
        "tempo_to": _beats(f.tempo_to),
        "min_user_score": _points(f.min_user_score),
        "max_user_score": _points(f.max_user_score),
        "min_critic_score": _points(f.min_critic_score),
        "max_critic_score": _points(f.max_critic_score),
        "explicit": f.explicit,
        "seen": f.seen,
        "seen_by": f.seen_by,
        "pattern": containing(f.q),
        "folded": containing(fold(f.q)) if f.q else None,
        "synthetic": f.synthetic,
        "rights": f.rights,
        "estimates": f.estimates,
        "one_per_recording": f.one_per_recording,
        "after": f.after,
        "until": f.until,
    }
    return as_json(held)


def _beats(tempo: float | None) -> float | None:
    """A tempo that fits into REAL, which refuses what is too near to 0 as it refuses what is too great."""
    return None if tempo is None else round(min(max(tempo, 0.0), _FASTEST), 4)


def _points(score: float | None) -> float | None:
    """A score that fits into REAL, which refuses what is too near to 0."""
    return None if score is None else round(min(max(score, 0.0), 100.0), 4)


def as_json(held: object) -> str:
    """Values as JSON that PostgreSQL reads.

    Raises:
        InvalidInputError: a text holds a NUL or half a character.
    """
    try:
        written = msgspec.json.encode(held)
    except UnicodeEncodeError as problem:
        raise InvalidInputError("A filter holds half a character (a lone surrogate); send valid Unicode") from problem
    if b"\\u0000" in written:
        raise InvalidInputError("A filter holds a NUL character; leave it out")
    return written.decode()


def tracks_of(track_filter: TrackFilter, layer: Layer | None = None) -> str:
    """What a statement reads tracks from: the table of the level of rights asked for, with or without estimates.

    Args:
        track_filter: which tracks.
        layer: other tables than those of the level of rights: the past's.
    """
    table = (layer or LAYERS[track_filter.rights]).tracks
    return table if track_filter.estimates else _MEASURED.format(table=table)


def most(track_filter: TrackFilter, limit: int) -> int | None:
    """How many rows may be read: a page whose end is known is read to it, though rows were added meanwhile."""
    return None if track_filter.until is not None else limit


def where(track_filter: TrackFilter, held: str, layer: Layer | None = None) -> str:
    """The conditions that are set, joined by AND; "true" when none is.

    Args:
        track_filter: which tracks.
        held: where the statement finds `values`: `PARAMETER` or `SESSION`.
        layer: see `tracks_of`.
    """
    return " AND ".join(_conditions(track_filter, held, layer or LAYERS[track_filter.rights])) or "true"


def _conditions(f: TrackFilter, held: str, layer: Layer) -> Iterator[str]:
    if f.genres:
        yield f"genres && ARRAY(SELECT jsonb_array_elements_text({held}->'genres'))"
    if f.moods:
        yield f"moods && ARRAY(SELECT jsonb_array_elements_text({held}->'moods'))"
    if f.artist is not None:
        yield (
            # As an array, so that both sides can use their index.
            f"(lower(artist) = lower({held}->>'artist') OR album_id = ANY(ARRAY("
            f"SELECT a.id FROM {layer.albums} a WHERE a.artist_key = {held}->>'artist_key')))"
        )
    for name, (comparison, kind) in _COMPARED.items():
        if getattr(f, name) is not None:
            yield f"{comparison} ({held}->>'{name}')::{kind}"
    if f.seen:
        yield _unseen(f, f"s.id = ANY(ARRAY(SELECT jsonb_array_elements_text({held}->'seen')))")
    if f.seen_by is not None:
        yield _unseen(f, f"s.id IN (SELECT track_id FROM listens WHERE listener = {held}->>'seen_by')")
    if f.one_per_recording:
        yield (
            f"id IN (SELECT DISTINCT ON (coalesce(recording_id, id)) id FROM {layer.tracks} "
            "ORDER BY coalesce(recording_id, id), release_date, id)"
        )
    if f.q:
        said = " OR ".join(f"{column} ILIKE {held}->>'pattern'" for column in ("title", "artist", "album"))
        # Folded names find "Björk" by "bjork".
        yield (
            f"({said} OR album_id = ANY(ARRAY(SELECT a.id FROM {layer.albums} a "
            f"WHERE a.artist_key LIKE {held}->>'folded' OR a.title_key LIKE {held}->>'folded')))"
        )


def _unseen(f: TrackFilter, seen: str) -> str:
    """Neither a track that was seen nor another appearance of its recording."""
    table = LAYERS[f.rights].tracks
    return f"coalesce(recording_id, id) NOT IN (SELECT coalesce(s.recording_id, s.id) FROM {table} s WHERE {seen})"


def containing(text: str | None) -> str | None:
    """The LIKE pattern of texts that contain this one as it stands; None when there is none."""
    if not text:
        return None
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
