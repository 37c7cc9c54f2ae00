"""Listening histories: a listen as an export says it, and what services answer of imports and listeners."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """A track that was heard, as one export says it.

    Attributes:
        source: whose export it is.
        listened_at: when it began (UTC); where an export says the end, that less what was played.
        to_the_minute: the end was said to the minute only; the true time is up to a minute later.
        track_key: what the recording is called on every album that holds it.
        artist_key: the artist's name, folded.
        album_key: the album's title, folded; empty when none is said.
        ms_played: how long it was played, where that is said.
        skipped: whether it was broken off by hand, where that is said.
    """

    source: str
    listened_at: datetime
    track: str
    artist: str
    album: str | None = None
    track_key: str
    artist_key: str
    album_key: str = ""
    spotify_id: str | None = None
    recording_mbid: str | None = None
    isrc: str | None = None
    ms_played: int | None = None
    skipped: bool | None = None
    to_the_minute: bool = False


class LeftOut(StrEnum):
    """Why a row that can be read is no listen."""

    NOT_MUSIC = "not_music"  # podcasts, audio books
    PRIVATE = "private"  # heard in a private session
    UNNAMED = "unnamed"  # without the names of track and artist
    UNDATED = "undated"  # playing just then, or without a date


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRow:
    """A row that cannot be read."""

    file: str
    place: str  # as "line 7" or "row 7"
    reason: str


@dataclass(slots=True, kw_only=True)
class HistoryFile:
    """What a file gave.

    Attributes:
        file: its name; of a member of an archive with the archive's.
        form: what it was recognised as.
        rows: how many it has, readable or not.
        listens: how many of them were heard.
        left_out: how many were not, by why (`LeftOut`).
        broken: how many cannot be read.
    """

    file: str
    form: str
    rows: int = 0
    listens: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    broken: int = 0


@dataclass(slots=True, kw_only=True)
class HistoryReport:
    """What became of an import.

    Attributes:
        listener: whose history it is.
        files: each file that was recognised.
        passed_over: files of folders and archives that are of no known form.
        broken: the first rows that cannot be read; the files' numbers count all.
        listens: how many were read.
        added: how many of them were new.
        replaced: how many stored to the minute only are now to the second.
        elsewhere: how many were known already from which other source.
        resolved: how many were laid onto tracks of the catalogue now, those stored before included.
        seconds: how long it took.
    """

    listener: str
    files: list[HistoryFile] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    broken: list[BrokenRow] = field(default_factory=list)
    listens: int = 0
    added: int = 0
    replaced: int = 0
    elsewhere: dict[str, int] = field(default_factory=dict)
    resolved: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardArtist:
    """An artist with how often a listener played him."""

    name: str
    plays: int
    resolved: int  # of the plays, those whose track the catalogue has


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerSummary:
    """What is stored of a listener.

    Attributes:
        listener: the name.
        listens: all that is stored.
        plays: those heard for 30 seconds or longer, or whose length is not said.
        tracks: how many different ones.
        artists: how many different ones.
        resolved: of the listens, those whose track the catalogue has.
        ms_played: all together, as far as it is said.
        first: the earliest listen.
        last: the latest listen.
        sources: how many listens each export gave.
        top_artists: by plays, first the most.
        consented_at: when the listener agreed to this being kept; None: it was imported before anybody was asked.
    """

    listener: str
    listens: int
    plays: int
    tracks: int
    artists: int
    resolved: int
    ms_played: int
    first: datetime
    last: datetime
    sources: dict[str, int]
    top_artists: list[HeardArtist]
    consented_at: datetime | None
