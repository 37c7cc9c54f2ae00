"""What the sources asked so far know of an album, laid together for those that are asked next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final

from backend.ingestion.concordance import Concordance
from backend.ingestion.policy import MergePolicy
from backend.ingestion.said import by_trust, counting
from backend.ingestion.source import SourceProfile
from backend.models.ingestion_models import AlbumRecord, SourceRecord, TrackRecord

_UNSAID: Final[tuple[object, ...]] = (None, (), {}, "")
# What one source says of its own answer only.
_OWN: Final = frozenset(
    {"tags", "raw_features", "title", "artists", "disc_number", "match_method", "match_score", "url", "parser"}
)
_OF_ALBUM: Final = tuple(f.name for f in fields(AlbumRecord) if f.name not in _OWN)
_OF_TRACK: Final = tuple(f.name for f in fields(TrackRecord) if f.name not in {*_OWN, "ids", "audio_features"})


def lay_together(
    records: Sequence[SourceRecord], profiles: Mapping[str, SourceProfile], *, policy: MergePolicy
) -> AlbumRecord | None:
    """The record of the source most trusted with names, completed by what the others say.

    Identifiers are everybody's; of each other field and audio feature the most trusted value. See `AlbumQuery.known`.
    """
    said = counting(records, profiles, policy=policy)
    if not said:
        return None
    base = said[0].album
    concordance = Concordance.of(said)
    tracks: tuple[TrackRecord, ...] = base.tracks
    if concordance is not None:
        tracks = tuple(
            _complete(
                [found[concordance.lister], *(found[s.source] for s in by_trust(said, "tracks") if s.source in found)]
            )
            for found in (concordance.of_sources(row, said) for row in concordance.rows)
        )
    others = [s.album for s in said]
    filled = {
        name: value
        for name in _OF_ALBUM
        if getattr(base, name) in _UNSAID and (value := _first(others, name)) not in _UNSAID
    }
    ids, artist_ids = _union([a.ids for a in others]), _union([a.artist_ids for a in others])
    return replace(base, **{**filled, "tracks": tracks, "ids": ids, "artist_ids": artist_ids})


def _complete(told: Sequence[TrackRecord]) -> TrackRecord:
    """The first record, with what it leaves unsaid from the others."""
    first = told[0]
    if len(told) == 1:
        return first
    filled = {
        name: value
        for name in _OF_TRACK
        if getattr(first, name) in _UNSAID and (value := _first(told[1:], name)) not in _UNSAID
    }
    ids, features = _union([t.ids for t in told]), _union([t.audio_features for t in told])
    return replace(first, **{**filled, "ids": ids, "audio_features": features})


def _first(told: Sequence[object], name: str) -> Any:
    return next((value for thing in told if (value := getattr(thing, name)) not in _UNSAID), None)


def _union(maps: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All entries; the first of each key."""
    return {k: v for m in reversed(maps) for k, v in m.items()}
