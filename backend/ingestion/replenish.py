"""Filling what a source did not say this time from what it said before: an endpoint that is closed today erases nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from backend.ingestion.matcher import align
from backend.models.ingestion_models import AlbumRecord, TrackRecord

R = TypeVar("R", AlbumRecord, TrackRecord)


def replenish(fresh: AlbumRecord, before: AlbumRecord) -> AlbumRecord:
    """The fresh record, with the values that it leaves unknown taken from an earlier one of the same source and album.

    A source that calls the album by another id now speaks of another album: then nothing is taken.
    """
    if any(fresh.ids[name] != before.ids[name] for name in fresh.ids.keys() & before.ids.keys()):
        return fresh
    partners = align(fresh.tracks, before.tracks)
    earlier = {ours: before.tracks[theirs] for theirs, ours in partners.items()}
    tracks = tuple(_fill_track(t, earlier[i]) if i in earlier else t for i, t in enumerate(fresh.tracks))
    if not any(t.title for t in fresh.tracks):
        # Not a list of the album's tracks but figures of some of them: those not spoken of today have theirs still.
        tracks += tuple(t for i, t in enumerate(before.tracks) if i not in partners and not t.title)
    return replace(_fill(fresh, before), tracks=tracks or before.tracks)


def _fill(fresh: R, before: R) -> R:
    missing: Mapping[str, Any] = {
        f.name: getattr(before, f.name) for f in fields(fresh) if getattr(fresh, f.name) in (None, (), {}, "")
    }
    return replace(fresh, **missing)


def _fill_track(fresh: TrackRecord, before: TrackRecord) -> TrackRecord:
    filled = _fill(fresh, before)
    # One by one: an endpoint that gives some of the features may be closed while another one is open.
    return replace(
        filled,
        audio_features=before.audio_features | filled.audio_features,
        raw_features=before.raw_features | filled.raw_features,
    )
