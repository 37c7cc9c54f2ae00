"""Deciding what is the same album, and which tracks of two sources are the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from backend.ingestion.distance import WEIGHTS, difference, numbers, take_apart
from backend.models.ingestion_models import AlbumQuery, TrackRecord
from backend.utils.errors import AmbiguousError, RecordNotFoundError
from backend.utils.text import fold, fold_name

_FARTHEST: Final = 0.28  # of a candidate that still counts as the one meant
_NEAR: Final = 0.03  # two candidates this close cannot be told apart
_SAME_TITLE: Final = 0.34  # of two tracks' titles
_SAME_SECONDS: Final = 5.0  # by which durations of one recording differ at most between services
_VARIOUS: Final = frozenset({"various artists", "various", "va"})


@dataclass(frozen=True, slots=True)
class Candidate:
    """An album that a source offers for a query."""

    id: str
    artist: str
    title: str
    year: int | None = None
    total_tracks: int | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """The candidate chosen, how sure (0..1), and which penalties it bears."""

    candidate: Candidate
    score: float
    penalties: dict[str, float] = field(default_factory=dict)


def choose(query: AlbumQuery, candidates: Sequence[Candidate]) -> Match:
    """The album meant by a query.

    An equal name beats every decorated one; of several equal ones the one with more tracks, then the first, is taken.

    Raises:
        RecordNotFoundError: none is near enough; the message names the nearest.
        AmbiguousError: different ones are equally near and none is equal.
    """
    ranked = sorted(
        (_penalised(query, c, position) for position, c in enumerate(candidates)), key=lambda found: found[:4]
    )
    if not ranked:
        raise RecordNotFoundError(f"no album is offered for {query.album!r} by {query.artist!r}")
    best = ranked[0]
    distance, candidate = best[0], best[4]
    if distance > _FARTHEST:
        raise RecordNotFoundError(
            f"no album {query.album!r} by {query.artist!r}; the nearest is {candidate.title!r} by {candidate.artist!r}"
        )
    if distance > 0:
        rivals = [r[4] for r in ranked[1:] if r[0] - distance <= _NEAR and _differs(r[4], candidate)]
        if rivals:
            names = ", ".join(f"{c.title!r} by {c.artist!r}" for c in (candidate, *rivals[:3]))
            raise AmbiguousError(f"{query.album!r} by {query.artist!r} may be each of: {names}")
    return Match(candidate, round(1.0 - min(1.0, distance), 4), best[5])


def _differs(a: Candidate, b: Candidate) -> bool:
    return take_apart(a.title).core != take_apart(b.title).core or fold_name(a.artist) != fold_name(b.artist)


_Ranked = tuple[float, int, int, int, Candidate, dict[str, float]]


def _penalised(query: AlbumQuery, candidate: Candidate, position: int) -> _Ranked:
    penalties = dict(_penalties(query, candidate))
    exact = candidate.title.casefold() == query.album.casefold()
    return (
        round(sum(WEIGHTS[name] * value for name, value in penalties.items()), 6),
        0 if exact else 1,
        -(candidate.total_tracks or 0),
        position,
        candidate,
        penalties,
    )


def _penalties(query: AlbumQuery, candidate: Candidate) -> Iterator[tuple[str, float]]:
    """Each way in which a candidate differs from the query: name and size, 0..1."""
    wanted, offered = take_apart(query.album), take_apart(candidate.title)
    artist = artist_difference(query.artist, candidate.artist)
    if artist:
        yield "artist", artist
    if wanted.folded == offered.folded:
        return
    title = difference(wanted.core, offered.core)
    if title and numbers(wanted.core) != numbers(offered.core):
        title = 1.0
    if title:
        yield "title", title
    if wanted.performances != offered.performances:
        yield "performance", 1.0
    if wanted.editions != offered.editions:
        # Meaning the plain album and finding an edition is nearer than the other way round.
        yield "edition", 0.5 if not wanted.editions else 1.0 if not offered.editions else 0.75
    elif not title and wanted.folded != offered.folded:
        yield "edition", 0.1


def artist_difference(wanted: str, offered: str) -> float:
    """0 for one artist under two spellings to 1; a name within a longer credit counts little.

    >>> artist_difference("Beatles", "The Beatles"), artist_difference("Simon & Garfunkel", "Simon and Garfunkel")
    (0.0, 0.0)
    """
    a, b = fold_name(wanted), fold_name(offered)
    if a == b or a.replace(" ", "") == b.replace(" ", ""):
        return 0.0
    if b in _VARIOUS or a in _VARIOUS:
        return 0.3
    shorter, longer = sorted((a.split(), b.split()), key=len)
    if len("".join(shorter)) > 3 and any(longer[i : i + len(shorter)] == shorter for i in range(len(longer))):
        return 0.2
    return difference(a, b)


def align(reference: Sequence[TrackRecord], other: Sequence[TrackRecord]) -> dict[int, int]:
    """Lay the tracks of one source onto those of another, one to one.

    By ISRC, then number and title, then title, then number and duration with a title that is somewhat alike.

    Returns:
        The index in `reference` by the index in `other`; tracks without a partner are left out.
    """
    found: dict[int, int] = {}
    taken: set[int] = set()
    scored = sorted(
        (
            (rank, i, j)
            for j, b in enumerate(other)
            for i, a in enumerate(reference)
            if (rank := _likeness(a, b)) is not None
        ),
        key=lambda row: (row[0], abs(row[1] - row[2]), row[1], row[2]),
    )
    for _, i, j in scored:
        if i not in taken and j not in found:
            found[j] = i
            taken.add(i)
    return dict(sorted(found.items()))


def _likeness(a: TrackRecord, b: TrackRecord) -> tuple[int, float] | None:
    """How alike two tracks are, smaller is nearer; None when they are not the same."""
    if a.isrc and a.isrc == b.isrc:
        return 0, 0.0
    shared = set(a.ids.items()) & set(b.ids.items())
    if shared:
        return 0, 0.0
    ours, theirs = take_apart(a.title), take_apart(b.title)
    same_number = (a.disc_number, a.track_number) == (b.disc_number, b.track_number) and a.track_number is not None
    if ours.folded == theirs.folded:
        return 1 if same_number else 2, _seconds_apart(a, b)
    if ours.performances != theirs.performances:
        return None
    if ours.core == theirs.core:
        return 3 if same_number else 4, _seconds_apart(a, b)
    apart = difference(ours.core, theirs.core)
    if apart <= _SAME_TITLE and numbers(ours.core) == numbers(theirs.core):
        return 5 if same_number else 6, apart
    near = _seconds_apart(a, b)
    if same_number and near <= _SAME_SECONDS and (ours.core in theirs.core or theirs.core in ours.core):
        return 7, near
    return None


def _seconds_apart(a: TrackRecord, b: TrackRecord) -> float:
    if a.duration_ms is None or b.duration_ms is None:
        return _SAME_SECONDS
    return abs(a.duration_ms - b.duration_ms) / 1000


def title_key(title: str) -> str:
    """The part of a track's title that stays the same over editions; what its identifier is made of."""
    return take_apart(title).core or fold(title)
