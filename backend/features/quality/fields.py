"""What the fields of a track are: their units, and which values are possible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Quantity:
    """A field that is a number.

    Attributes:
        unit: as it is written behind a value.
        least: smaller values are wrong; None where there is no bound.
        most: greater ones are wrong.
        skewed: spans orders of magnitude, so that its histogram has a logarithmic axis.
    """

    unit: str = ""
    least: float | None = None
    most: float | None = None
    skewed: bool = False


_SHARE: Final = Quantity("0–1", 0, 1)
_POINTS: Final = Quantity("points of 100", 0, 100)

NUMBERS: Final[dict[str, Quantity]] = {
    # Shorter than five seconds or longer than three hours is nearly always another unit or another thing than a track.
    "duration_ms": Quantity("ms", 5_000, 10_800_000),
    # Recorded sound begins in 1860; a release may be announced for the years to come.
    "release_year": Quantity("year", 1860, 2100),
    "popularity": _POINTS, "aoty_score": _POINTS, "aoty_critic_score": _POINTS, "rating": _POINTS,
    "listeners": Quantity("people", 0, None, skewed=True),
    "track_number": Quantity("", 1, 1_000), "disc_number": Quantity("", 1, 200),
    "acousticness": _SHARE, "danceability": _SHARE, "energy": _SHARE, "instrumentalness": _SHARE, "liveness": _SHARE,
    "speechiness": _SHARE, "valence": _SHARE,
    "loudness": Quantity("dB", -60, 10), "tempo": Quantity("BPM", 20, 300),
    "key": Quantity("pitch class", -1, 11), "mode": Quantity("0 or 1", 0, 1), "time_signature": Quantity("beats a bar", 1, 12),
    "mood_valence": Quantity(""), "mood_arousal": Quantity(""),
}  # fmt: skip
TAGS: Final = ("genres", "moods")
KEYS: Final = ("id", "isrc", "recording_mbid", "spotify_id")
"""Values that mean one track or one recording each."""
UNCOUNTED: Final = frozenset({"provenance", "estimates", "synthetic", "tag_weights"})
"""Columns that tell of other columns."""

PROVENANCE_OF: Final = {
    "release_year": "release_date", "album_id": "title", "disc_number": "title", "recording_id": "title",
    "mood_valence": "moods", "mood_arousal": "moods",
}  # fmt: skip
"""Under which name a computed column stands in `provenance`."""


def figure(value: float) -> float:
    """Six significant digits: what machines add up differently is gone, what people read is there.

    >>> figure(0.1 + 0.2)
    0.3
    """
    return float(f"{value:.6g}")
