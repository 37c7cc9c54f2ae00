"""The figures of made-up artists, albums and tracks, drawn a block at a time as arrays.

Only uniforms of PCG64 and exact arithmetic (+, *, comparing, rounding) are used: NumPy promises the stream of the
former, IEEE 754 the latter; `log`, `exp` and sums in vector order differ between machines.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from backend.demo.sound import MEASURES, centre

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ARTISTS_AT_ONCE: Final = 256  # about 900 albums or 9,000 tracks: bounds the memory
_FIRST_YEAR, _LAST_YEAR = 1956, 2024


@dataclass(frozen=True, slots=True)
class Family:
    """A genre, its kinds, its share of the artists, of explicit tracks, and how long its tracks are (seconds)."""

    genre: str
    kinds: tuple[str, ...]
    share: float
    explicit: float
    seconds: float
    moods: tuple[str, ...]


FAMILIES: Final = (
    Family("rock", ("alternative rock", "indie rock", "hard rock", "psychedelic rock", "post-punk"), 0.21, 0.05, 235,
            ("energetic", "melancholic", "rebellious", "raw")),
    Family("pop", ("synthpop", "dance pop", "indie pop", "art pop"), 0.19, 0.06, 215,
            ("uplifting", "romantic", "energetic", "bittersweet")),
    Family("hip hop", ("conscious hip hop", "boom bap", "jazz rap", "trap"), 0.14, 0.62, 205,
            ("aggressive", "dark", "introspective", "energetic")),
    Family("electronic", ("house", "techno", "ambient", "trip hop"), 0.13, 0.02, 290,
            ("hypnotic", "atmospheric", "dreamy", "energetic")),
    Family("metal", ("heavy metal", "thrash metal", "black metal", "doom metal"), 0.08, 0.10, 300,
            ("aggressive", "dark", "intense", "epic")),
    Family("folk", ("indie folk", "singer-songwriter", "folk rock"), 0.06, 0.02, 220,
            ("calm", "melancholic", "introspective", "warm")),
    Family("jazz", ("cool jazz", "jazz fusion", "spiritual jazz"), 0.05, 0.0, 370,
            ("mellow", "calm", "warm", "playful")),
    Family("soul", ("neo soul", "funk", "r&b"), 0.05, 0.08, 240,
            ("romantic", "sensual", "warm", "uplifting")),
    Family("latin", ("salsa", "reggaeton", "latin pop"), 0.04, 0.14, 210,
            ("party", "energetic", "passionate", "romantic")),
    Family("country", ("country pop", "country rock"), 0.03, 0.02, 205,
            ("warm", "nostalgic", "uplifting", "bittersweet")),
    Family("reggae", ("roots reggae", "dub"), 0.01, 0.03, 245, ("relaxing", "warm", "uplifting", "spiritual")),
    Family("classical", ("contemporary classical", "minimalism"), 0.01, 0.0, 330,
            ("calm", "melancholic", "atmospheric", "introspective")),
)  # fmt: skip
KINDS: Final = tuple((f, kind) for f, family in enumerate(FAMILIES) for kind in family.kinds)
_KIND_STARTS: Final = np.cumsum([0, *(len(f.kinds) for f in FAMILIES)])[:-1]
_KIND_COUNTS: Final = np.array([len(f.kinds) for f in FAMILIES])
_SHARES: Final = np.array([sum(f.share for f in FAMILIES[: i + 1]) for i in range(len(FAMILIES) - 1)])
_EXPLICIT: Final = np.array([f.explicit for f in FAMILIES])
_SECONDS: Final = np.array([f.seconds for f in FAMILIES])

# Half widths of the noise of artist, album and track, and the change in fifty years, per measure.
_ARTIST_SPREAD: Final = np.array((0.20, 0.12, 0.18, 0.18, 0.05, 3.0, 0.04, 12.0, 0.16))
_ALBUM_SPREAD: Final = np.array((0.12, 0.08, 0.10, 0.10, 0.03, 2.0, 0.02, 8.0, 0.10))
_TRACK_SPREAD: Final = np.array((0.30, 0.20, 0.26, 0.24, 0.16, 4.0, 0.06, 48.0, 0.36))
_TREND: Final = np.array((-0.15, 0.05, 0.10, -0.02, 0.0, 4.5, 0.02, 2.0, -0.12))
_LOW: Final = np.array((0.0, 0.0, 0.0, 0.0, 0.01, -45.0, 0.02, 45.0, 0.0))
_HIGH: Final = np.array((0.996, 0.99, 1.0, 0.99, 0.99, 0.0, 0.96, 215.0, 0.99))


class Draw:
    """Draws of one block."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator

    def flat(self, *shape: int) -> Floats:
        """Uniform in 0..1."""
        return self._generator.random(shape)

    def bell(self, *shape: int) -> Floats:
        """In -1..1, mostly near 0: three uniforms, added one by one."""
        return (self.flat(*shape) + self.flat(*shape) + self.flat(*shape)) * (2 / 3) - 1.0

    def below(self, bound: int | Ints, size: int) -> Ints:
        """Whole numbers from 0 up to `bound`, without it."""
        return (self.flat(size) * bound).astype(np.int64)


def draw_artists(draw: Draw) -> dict[str, Any]:
    """The artists of a block: an array per field."""
    n = ARTISTS_AT_ONCE
    return {
        "family": np.searchsorted(_SHARES, draw.flat(n), side="right"),
        "albums": 1 + draw.below(6, n),
        # The greater of two: more artists of late than long ago.
        "year": _FIRST_YEAR + (np.maximum(draw.flat(n), draw.flat(n)) * (_LAST_YEAR - _FIRST_YEAR)).astype(np.int64),
        "fame": draw.flat(n) * draw.flat(n) * 70,  # few are famous
        "quality": 70 + 22 * draw.bell(n),
        "offset": draw.bell(n, len(MEASURES)) * _ARTIST_SPREAD,
        "titles": draw.flat(n),
    }


def draw_albums(draw: Draw, artists: dict[str, Any]) -> dict[str, Any]:
    """The albums of these artists, artist by artist: an array or list per field."""
    artist = np.repeat(np.arange(ARTISTS_AT_ONCE), artists["albums"])
    n = len(artist)
    order = np.arange(n) - np.repeat(np.cumsum(artists["albums"]) - artists["albums"], artists["albums"])
    family = artists["family"][artist]
    size = draw.flat(n)
    tracks = np.select(
        [size < 0.06, size < 0.16, size < 0.985],
        [1 + draw.below(2, n), 3 + draw.below(4, n), 7 + draw.below(5, n) + draw.below(5, n)],
        default=40,
    )
    year = np.minimum(artists["year"][artist] + 2 * order + draw.below(2, n), _LAST_YEAR)
    quality = artists["quality"][artist] + 9 * draw.bell(n)
    return {
        "artist": artist,
        "order": order,
        "family": family,
        "kind": _KIND_STARTS[family] + draw.below(_KIND_COUNTS[family], n),
        "tracks": tracks,
        "single": size < 0.06,
        "year": year,
        "date": _dates(draw, year),
        "fame": artists["fame"][artist] + (year - _FIRST_YEAR) * 0.25 + 8 * draw.bell(n),
        "offset": artists["offset"][artist] + draw.bell(n, len(MEASURES)) * _ALBUM_SPREAD,
        "critic": _score(draw, quality, missing=0.35),
        "user": _score(draw, quality, missing=0.10),
        "reviews": 3 + draw.below(40, n),
        "votes": 5 + (draw.flat(n) * draw.flat(n) * draw.flat(n) * 40_000).astype(np.int64),
        "silent": draw.flat(n) < 0.04,  # no track has features
        "tagged": draw.flat(n) >= 0.05,
        "moods": draw.below(4, n),
        "mood": draw.below(4, n),
        "label": draw.flat(n),
        "titles": draw.flat(n),
    }


def _dates(draw: Draw, year: Ints) -> list[str]:
    """A day for most, a month or only the year for some."""
    n = len(year)
    known, month, day = draw.flat(n), 1 + draw.below(12, n), 1 + draw.below(28, n)
    return [
        f"{y}-{m:02}-{d:02}" if k < 0.78 else f"{y}-{m:02}" if k < 0.85 else str(y)
        for k, y, m, d in zip(known.tolist(), year.tolist(), month.tolist(), day.tolist(), strict=True)
    ]


def _score(draw: Draw, quality: Floats, *, missing: float) -> list[float | None]:
    n = len(quality)
    scores = np.rint(np.clip(quality + 8 * draw.bell(n), 15, 98)).tolist()
    return [None if gone else s for s, gone in zip(scores, (draw.flat(n) < missing).tolist(), strict=True)]


def draw_tracks(draw: Draw, albums: dict[str, Any]) -> dict[str, Any]:
    """The tracks of these albums, album by album: a list per field; -1 or 0 stand for what is not known."""
    album = np.repeat(np.arange(len(albums["tracks"])), albums["tracks"])
    n = len(album)
    place = np.arange(n) - np.repeat(np.cumsum(albums["tracks"]) - albums["tracks"], albums["tracks"])
    year, family = albums["year"][album], albums["family"][album]
    features = _centres()[albums["kind"][album]] + albums["offset"][album]
    features += draw.bell(n, len(MEASURES)) * _TRACK_SPREAD
    features += ((year - 1990) * 0.02)[:, None] * _TREND
    features = np.clip(features, _LOW, _HIGH)
    seconds = _SECONDS[family] * (1 + 0.55 * draw.bell(n)) - 1.2 * np.maximum(year - 2000, 0)
    seconds *= np.where(draw.flat(n) < 0.03, 0.3, 1.0)  # interludes
    popularity = np.clip(albums["fame"][album] - place * 0.5 + 9 * draw.bell(n), 0, 100)
    explicit = draw.flat(n) < np.where(year > 1985, _EXPLICIT[family], 0.0)
    return {
        "place": place.tolist(),
        "features": np.round(features, 3).tolist(),
        "key": (draw.flat(n) * 12).astype(np.int64).tolist(),
        "mode": (draw.flat(n) < 0.35 + 0.5 * features[:, 8]).tolist(),
        "waltz": (draw.flat(n) < 0.08).tolist(),
        "mute": ((draw.flat(n) < 0.04) | albums["silent"][album]).tolist(),
        "duration": np.where(draw.flat(n) < 0.02, 0, (np.clip(seconds, 20, 2400) * 1000)).astype(np.int64).tolist(),
        "popularity": np.where(draw.flat(n) < 0.03, -1, np.rint(popularity)).astype(np.int64).tolist(),
        "explicit": np.where(draw.flat(n) < 0.05, -1, explicit).astype(np.int64).tolist(),
        "year": year.tolist(),
    }


@cache
def _centres() -> Floats:
    return np.array([centre([kind, FAMILIES[family].genre]) for family, kind in KINDS])
