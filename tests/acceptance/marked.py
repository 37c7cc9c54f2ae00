"""A catalogue in which every value names the source that said it, and finding such values in whatever is answered."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from backend.ingestion.insert_to_supabase import Merging, insert_album
from backend.ingestion.policy import MergePolicy
from backend.ingestion.source import SourceProfile
from backend.models.ingestion_models import AlbumRecord, Rights, RightsLevel, SourceRecord, Tag, TrackRecord
from backend.repositories.album_store import AlbumRepository
from backend.repositories.database import Database

_WHEN = datetime(2026, 1, 1, 12, tzinfo=UTC)
_GIVES = (
    "title", "artist", "tracks", "release_date", "label", "upc", "duration_ms", "isrc", "popularity", "listeners", "rating",
    "critic_score", "user_score", "audio_features", "tags",
)  # fmt: skip
# Spellings that fold to one name, so that all the sources mean the same album; then years, genres, moods.
_SAID = {
    "shopkeep": (Rights.RESTRICTED, "â", 1993, "dark ambient", "melancholic"),
    "nobodyknows": (Rights.UNKNOWN, "á", 2004, "bebop", "energetic"),
    "clubnotes": (Rights.NONCOMMERCIAL, "ä", 1982, "bossa nova", "romantic"),
    "openfolk": (Rights.OPEN, "a", 1971, "shoegaze", "dreamy"),
}
_ALBUMS = ("Paper Harbour", "Glass Harvest", "Amber Canal")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w])")

PROFILES: Mapping[str, SourceProfile] = {
    name: SourceProfile(
        name=name, rights=said[0], gives=dict.fromkeys(_GIVES, 1 - n / 10), defines=True, terms=f"The terms of {name}."
    )
    for n, (name, said) in enumerate(_SAID.items())
}


def merging(profiles: Mapping[str, SourceProfile] = PROFILES) -> Merging:
    """How the marked records become rows."""
    return Merging(profiles=profiles, policy=MergePolicy())


def mislabelled(name: str) -> dict[str, SourceProfile]:
    """The profiles, with one source passed off as open."""
    return {**PROFILES, name: replace(PROFILES[name], rights=Rights.OPEN)}


def barred(level: RightsLevel) -> list[str]:
    """The sources of which nothing may be seen at a level."""
    return [name for name, profile in PROFILES.items() if not level.permits(profile.rights)]


def _float(value: float) -> float:
    # The columns of audio features and scores are of single precision.
    single: float = struct.unpack("f", struct.pack("f", value))[0]
    return single


@dataclass
class Marks:
    """What tells each source: words and numbers that no other one says."""

    words: dict[str, set[str]] = field(default_factory=dict)
    numbers: dict[str, set[float]] = field(default_factory=dict)
    size: int = 0  # how many durations were given
    # Without a pattern, so that no mean of one source's numbers is another's number.
    _fresh: Iterator[int] = field(
        default_factory=lambda: iter(random.Random(1).sample(range(1_000_003, 9_999_999), 2_000))
    )

    def word(self, source: str, text: str) -> str:
        """A text of a source, from now on known as its."""
        self.words.setdefault(source, set()).add(text)
        return text

    def number(self, source: str, *, divisor: float = 1.0, offset: float = 0.0) -> float:
        """A number of a source that never comes again."""
        value = next(self._fresh) / divisor + offset
        self.numbers.setdefault(source, set()).add(_float(value))
        return value

    def whole(self, source: str) -> int:
        """A whole number of a source that never comes again."""
        return int(self.number(source))

    def found(self, source: str, text: str) -> set[str]:
        """What a text shows of a source: its words, its name, its numbers."""
        words = {word for word in self.words[source] if word in text or word.encode("unicode_escape").decode() in text}
        return words | {str(n) for n in numbers_of(text) & self.numbers[source]}


def numbers_of(text: str) -> set[float]:
    """All numbers of a text, as far as single precision holds them."""
    return {_float(float(n)) for n in _NUMBER.findall(text) if abs(float(n)) < 1e30}


def texts_of(value: Any) -> Iterator[str]:
    """All that a value holds, as texts."""
    if isinstance(value, Mapping):
        yield from (text for item in value.items() for part in item for text in texts_of(part))
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif isinstance(value, Iterable) and not isinstance(value, str):
        yield from (text for part in value for text in texts_of(part))
    else:
        yield str(value)


def _artist(letter: str, album: int) -> str:
    return f"The Amber L{letter}nterns" if album else f"H{letter}llow Pines"


def _near(marks: Marks, source: str, place: int) -> int:
    """A duration of a source: near the others', as those of one recording are."""
    value = 200_003 + 10_000 * place + 7 * marks.size
    marks.size += 1
    marks.numbers.setdefault(source, set()).add(_float(value))
    return value


def _track(marks: Marks, source: str, *, place: int, album: int) -> TrackRecord:
    _, letter, _, genre, mood = _SAID[source]
    name = ("Tide", "Canal", "Lantern")[place - 1]
    title = f"{name} H{letter}rbour {album}"
    code = 10_000 + 1_000 * list(_SAID).index(source) + 10 * album + place
    unit = {
        f: marks.number(source, divisor=10_000_000)
        for f in ("acousticness", "danceability", "energy", "instrumentalness", "liveness", "speechiness", "valence")
    }
    return TrackRecord(
        title=marks.word(source, title),
        artists=(marks.word(source, _artist(letter, album)),),
        track_number=place,
        duration_ms=_near(marks, source, place),
        listeners=marks.whole(source),
        rating=marks.number(source, divisor=100_000),
        isrc=marks.word(source, f"QZSH026{code}"),
        audio_features={
            **unit,
            "loudness": marks.number(source, divisor=-1_000_000),
            "tempo": marks.number(source, divisor=100_000, offset=60),
        },
        raw_features={f"measured by {source}": marks.number(source)},
        tags=(Tag(name=genre, weight=1, level="track"), Tag(name=mood, weight=1, level="track")),
        ids={source: marks.word(source, f"track-at-{source}-{album}-{place}")},
    )


def _album(marks: Marks, source: str, album: int) -> AlbumRecord:
    _, letter, year, genre, mood = _SAID[source]
    marks.word(source, source)
    marks.word(source, f"{year}-")
    marks.word(source, genre)
    marks.word(source, mood)
    title = _ALBUMS[album].replace("a", letter)
    return AlbumRecord(
        title=marks.word(source, title),
        artist=marks.word(source, _artist(letter, album)),
        release_date=f"{year}-03-0{album + 1}",
        label=marks.word(source, f"Label of {source}"),
        upc=marks.word(source, f"{88_000 + list(_SAID).index(source)}0000{album}"),
        listeners=marks.whole(source),
        critic_score=marks.number(source, divisor=100_000),
        critic_count=marks.whole(source),
        user_score=marks.number(source, divisor=100_000),
        user_count=marks.whole(source),
        tags=(Tag(name=genre, weight=1, level="album"), Tag(name=mood, weight=1, level="album")),
        tracks=tuple(_track(marks, source, place=place, album=album) for place in (1, 2, 3)),
        ids={source: marks.word(source, f"album-at-{source}-{album}")},
        artist_ids={source: marks.word(source, f"artist-at-{source}-{album}")},
    )


async def fill(database: Database, *, profiles: Mapping[str, SourceProfile] = PROFILES) -> Marks:
    """Store albums of which every source says everything, each in its own marked way.

    Returns:
        What tells the sources.
    """
    marks = Marks()
    store = AlbumRepository(database)
    for album in range(len(_ALBUMS)):
        records = [
            SourceRecord(
                source=source,
                rights=profiles[source].rights,
                fetched_at=_WHEN,
                album=_album(marks, source, album),
            )
            for source in _SAID
        ]
        await insert_album(store, records, merging=merging(profiles))
    return marks
