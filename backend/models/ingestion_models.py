"""Records: what a source says of an album, in one form for all sources, and how asking it went.

Frozen and made of plain values only, so that msgspec writes them to JSON and back without loss (`source_records`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

AUDIO_FEATURES: Final = (
    "acousticness", "danceability", "energy", "instrumentalness", "liveness", "loudness",
    "speechiness", "tempo", "valence", "key", "mode", "time_signature",
)  # fmt: skip
"""The twelve Spotify-style features. 0..1 but: loudness dB, tempo BPM, key -1..11 (pitch class), mode 0 or 1,
time_signature beats a bar."""

Level = Literal["track", "album", "artist"]


class Rights(StrEnum):
    """What a source's terms let one do with its values (docs/design: Rights)."""

    OPEN = "open"  # CC0, CC BY, the user's own
    NONCOMMERCIAL = "noncommercial"
    RESTRICTED = "restricted"  # its terms bar machine learning
    UNKNOWN = "unknown"
    SYNTHETIC = "synthetic"  # made up by us


class Outcome(StrEnum):
    """How asking a source for an album ended."""

    OK = "ok"
    NOT_FOUND = "not_found"
    AMBIGUOUS = "ambiguous"
    BLOCKED = "blocked"
    THROTTLED = "throttled"
    UNCONFIGURED = "unconfigured"
    FAILED = "failed"


class RightsLevel(StrEnum):
    """Whose values are wanted: everybody's, those free for non-commercial use, or open ones alone."""

    ANY = "any"
    NONCOMMERCIAL = "noncommercial"
    OPEN = "open"

    def permits(self, rights: Rights) -> bool:
        """Whether values with these rights may be shown at this level."""
        return self is RightsLevel.ANY or rights in _PERMITTED[self]


_PERMITTED: Final = {
    RightsLevel.NONCOMMERCIAL: frozenset({Rights.OPEN, Rights.NONCOMMERCIAL}),
    RightsLevel.OPEN: frozenset({Rights.OPEN}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchCandidate:
    """An album that a source offers and that was not taken by itself: a person decides.

    `hint` is the key of `AlbumQuery.hints` by which the source takes exactly this one, with `id` as its value.
    """

    source: str
    hint: str
    id: str
    title: str
    artist: str
    year: int | None = None
    total_tracks: int | None = None
    score: float = 0.0  # 0..1
    penalties: dict[str, float] = field(default_factory=dict)  # named and weighted; they add up to 1 - score


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOutcome:
    """One source's answer to one ingestion, in a form that is shown to people."""

    source: str
    outcome: Outcome
    detail: str = ""
    retry_at: datetime | None = None  # UTC; set when throttled
    tracks: int = 0
    seconds: float = 0.0
    candidates: tuple[MatchCandidate, ...] = ()  # nearest first; of what was ambiguous or not near enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A word a source attaches to something: a genre, a mood or junk, as yet untold.

    `weight` is 0..1 within its source and level; `level` says what was tagged.
    """

    name: str
    weight: float
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRecord:
    """What one source says of one track. None and empty mean: the source does not say."""

    title: str
    artists: tuple[str, ...] = ()
    disc_number: int = 1
    track_number: int | None = None
    duration_ms: int | None = None
    explicit: bool | None = None
    popularity: int | None = None  # 0..100
    listeners: int | None = None
    rating: float | None = None  # 0..100
    isrc: str | None = None
    audio_features: dict[str, float] = field(default_factory=dict)  # keys of AUDIO_FEATURES, in their units
    # As the source measured it, on its own scale and in its own words: what audio_features were aligned from, and more.
    raw_features: dict[str, float] = field(default_factory=dict)
    tags: tuple[Tag, ...] = ()
    ids: dict[str, str] = field(default_factory=dict)  # "spotify" -> track id there


@dataclass(frozen=True, slots=True, kw_only=True)
class AlbumRecord:
    """What one source says of one album and its tracks. None and empty mean: the source does not say."""

    title: str
    artist: str
    release_date: str | None = None  # ISO 8601, as precise as known: 1969-09-26, 1969-09, 1969
    label: str | None = None
    upc: str | None = None
    popularity: int | None = None  # 0..100
    listeners: int | None = None
    critic_score: float | None = None  # 0..100
    critic_count: int | None = None
    user_score: float | None = None  # 0..100
    user_count: int | None = None
    tags: tuple[Tag, ...] = ()  # of levels "album" and "artist"
    tracks: tuple[TrackRecord, ...] = ()
    ids: dict[str, str] = field(default_factory=dict)  # "spotify" -> album id there
    artist_ids: dict[str, str] = field(default_factory=dict)
    url: str | None = None
    match_method: str = (
        "name"  # how the source's album was found: name | id | upc | isrc | mbid | link | page | artist, …
    )
    match_score: float = 1.0  # 0..1, of what was found against what was asked for
    match_penalties: dict[str, float] = field(
        default_factory=dict
    )  # named and weighted; they add up to 1 - match_score
    parser: str | None = None  # version of what read it, where the form is not the source's promise (pages, tables)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """An album record with its origin: who said it, when, with which rights."""

    source: str
    rights: Rights
    fetched_at: datetime  # UTC
    album: AlbumRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class AlbumQuery:
    """What to look for. `aoty_html` and the like are hints that only the source named by the key reads.

    `known` is what the sources of earlier stages found, laid together: the names, dates and tracks of the one most trusted
    with names, with everybody's identifiers (`ids`, `artist_ids`, `upc`, and of each track `ids`, `isrc`), and every value
    of a track that any of them has. None as long as nobody found anything.
    """

    album: str
    artist: str
    hints: dict[str, str] = field(default_factory=dict)
    known: AlbumRecord | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedTrack:
    """One row of `enhanced_tracks`: one truth per field, and who gave it."""

    id: str
    title: str
    artist: str
    album: str
    disc_number: int
    track_number: int | None
    duration_ms: int | None
    explicit: bool | None
    popularity: int | None
    listeners: int | None
    rating: float | None
    isrc: str | None
    spotify_id: str | None
    genres: tuple[str, ...]
    moods: tuple[str, ...]
    audio_features: dict[str, float]
    provenance: dict[str, str]  # column -> source, per audio feature too (genres, moods: sources joined by "+")
    recording_mbid: str | None = None  # MusicBrainz's identifier of the recording
    recording_key: str = ""  # first artist and title, folded, of every edition: what finds it on other albums
    tag_weights: dict[str, tuple[float, Level]] = field(default_factory=dict)  # of genres and moods kept, 0..1
    mood_valence: float | None = None  # -1..1, the weighted mean of its moods' places
    mood_arousal: float | None = None  # -1..1
    estimates: dict[str, tuple[float, float]] = field(
        default_factory=dict
    )  # feature -> 90 % interval, of those estimated


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedAlbum:
    """One row of `albums` with its tracks, a pure function of the source records and the merge policy."""

    id: str
    title: str
    artist: str
    artist_id: str
    title_key: str  # folded, for finding it again
    artist_key: str
    release_date: str | None
    label: str | None
    upc: str | None
    popularity: int | None
    listeners: int | None
    aoty_critic_score: float | None
    aoty_critic_count: int | None
    aoty_user_score: float | None
    aoty_user_count: int | None
    genres: tuple[str, ...]
    moods: tuple[str, ...]
    ids: dict[str, str]
    provenance: dict[str, str]
    synthetic: bool  # any value of it is made up
    tracks: tuple[MergedTrack, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlbumNames:
    """What an album may be found by.

    Attributes:
        ids: what services call it, the service that tells albums apart most surely first. A stored album that this one
            calls by another id is another album, whatever else agrees.
        artist_key: its artist's name, folded.
        title_key: its title, folded.
    """

    ids: Mapping[str, str]
    artist_key: str
    title_key: str
