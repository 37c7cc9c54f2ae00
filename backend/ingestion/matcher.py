"""Deciding which of the albums that a source offers is the one meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from rapidfuzz.distance import Indel

from backend.ingestion.alignment import align, title_key
from backend.ingestion.distance import WEIGHTS, artist_difference, title_penalties
from backend.ingestion.titles import take_apart
from backend.models.ingestion_models import AlbumQuery
from backend.utils.errors import AmbiguousError, RecordNotFoundError
from backend.utils.text import fold, fold_name

__all__ = ["Candidate", "Match", "align", "artist_difference", "choose", "title_key"]

_FARTHEST: Final = 0.5  # of a candidate that still counts as the one meant
_NEAR: Final = 0.03  # two candidates this close cannot be told apart
_HINTS: Final = frozenset({"year", "tracks"})  # order equal candidates; never make one unequal


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
    """The candidate chosen, how sure (0..1), and which penalties it bears, each with its weight."""

    candidate: Candidate
    score: float
    penalties: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Ranked:
    candidate: Candidate
    penalties: dict[str, float]
    place: tuple[float, int, float, int, int]  # distance, spelling, letters, fewer tracks, position

    @property
    def distance(self) -> float:
        return self.place[0]

    @property
    def is_exact(self) -> bool:
        return self.penalties.keys() <= _HINTS


def choose(query: AlbumQuery, candidates: Sequence[Candidate]) -> Match:
    """The album meant by a query.

    An equal name beats every decorated one; of several equal ones the one with more tracks, then the first, is taken.

    Raises:
        RecordNotFoundError: none is near enough; the message names the nearest.
        AmbiguousError: different ones are equally near and none is equal; the message names them.
    """
    ranked = sorted((_rank(query, c, place) for place, c in enumerate(candidates)), key=lambda r: r.place)
    if not ranked:
        raise RecordNotFoundError(f"no album is offered for {query.album!r} by {query.artist!r}")
    best = ranked[0]
    if best.distance > _FARTHEST:
        # An album that shares neither artist nor title is no help.
        is_help = not {"artist", "title"} <= best.penalties.keys()
        nearest = f"; the nearest is {best.candidate.title!r} by {best.candidate.artist!r}" if is_help else ""
        raise RecordNotFoundError(f"no album {query.album!r} by {query.artist!r}{nearest}")
    rivals = [] if best.is_exact else [r.candidate for r in ranked[1:] if _rivals(r, best)]
    if rivals:
        names = ", ".join(f"{c.title!r} by {c.artist!r}" for c in (best.candidate, *rivals[:3]))
        raise AmbiguousError(f"{query.album!r} by {query.artist!r} may be each of: {names}")
    return Match(best.candidate, round(1.0 - best.distance, 4), best.penalties)


def _rank(query: AlbumQuery, candidate: Candidate, position: int) -> _Ranked:
    penalties = {name: round(WEIGHTS[name] * value, 4) for name, value in _penalties(query, candidate)}
    asked, offered = (query.album, query.artist), (candidate.title, candidate.artist)
    spelt_otherwise = 0 if asked == offered else 1 if _lower(asked) == _lower(offered) else 2
    unlike = round(Indel.normalized_distance(fold(query.album), fold(candidate.title)), 3)
    place = (round(sum(penalties.values()), 4), spelt_otherwise, unlike, -(candidate.total_tracks or 0), position)
    return _Ranked(candidate, penalties, place)


def _lower(names: tuple[str, str]) -> tuple[str, str]:
    return names[0].casefold(), names[1].casefold()


def _penalties(query: AlbumQuery, candidate: Candidate) -> Iterator[tuple[str, float]]:
    """Each way in which a candidate differs from the query, unweighted."""
    if artist := artist_difference(query.artist, candidate.artist):
        yield "artist", artist
    yield from title_penalties(take_apart(query.album), take_apart(candidate.title)).items()
    known = query.known
    if known is None:
        return
    if known.release_date and candidate.year and abs(int(known.release_date[:4]) - candidate.year) > 1:
        yield "year", 1.0
    if known.tracks and candidate.total_tracks and len(known.tracks) != candidate.total_tracks:
        yield "tracks", 1.0


def _rivals(other: _Ranked, best: _Ranked) -> bool:
    """Whether another candidate is as near as the best, and not just another edition of it."""
    if other.distance > _FARTHEST or other.distance - best.distance > _NEAR:
        return False
    return not _is_same_album(other.candidate, best.candidate)


def _is_same_album(a: Candidate, b: Candidate) -> bool:
    one, other = take_apart(a.title), take_apart(b.title)
    same_title = one.folded == other.folded or (one.core, one.asides, one.performances) == (
        other.core, other.asides, other.performances,
    )  # fmt: skip
    return same_title and fold_name(a.artist) == fold_name(b.artist)
