"""Tidying what sources say: values into their ranges, or away."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping
from typing import Final

from backend.utils.text import squeeze

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
