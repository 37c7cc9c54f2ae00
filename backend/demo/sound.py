"""What genres and moods sound like, roughly: where made-up audio features lie."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from backend.utils.text import fold

MEASURES: Final = (
    "acousticness", "danceability", "energy", "instrumentalness", "liveness", "loudness",
    "speechiness", "tempo", "valence",
)  # fmt: skip
"""The continuous features in the order of a centre's values; loudness in dB, tempo in BPM, the others 0..1."""

Centre = tuple[float, ...]
"""One value for each of MEASURES."""

# Our own estimates of a typical track of the genre, by ear: nothing here was taken from a service.
CENTRES: Final[dict[str, Centre]] = {
    "afrobeat": (0.20, 0.74, 0.72, 0.35, 0.17, -8.0, 0.09, 118, 0.78),
    "afrobeats": (0.25, 0.74, 0.62, 0.01, 0.15, -7.0, 0.10, 105, 0.62),
    "afropop": (0.40, 0.70, 0.60, 0.03, 0.16, -8.0, 0.08, 110, 0.68),
    "ambient": (0.80, 0.25, 0.18, 0.85, 0.11, -20.0, 0.04, 92, 0.12),
    "black metal": (0.02, 0.24, 0.93, 0.50, 0.20, -7.0, 0.07, 132, 0.20),
    "blues": (0.55, 0.52, 0.45, 0.08, 0.20, -11.0, 0.05, 114, 0.52),
    "bossa nova": (0.80, 0.60, 0.28, 0.10, 0.13, -14.0, 0.05, 124, 0.60),
    "classical": (0.95, 0.25, 0.12, 0.85, 0.10, -23.0, 0.04, 92, 0.16),
    "country": (0.45, 0.58, 0.52, 0.01, 0.16, -9.0, 0.04, 120, 0.52),
    "dance pop": (0.06, 0.74, 0.78, 0.01, 0.16, -5.0, 0.07, 120, 0.62),
    "disco": (0.12, 0.76, 0.76, 0.06, 0.16, -8.5, 0.05, 118, 0.80),
    "dream pop": (0.25, 0.42, 0.55, 0.35, 0.14, -9.0, 0.04, 116, 0.32),
    "dubstep": (0.10, 0.62, 0.68, 0.45, 0.16, -8.0, 0.08, 139, 0.30),
    "electronic": (0.12, 0.64, 0.66, 0.55, 0.14, -9.0, 0.06, 122, 0.42),
    "folk": (0.78, 0.48, 0.28, 0.05, 0.13, -13.5, 0.04, 114, 0.38),
    "funk": (0.20, 0.74, 0.70, 0.12, 0.15, -9.5, 0.08, 108, 0.78),
    "garage": (0.12, 0.64, 0.62, 0.40, 0.16, -9.5, 0.07, 132, 0.36),
    "grunge": (0.03, 0.45, 0.84, 0.05, 0.18, -7.0, 0.05, 122, 0.42),
    "hip hop": (0.15, 0.72, 0.66, 0.01, 0.25, -7.0, 0.25, 95, 0.50),
    "house": (0.04, 0.78, 0.78, 0.50, 0.14, -7.5, 0.06, 124, 0.56),
    "indie": (0.28, 0.54, 0.64, 0.06, 0.15, -7.5, 0.05, 122, 0.48),
    "jazz": (0.75, 0.50, 0.32, 0.40, 0.15, -14.0, 0.05, 114, 0.45),
    "jazz funk": (0.32, 0.66, 0.60, 0.55, 0.14, -12.0, 0.06, 106, 0.66),
    "jazz fusion": (0.40, 0.48, 0.58, 0.65, 0.16, -12.5, 0.06, 118, 0.46),
    "latin": (0.35, 0.68, 0.70, 0.02, 0.17, -6.5, 0.08, 112, 0.68),
    "metal": (0.01, 0.38, 0.94, 0.15, 0.22, -6.0, 0.08, 130, 0.32),
    "minimalism": (0.88, 0.28, 0.25, 0.88, 0.11, -18.0, 0.04, 112, 0.22),
    "new wave": (0.10, 0.64, 0.74, 0.06, 0.17, -9.0, 0.05, 126, 0.68),
    "pop": (0.22, 0.66, 0.66, 0.01, 0.16, -6.5, 0.06, 118, 0.56),
    "post punk": (0.06, 0.52, 0.72, 0.14, 0.15, -9.5, 0.05, 136, 0.46),
    "post rock": (0.25, 0.30, 0.50, 0.72, 0.13, -11.0, 0.04, 116, 0.18),
    "progressive rock": (0.20, 0.36, 0.56, 0.30, 0.18, -11.0, 0.05, 122, 0.36),
    "psychedelic": (0.26, 0.44, 0.60, 0.18, 0.18, -9.5, 0.05, 120, 0.46),
    "punk": (0.02, 0.45, 0.92, 0.03, 0.24, -6.0, 0.08, 158, 0.62),
    "reggae": (0.22, 0.76, 0.50, 0.05, 0.14, -9.5, 0.12, 126, 0.76),
    "reggaeton": (0.18, 0.76, 0.72, 0.00, 0.15, -5.5, 0.12, 100, 0.64),
    "r and b": (0.32, 0.64, 0.52, 0.03, 0.15, -8.5, 0.09, 104, 0.48),
    "rock": (0.15, 0.48, 0.72, 0.08, 0.19, -8.5, 0.05, 124, 0.50),
    "salsa": (0.50, 0.66, 0.74, 0.02, 0.18, -7.5, 0.06, 104, 0.84),
    "shoegaze": (0.05, 0.30, 0.78, 0.52, 0.15, -7.5, 0.05, 118, 0.30),
    "singer songwriter": (0.66, 0.50, 0.36, 0.02, 0.13, -11.5, 0.04, 116, 0.40),
    "son cubano": (0.74, 0.60, 0.48, 0.06, 0.16, -10.0, 0.05, 108, 0.74),
    "soul": (0.46, 0.60, 0.50, 0.03, 0.18, -10.0, 0.05, 106, 0.60),
    "swing": (0.90, 0.54, 0.24, 0.06, 0.16, -14.0, 0.05, 112, 0.50),
    "synthpop": (0.10, 0.66, 0.70, 0.10, 0.15, -8.0, 0.05, 120, 0.54),
    "techno": (0.06, 0.70, 0.70, 0.78, 0.12, -10.0, 0.06, 128, 0.28),
    "trip hop": (0.28, 0.58, 0.48, 0.30, 0.13, -10.5, 0.07, 96, 0.32),
    "world": (0.58, 0.58, 0.48, 0.12, 0.17, -10.0, 0.06, 112, 0.58),
}

# By how much a mood moves energy and valence, and the loudness in dB.
_MOODS: Final[dict[str, tuple[float, float, float]]] = {
    "aggressive": (0.10, -0.10, 1.0),
    "angry": (0.08, -0.10, 0.8),
    "calm": (-0.14, -0.04, -2.0),
    "dark": (0.0, -0.12, 0.0),
    "dreamy": (-0.06, -0.04, -0.6),
    "energetic": (0.10, 0.06, 0.8),
    "groovy": (0.03, 0.08, 0.0),
    "introspective": (-0.06, -0.06, -0.6),
    "meditative": (-0.14, -0.04, -2.0),
    "melancholic": (-0.06, -0.14, -0.5),
    "mellow": (-0.08, 0.02, -1.0),
    "party": (0.08, 0.12, 0.8),
    "playful": (0.03, 0.12, 0.0),
    "relaxing": (-0.10, 0.04, -1.0),
    "uplifting": (0.04, 0.12, 0.2),
    "warm": (-0.02, 0.08, -0.2),
}
_NEUTRAL: Final[Centre] = (0.35, 0.55, 0.58, 0.12, 0.17, -9.0, 0.06, 118, 0.50)


def centre(tags: Sequence[str]) -> Centre:
    """Where music with these genres and moods lies: earlier genres count more, moods shift; unknown words do nothing.

    Returns:
        One value for each of MEASURES.
    """
    known = [c for c in map(_genre, tags) if c is not None] or [_NEUTRAL]
    weights = [1.0 / (place + 1) for place in range(len(known))]
    mean = [sum(w * c[i] for w, c in zip(weights, known, strict=True)) / sum(weights) for i in range(len(MEASURES))]
    for energy, valence, loudness in (_MOODS[t] for t in tags if t in _MOODS):
        mean[2] += energy
        mean[8] += valence
        mean[5] += loudness
    return tuple(mean)


@cache
def _genre(tag: str) -> Centre | None:
    """The centre of a genre: its own, else that of the longest genre whose words its name contains."""
    name = f" {fold(tag)} "
    inside = [key for key in CENTRES if f" {key} " in name]
    return CENTRES[max(inside, key=len)] if inside else None
