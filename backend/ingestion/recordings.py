"""Are two tracks the same recording? By identifiers first, else by first artist, title and duration.

A package changes no recording: remaster, mono, explicit or clean, single version are the same as long as the durations agree.
Another performance does (live, acoustic, remix, instrumental, demo, karaoke, re-recorded), and so does another length (radio
edit, extended).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from backend.ingestion.artists import artist_difference
from backend.ingestion.distance import difference
from backend.ingestion.normalizer import tidy_isrc
from backend.ingestion.penalties import alike
from backend.ingestion.titles import take_apart
from backend.models.ingestion_models import TrackRecord

SAME_SECONDS: Final = 3.0
"""By which the durations of one recording differ at most between services: fade-outs and rounding."""
_SAME: Final = 0.5
_BY_NAME_ALONE: Final = 0.8  # a duration is missing
_ANOTHER_LENGTH: Final = 0.3
_OTHER_NAME: Final = 0.4  # of artists or titles, from which on they are others

Reason = Literal["isrc", "mbid", "id", "duration", "names", "artist", "title", "performance", "cut"]


@dataclass(frozen=True, slots=True)
class Sameness:
    """How sure two tracks are one recording (0..1), and what decided: an identifier, or what agrees or differs."""

    score: float
    reason: Reason

    @property
    def same(self) -> bool:
        """Whether they are one recording."""
        return self.score >= _SAME


def same_recording(one: TrackRecord, other: TrackRecord, *, artist: str = "", other_artist: str = "") -> Sameness:
    """Whether two tracks are one recording; another identifier alone says nothing against it.

    Args:
        one: a track.
        other: another.
        artist: of the album of the first, for where the track does not name its own.
        other_artist: of the album of the second.
    """
    if (isrc := tidy_isrc(one.isrc)) and isrc == tidy_isrc(other.isrc):
        return Sameness(1.0, "isrc")
    shared = {service for service, key in one.ids.items() if key and other.ids.get(service) == key}
    if shared:
        return Sameness(1.0, "mbid" if "musicbrainz" in shared else "id")
    return _by_names(one, other, apart=artist_difference(_credit(one, artist), _credit(other, other_artist)))


def _credit(track: TrackRecord, artist: str) -> str:
    return track.artists[0] if track.artists else artist


def _by_names(one: TrackRecord, other: TrackRecord, *, apart: float) -> Sameness:
    if apart > _OTHER_NAME:
        return Sameness(0.0, "artist")
    a, b = take_apart(one.title), take_apart(other.title)
    titles = difference(a.core, b.core)
    if titles > _OTHER_NAME or (a.asides != b.asides and not (a.asides and b.asides and alike(a.asides, b.asides))):
        return Sameness(0.0, "title")
    if a.performances != b.performances:
        return Sameness(0.0, "performance")
    if a.cuts != b.cuts:
        return Sameness(0.0, "cut")
    if not one.duration_ms or not other.duration_ms:
        return Sameness(round(_BY_NAME_ALONE - (apart + titles) / 2, 4), "names")
    if abs(one.duration_ms - other.duration_ms) / 1000 > SAME_SECONDS:
        return Sameness(_ANOTHER_LENGTH, "duration")
    return Sameness(round(1.0 - (apart + titles) / 2, 4), "duration")
