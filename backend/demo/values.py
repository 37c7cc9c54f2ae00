"""Made-up audio features, popularity and scores for an album, the same on every machine.

They depend on the names, tags and year alone: similar genres lie near each other, tracks of one album nearer still.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from backend.demo.sound import MEASURES, Centre, centre
from backend.models.ingestion_models import AlbumRecord, TrackRecord

# How far albums of one genre lie apart, and tracks of one album: half the width, per measure.
_ALBUM_SPREAD: Final[Centre] = (0.12, 0.08, 0.10, 0.10, 0.03, 2.0, 0.02, 8.0, 0.10)
_TRACK_SPREAD: Final[Centre] = (0.20, 0.14, 0.20, 0.16, 0.12, 3.0, 0.03, 34.0, 0.24)
_DRAWS: Final = 32  # uniforms of one name: two for each measure and the few others


def make_up(album: AlbumRecord) -> AlbumRecord:
    """Values for an album and its tracks; of what is known only the names and numbers are repeated.

    Returns:
        A record with audio features (all twelve) and popularity per track, popularity, scores and counts of the album.
    """
    draw = _draws(album.artist, album.title)
    middle = centre([t.name for t in album.tags])
    middle = tuple(m + s * _bell(draw, 2 * i) for i, (m, s) in enumerate(zip(middle, _ALBUM_SPREAD, strict=True)))
    age = max(0, 2024 - int((album.release_date or "1990")[:4]))
    popularity = round(_between(82 - age / 4 + 14 * _bell(draw, 18), low=20, high=97))
    quality = 84 + 11 * _bell(draw, 20)
    return AlbumRecord(
        title=album.title,
        artist=album.artist,
        popularity=popularity,
        critic_score=float(round(_between(quality + 8 * _bell(draw, 22), low=55, high=98))),
        critic_count=4 + int(draw(24) * max(6, 44 - age)),
        user_score=float(round(_between(quality + 4 * _bell(draw, 26), low=55, high=97))),
        user_count=400 + int(draw(28) * draw(29) * 45_000),
        tracks=tuple(_track(album, t, middle=middle, popularity=popularity) for t in album.tracks),
    )


def _track(album: AlbumRecord, track: TrackRecord, *, middle: Centre, popularity: int) -> TrackRecord:
    draw = _draws(album.artist, album.title, track.title, f"{track.disc_number}-{track.track_number}")
    loss = 2 * min(track.track_number or 1, 10) * draw(30)
    return replace(
        track,
        duration_ms=None,
        popularity=round(_between(popularity - loss + 8 * _bell(draw, 18), low=1, high=99)),
        audio_features=_features(draw, middle=middle),
    )


def _features(draw: Callable[[int], float], *, middle: Centre) -> dict[str, float]:
    features: dict[str, float] = {}
    for i, (name, mean, spread) in enumerate(zip(MEASURES, middle, _TRACK_SPREAD, strict=True)):
        low, high, digits = {"loudness": (-38.0, -2.0, 2), "tempo": (52.0, 208.0, 2)}.get(name, (0.0, 0.99, 3))
        features[name] = round(_between(mean + spread * _bell(draw, 2 * i), low=low, high=high), digits)
    # Major keys are the brighter ones, more often than not; a waltz now and then.
    features["mode"] = float(draw(20) < 0.35 + 0.5 * features["valence"])
    features["key"] = float(int(draw(21) * 12))
    features["time_signature"] = 4.0 if draw(22) < 0.9 else 3.0
    return features


def _draws(*names: str) -> Callable[[int], float]:
    """Independent uniforms in 0..1 that depend on the names alone."""
    text = "\x1f".join(names).encode()
    raw = b"".join(hashlib.blake2b(text, digest_size=64, salt=bytes([part])).digest() for part in (1, 2))
    return tuple(value / 2**32 for value in struct.unpack(f"<{_DRAWS}I", raw)).__getitem__


def _bell(draw: Callable[[int], float], at: int) -> float:
    """A value in -1..1, mostly near 0, out of the uniforms `at` and `at + 1`."""
    return draw(at) + draw(at + 1) - 1.0


def _between(value: float, *, low: float, high: float) -> float:
    return min(high, max(low, value))
