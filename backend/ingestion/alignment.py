"""Laying the track lists of two sources onto each other."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import Indel

from backend.ingestion.artists import first_artist
from backend.ingestion.numerals import numbers
from backend.ingestion.penalties import alike, title_penalties, weigh
from backend.ingestion.scripts import is_latin
from backend.ingestion.titles import Name, heart_of, take_apart
from backend.models.ingestion_models import TrackRecord
from backend.utils.text import fold

_SAME_TITLE: Final = 0.4  # penalties of two titles of one recording
_FAINTLY_ALIKE: Final = 0.4  # of letters in common; less is never one title
_SAME_SECONDS: Final = 3.0  # by which durations of one recording differ at most between services
_UNKNOWN_SECONDS: Final = 30.0  # where a duration is missing: worse than a near one, better than a far one
_LONGEST_KEY: Final = 200  # characters; the digest keeps longer ones apart

Track = tuple[int, TrackRecord]


def align(reference: Sequence[TrackRecord], other: Sequence[TrackRecord]) -> dict[int, int]:
    """Lay the tracks of one source onto those of another, one to one.

    By identifiers and ISRC, by number and title, by title (without "- Remastered 2009" or "(feat. X)"), by a title spelt
    almost alike, and last by number and duration where the titles' scripts differ. The order of the lists does not matter.

    Returns:
        The index in `reference` by the index in `other`; tracks without a partner are left out.
    """
    found: dict[int, int] = {}
    ours, theirs = list(enumerate(reference)), list(enumerate(other))
    for key in _KEYS:
        _take(_equal(ours, theirs, key), found)
        if len(found) == len(other):
            return dict(sorted(found.items()))
        taken = set(found.values())
        ours = [(i, t) for i, t in ours if i not in taken]
        theirs = [(j, t) for j, t in theirs if j not in found]
        if not ours or not theirs:
            break
    _take(((cost, i, j) for i, a in ours for j, b in theirs if (cost := _near(a, b)) is not None), found)
    return dict(sorted(found.items()))


def title_key(title: str) -> str:
    """What stays of a track's title in every edition; identifiers are made of it.

    >>> title_key("Something - Remastered 2009"), title_key("Something - Live"), title_key("Deluxe")
    ('something', 'something live', 'deluxe')
    """
    core, asides, performances, _ = heart_of(title)
    return " ".join((core or fold(title), *sorted(asides), *sorted(performances)))


@lru_cache(maxsize=4_096)  # a track is merged at three levels
def recording_key(artist: str, title: str) -> str:
    """What a recording is called on every album that holds it; 200 characters at most.

    The first artist credited, and the title without what only a package adds (remaster, mono, explicit, guests). Another
    performance or length (live, remix, demo, radio edit) is another recording.

    >>> recording_key("The Beatles", "Something - Remastered 2009"), recording_key("Beatles", "Something (Live)")
    ('beatles/something', 'beatles/something live')
    >>> recording_key("JAY-Z, Kanye West", "Otis (feat. Otis Redding)"), recording_key("Foo", "Bar - Radio Edit")
    ('jayz/otis', 'foo/bar radio')
    """
    words = (title_key(title), *sorted(heart_of(title)[3]))
    key = f"{first_artist(artist)}/{' '.join(words)}"
    if len(key) <= _LONGEST_KEY:
        return key
    digest = hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
    return f"{key[: _LONGEST_KEY - len(digest) - 1]}~{digest}"


Cost = tuple[object, ...]
Pair = tuple[Cost, int, int]


def _take(pairs: Iterable[Pair], found: dict[int, int]) -> None:
    """Take pairs from the nearest on, each track once."""
    taken = set(found.values())
    for _, i, j in sorted(pairs):
        if i not in taken and j not in found:
            found[j] = i
            taken.add(i)


def _equal(
    ours: Sequence[Track], theirs: Sequence[Track], key: Callable[[TrackRecord], Iterable[Hashable]]
) -> Iterator[Pair]:
    where: dict[Hashable, list[Track]] = defaultdict(list)
    for i, track in ours:
        for value in key(track):
            where[value].append((i, track))
    pairs = [(i, a, j, b) for j, b in theirs for value in key(b) for i, a in where.get(value, ())]
    if len({p[0] for p in pairs}) == len(pairs) == len({p[2] for p in pairs}):
        # Each has one partner at the most: there is nothing to weigh.
        yield from (((), i, j) for i, _, j, _ in pairs)
        return
    yield from ((_apart(a, b), i, j) for i, a, j, b in pairs)


def _apart(a: TrackRecord, b: TrackRecord) -> Cost:
    """The smaller the nearer; ends in what the tracks say, so that ties don't depend on the lists' order."""
    number = abs(a.track_number - b.track_number) if a.track_number and b.track_number else 1
    return (not _same_number(a, b), _seconds(a, b), a.disc_number != b.disc_number, number, _said(a), _said(b))


def _said(track: TrackRecord) -> tuple[object, ...]:
    return track.disc_number, track.track_number or 0, track.title, track.duration_ms or 0, track.isrc or ""


def _same_number(a: TrackRecord, b: TrackRecord) -> bool:
    return a.track_number is not None and (a.disc_number, a.track_number) == (b.disc_number, b.track_number)


def _seconds(a: TrackRecord, b: TrackRecord) -> float:
    if a.duration_ms is None or b.duration_ms is None:
        return _UNKNOWN_SECONDS
    return abs(a.duration_ms - b.duration_ms) / 1000


def _near(a: TrackRecord, b: TrackRecord) -> Cost | None:
    """How alike two tracks are whose titles differ; None when they are not the same recording."""
    one, other = take_apart(a.title), take_apart(b.title)
    if _worth_comparing(one, other) and (penalty := weigh(title_penalties(one, other))) <= _SAME_TITLE:
        return (0, round(penalty, 2), *_apart(a, b))
    if _same_number(a, b) and _seconds(a, b) <= _SAME_SECONDS and _same_in_part(one, other):
        return (1, 0.0, *_apart(a, b))
    return None


def _worth_comparing(one: Name, other: Name) -> bool:
    """Whether two titles may be one at all: long lists have too many pairs to look closely at each."""
    if is_latin(one.core) != is_latin(other.core):
        return True
    alike_ = max(Indel.normalized_similarity(a, b) for a, b in ((one.core, other.core), (one.folded, other.folded)))
    return alike_ >= _FAINTLY_ALIKE


def _same_in_part(one: Name, other: Name) -> bool:
    """Whether one title holds the other, or they are written in two scripts, where number and duration must do."""
    if one.performances != other.performances or not alike(one.asides, other.asides):
        return False
    if numbers(one.core) != numbers(other.core):
        return False
    return one.core in other.core or other.core in one.core or one.core.isascii() != other.core.isascii()


def _by_ids(track: TrackRecord) -> Iterable[Hashable]:
    return track.ids.items()


def _by_isrc(track: TrackRecord) -> Iterable[Hashable]:
    return (track.isrc,) if track.isrc else ()


def _by_title(track: TrackRecord) -> Iterable[Hashable]:
    return (take_apart(track.title).folded,) if track.title else ()


def _by_key(track: TrackRecord) -> Iterable[Hashable]:
    return (title_key(track.title),) if track.title else ()


_KEYS: Final = (_by_ids, _by_isrc, _by_title, _by_key)
