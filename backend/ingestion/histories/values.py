"""Values of exports' rows: names, times, lengths, identifiers. One that cannot be read costs its row and is told."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from backend.utils.text import squeeze

MAX_NAME: Final = 500
_EARLIEST: Final = 86_400  # a clock that was never set says 1 January 1970
_LATEST: Final = 253_402_300_799  # the end of the year 9999
_MILLISECONDS: Final = (
    100_000_000_000  # epochs from here on are in milliseconds: as seconds they are after the year 5138
)
_LONGEST_MS: Final = 2**31 - 1  # what an INTEGER holds: 24 days
_DAY: Final = re.compile(r"(\d{1,2}) ([A-Z][a-z]{2})[a-z]* (\d{4}),? (\d{1,2}):(\d{2})(?::(\d{2}))?")
_MONTHS: Final = {
    m: i for i, m in enumerate(["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1)
}
_MBID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SPOTIFY_TRACK: Final = re.compile(
    r"(?:spotify:track:|open\.spotify\.com/(?:intl-[a-z]+/)?track/)([0-9A-Za-z]{22})(?![0-9A-Za-z])"
)
_ISRC: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{3}\d{7}")


class RowError(ValueError):
    """A row cannot be read; the message says what is wrong with it."""


def name_of(value: object, *, what: str) -> str:
    """A name, tidied; "" when there is none.

    Raises:
        RowError: it is no text, or too long.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RowError(f"{what} is no text")
    # Half a character (a lone surrogate) cannot be stored.
    tidy = squeeze(value.encode("utf-8", "replace").decode())
    if len(tidy) > MAX_NAME:
        raise RowError(f"{what} has {len(tidy):,} characters; {MAX_NAME} are the most")
    return tidy


def instant(value: object) -> datetime | None:
    """A time: seconds or milliseconds since 1970, ISO 8601, or "20 May 2021, 17:57"; without a zone it is UTC.

    Returns:
        The time in UTC; None when none is said, or the clock was never set.

    Raises:
        RowError: it is none of these.

    >>> instant("2021-05-20T19:57:00+02:00") == instant("20 May 2021, 17:57") == instant(1621533420)
    True
    """
    if value is None or value == "" or isinstance(value, bool):
        return None
    shown = str(value).strip()[:50]
    try:
        if isinstance(value, int | float) or shown.lstrip("-").isdecimal():
            seconds = float(shown)
            return _of_epoch(seconds / 1000 if seconds >= _MILLISECONDS else seconds)
        found = _in_words(shown) or datetime.fromisoformat(shown)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise RowError(f"{shown!r} is no date") from None
    return found if found.timestamp() >= _EARLIEST else None


def _of_epoch(seconds: float) -> datetime | None:
    if seconds < _EARLIEST:
        return None
    if not seconds <= _LATEST:
        raise ValueError
    return datetime.fromtimestamp(seconds, UTC)


def _in_words(text: str) -> datetime | None:
    # Not strptime: the names of its months depend on where the server stands.
    found = _DAY.fullmatch(text)
    if found is None or found[2] not in _MONTHS:
        return None
    hour, minute, second = (int(part or 0) for part in found.groups()[3:])
    return datetime(int(found[3]), _MONTHS[found[2]], int(found[1]), hour, minute, second, tzinfo=UTC)


def milliseconds(value: object) -> int | None:
    """How long something was played.

    Raises:
        RowError: it is no number of milliseconds that can be.
    """
    if value is None or value == "":
        return None
    try:
        found = int(value)  # type: ignore[call-overload]  # what it takes, and what not, is found out by trying
    except (TypeError, ValueError, OverflowError):
        raise RowError(f"the time played, {str(value)[:50]!r}, is no number of milliseconds") from None
    if not 0 <= found <= _LONGEST_MS:
        raise RowError(f"the time played, {found:,} ms, cannot be")
    return int(found)


def spotify_track(value: object) -> str | None:
    """The id in a Spotify URI or address of a track; None for local files and anything else."""
    found = _SPOTIFY_TRACK.search(value) if isinstance(value, str) else None
    return found[1] if found else None


def mbid(value: object) -> str | None:
    """A MusicBrainz id, or None."""
    text = value.strip().lower() if isinstance(value, str) else ""
    return text if _MBID.fullmatch(text) else None


def isrc(value: object) -> str | None:
    """An ISRC without hyphens, or None; of several the first."""
    one = value[0] if isinstance(value, list) and value else value
    text = one.replace("-", "").strip().upper() if isinstance(one, str) else ""
    return text if _ISRC.fullmatch(text) else None
