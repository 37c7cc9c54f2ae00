"""Tidying what sources say: tags into genres and moods, values into their ranges, or away."""

from __future__ import annotations

import calendar
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from backend.ingestion.vocabulary import Kind, Word, tell
from backend.models.ingestion_models import Level, Tag
from backend.utils.text import fold_name, squeeze

_LEVELS: Final[Mapping[Level, float]] = {"track": 1.0, "album": 0.6, "artist": 0.35}
_UNIT: Final = ("acousticness", "danceability", "energy", "instrumentalness", "liveness", "speechiness", "valence")
_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    **dict.fromkeys(_UNIT, (0.0, 1.0)),
    "loudness": (-80.0, 10.0),  # dB
    "tempo": (1.0, 400.0),  # BPM; 0 means: not found
    "key": (-1.0, 11.0),  # -1 means: looked for and not found
    "mode": (0.0, 1.0),
    "time_signature": (1.0, 15.0),  # beats a bar; 0 means: not found
}
_DATE: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_ISRC: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")  # ISO 3901, without hyphens
_BARCODE: Final = re.compile(r"[0-9]{8,14}")
_WHOLE: Final = frozenset({"key", "mode", "time_signature"})
_LONGEST_TEXT: Final = 1_000
_LONGEST_TRACK_MS: Final = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class SortedTags:
    """Tags told apart: canonical genres and moods by falling weight, and how many tags were unknown."""

    genres: tuple[str, ...]
    moods: tuple[str, ...]
    unknown: int = 0


def sort_tags(
    tags: Iterable[tuple[Tag, float]], *, artist: str, album: str, max_genres: int, max_moods: int
) -> SortedTags:
    """Tell genres from moods, drop junk, add up the weights of all sources and levels, and cut.

    Args:
        tags: each with the weight of its source; what is said of a track counts more than what is said of its artist.
        artist: names that are no genre of his own music.
        album: likewise.
        max_genres: the most genres kept.
        max_moods: the most moods kept.
    """
    own = {fold_name(artist), fold_name(album)}
    weights: dict[Kind, dict[str, list[float]]] = {Kind.GENRE: defaultdict(list), Kind.MOOD: defaultdict(list)}
    unknown = 0
    for tag, trust in tags:
        word = tell(tag.name)
        weight = tag.weight * trust * _LEVELS[tag.level]
        if word.kind is Kind.UNKNOWN:
            unknown += 1
        elif word.kind is not Kind.JUNK and math.isfinite(weight) and fold_name(tag.name) not in own:
            weights[word.kind][word.name].append(weight)
    return SortedTags(_best(weights[Kind.GENRE], max_genres), _best(weights[Kind.MOOD], max_moods), unknown)


def condense(tags: Iterable[tuple[Tag, float]]) -> list[tuple[Tag, float]]:
    """Fewer tags that weigh the same: one per genre and mood, for sorting the same tags with many others."""
    weights: dict[Word, list[float]] = defaultdict(list)
    for tag, trust in tags:
        word = tell(tag.name)
        if word.kind in (Kind.GENRE, Kind.MOOD):
            weights[word].append(tag.weight * trust * _LEVELS[tag.level])
    return [(Tag(name=w.name, weight=math.fsum(parts), level="track"), 1.0) for w, parts in weights.items()]


def _best(weights: Mapping[str, Sequence[float]], most: int) -> tuple[str, ...]:
    # fsum and rounding: the order in which sources are added up cannot tip a tie.
    total = {name: round(math.fsum(parts), 9) for name, parts in weights.items()}
    return tuple(sorted(total, key=lambda name: (-total[name], name))[:most])


def tidy_text(text: str | None) -> str | None:
    """White space squeezed, control characters gone, of bounded length; None when nothing is left."""
    if text is None:
        return None
    return squeeze(text.encode("utf-8", "ignore").decode())[:_LONGEST_TEXT].strip() or None


def tidy_names(names: Iterable[str]) -> str | None:
    """The names of a credit in one text, or None when there is none."""
    return ", ".join(name for name in map(tidy_text, names) if name) or None


def tidy_date(text: str | None) -> str | None:
    """An ISO date of day, month or year precision; None for impossible ones ("0000", "2021-02-30" keeps 2021-02)."""
    match = _DATE.fullmatch(text.strip()) if text else None
    if match is None:
        return None
    year, month, day = (int(part) if part else 0 for part in match.groups())
    if not 1000 <= year <= 2200:
        return None
    if not 1 <= month <= 12:
        return f"{year:04d}"
    if not 1 <= day <= calendar.monthrange(year, month)[1]:
        return f"{year:04d}-{month:02d}"
    return f"{year:04d}-{month:02d}-{day:02d}"


def tidy_features(features: Mapping[str, object] | None) -> dict[str, float]:
    """The known audio features that are numbers within their range, by name.

    >>> tidy_features({"tempo": 0, "key": -1, "energy": float("nan"), "valence": 1, "mood": 0.5})
    {'key': -1.0, 'valence': 1.0}
    """
    if not features:
        return {}
    found = {}
    for name, (low, high) in sorted(_RANGES.items()):
        number = _number(features.get(name), low, high)
        if number is not None and (name not in _WHOLE or number.is_integer()):
            found[name] = number
    return found


def _number(value: object, low: float, high: float) -> float | None:
    """A number in a range; compared before it is converted, since JSON may hold integers no float can."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        return None
    return float(value) + 0.0  # -0.0 becomes 0.0


def tidy_share(value: object) -> float | None:
    """A score of 0 to 100, or None."""
    return _number(value, 0, 100)


def tidy_popularity(value: object) -> int | None:
    """A popularity of 0 to 100, or None."""
    number = tidy_share(value)
    return None if number is None else round(number)


def tidy_count(value: object) -> int | None:
    """A count that PostgreSQL's INTEGER holds, or None."""
    number = _number(value, 0, 2_147_483_647)
    return None if number is None else int(number)


def tidy_duration(value: object) -> int | None:
    """A duration of 1 ms to a day, or None (0 means unknown)."""
    number = tidy_count(value)
    return number if number is not None and 0 < number <= _LONGEST_TRACK_MS else None


def tidy_isrc(text: str | None) -> str | None:
    """An ISRC in its normal form (capitals, no hyphens), or None.

    >>> tidy_isrc("gb-aye-06-01690"), tidy_isrc("GBAYE06")
    ('GBAYE0601690', None)
    """
    plain = re.sub(r"[\s-]", "", text or "").upper()
    return plain if _ISRC.fullmatch(plain) else None


def tidy_upc(text: str | None) -> str | None:
    """A UPC or EAN in its normal form: digits, padding zeros gone but for twelve digits; None when it is neither.

    The check digit is not asked for: labels ship wrong ones, and the number identifies all the same.

    >>> tidy_upc("0 602445-790128"), tidy_upc("00602445790128"), tidy_upc("0000")
    ('602445790128', '602445790128', None)
    """
    plain = re.sub(r"[\s-]", "", text or "")
    if not _BARCODE.fullmatch(plain) or not plain.strip("0"):
        return None
    return plain.lstrip("0").zfill(12 if len(plain) > 8 else 8)
