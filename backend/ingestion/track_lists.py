"""What two albums' track lists say of each other: titles laid together, and durations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from backend.ingestion.alignment import align
from backend.models.ingestion_models import TrackRecord
from backend.utils.text import fold_name

_SAME_SECONDS: Final = 5.0  # of one recording between services, on an album seen as a whole
_FEWEST: Final = 4  # tracks that say something of a whole album
_FEWEST_IN_STEP: Final = 5  # durations in a row that don't agree by chance
_IN_STEP: Final = 0.85  # of the tracks …
_IN_STEP_SECONDS: Final = 2.0  # … that differ no more than this
MOST_ALIGNED: Final = 0.75
"""The share of the shorter list that has partners in the longer one when they are of one album."""


@dataclass(frozen=True, slots=True)
class Lists:
    """Two track lists laid onto each other; shares are 0..1, None where nothing can be said."""

    aligned: float | None  # of the shorter list
    close: float | None  # of those aligned whose durations are known

    @property
    def agree(self) -> bool:
        """Whether they are of one album, whatever its names say."""
        return (self.aligned or 0.0) >= 0.8 and (self.close or 0.0) >= 0.8


def lay_together(one: Sequence[TrackRecord], other: Sequence[TrackRecord]) -> Lists:
    """What two track lists say of each other; nothing when one is too short."""
    shorter = min(len(one), len(other))
    if shorter < _FEWEST:
        return Lists(None, None)
    pairs = align(one, other)
    apart = [s for j, i in pairs.items() if (s := _seconds(one[i], other[j])) is not None]
    close = sum(s <= _SAME_SECONDS for s in apart) / len(apart) if len(apart) >= _FEWEST else None
    aligned = len(pairs) / shorter
    if aligned >= MOST_ALIGNED:
        return Lists(aligned, close)
    # Titles in two scripts say nothing against each other; in two languages, as long as the seconds do not speak for them.
    two_scripts = _is_latin(one) != _is_latin(other)
    if _in_step(one, other, fewest=_FEWEST_IN_STEP if two_scripts else 2 * _FEWEST):
        return Lists(1.0, 1.0)
    return Lists(None if two_scripts else aligned, close)


def _in_step(one: Sequence[TrackRecord], other: Sequence[TrackRecord], *, fewest: int) -> bool:
    """Whether two lists of one length run alike second by second, which never happens by chance."""
    if len(one) != len(other) or len(one) < fewest or len({t.duration_ms for t in one}) < fewest:
        return False
    apart = [_seconds(a, b) for a, b in zip(_sorted(one), _sorted(other), strict=True)]
    return sum(s is not None and s <= _IN_STEP_SECONDS for s in apart) >= _IN_STEP * len(apart)


def _sorted(tracks: Sequence[TrackRecord]) -> list[TrackRecord]:
    return sorted(tracks, key=lambda t: (t.disc_number, t.track_number or 0))


def _seconds(one: TrackRecord, other: TrackRecord) -> float | None:
    if not one.duration_ms or not other.duration_ms:
        return None
    return abs(one.duration_ms - other.duration_ms) / 1000


def _is_latin(tracks: Sequence[TrackRecord]) -> bool:
    return sum(fold_name(t.title).isascii() for t in tracks) * 2 > len(tracks)
