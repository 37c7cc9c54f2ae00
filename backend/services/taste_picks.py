"""Personal recommendations: which tracks stand for a taste, what was heard already, and how a pick is shown."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from backend.models.tastes import KnownTrack
from backend.services.taste_engine import Near
from backend.services.taste_reading import Reading

_SEEDS: Final = 48
_PER_ARTIST: Final = 3


def weights_of(reading: Reading) -> tuple[list[float], dict[str, float]]:
    """Per track what it counts, and by id how often just this track was played; costs time."""
    taste = reading.taste()
    plays = zip(reading.tracks, taste.heard.tolist(), strict=True)
    return taste.track_weights.tolist(), {track.id: n for track, n in plays if n}


def seeds_of(tracks: Sequence[KnownTrack], weights: Sequence[float]) -> dict[str, float]:
    """The tracks that stand for a taste, those that count most, at most three of an artist.

    Each with ln(1 + plays): a track that was played ten times as often does not count ten times as much.
    """
    order = sorted(range(len(tracks)), key=lambda i: (-weights[i], -(tracks[i].popularity or 0), tracks[i].id))
    found: dict[str, float] = {}
    of_artist: Counter[str] = Counter()
    recordings: set[str] = set()
    for i in order:
        track = tracks[i]
        if weights[i] <= 0 or len(found) >= _SEEDS:
            break
        if of_artist[track.artist_key] < _PER_ARTIST and track.recording not in recordings:
            recordings.add(track.recording)
            of_artist[track.artist_key] += 1
            found[track.id] = math.log1p(weights[i])
    return found


def heard_of(reading: Reading, plays: Mapping[str, float]) -> frozenset[str]:
    """The ids of the catalogue's tracks that were heard, with all other appearances of these recordings."""
    keys = {track.track_key for track in reading.heard.tracks}
    recordings = {track.recording for track in reading.tracks if track.id in plays}
    return frozenset(t.id for t in reading.tracks if t.recording in recordings or (t.track_key and t.track_key in keys))


def shown(near: Near, seed: KnownTrack, *, plays: float, heard: bool) -> dict[str, Any]:
    """A pick as it is answered.

    Args:
        near: the pick.
        seed: the track that adds most to its score.
        plays: how often just that track was played; 0: it stands for its artist.
        heard: whether the pick was heard.
    """
    number = round(plays)
    times = f"played {number:,} times" if number > 1 else "played once" if number else "by an artist you play"
    return {
        **near.card,
        "score": near.score,
        "contributions": near.contributions,
        "because": {"id": seed.id, "title": seed.title, "artist": seed.artist, "plays": number},
        "reasons": [f"because of {seed.title} by {seed.artist}, {times}", *near.reasons],
        "heard": heard,
    }
