"""Deciding which of the albums that a source offers is the one meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from rapidfuzz.distance import Indel

from backend.ingestion.alignment import align, recording_key, title_key
from backend.ingestion.artists import artist_difference
from backend.ingestion.evidence import Facts, album_penalties, score_of
from backend.ingestion.judge import SAME, facts
from backend.ingestion.titles import take_apart
from backend.models.ingestion_models import AlbumQuery, MatchCandidate, TrackRecord
from backend.utils.errors import AmbiguousError, RecordNotFoundError
from backend.utils.text import fold, fold_name

__all__ = ["Candidate", "Match", "align", "artist_difference", "choose", "recording_key", "title_key"]

_NEAR: Final = 0.03  # two candidates this close cannot be told apart
_HINTS: Final = frozenset({"year", "tracks"})  # order equal candidates; never make one unequal
_MOST_CANDIDATES: Final = 10  # that a person is shown


@dataclass(frozen=True, slots=True)
class Candidate:
    """An album that a source offers for a query."""

    id: str
    artist: str
    title: str
    year: int | None = None
    total_tracks: int | None = None
    tracks: tuple[TrackRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """The candidate chosen, how sure (0..1), and which penalties it bears; they add up to 1 - score."""

    candidate: Candidate
    score: float
    penalties: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Ranked:
    candidate: Candidate
    penalties: dict[str, float]
    place: tuple[float, int, float, int, int]  # distance, spelling, letters, fewer tracks, position

    @property
    def score(self) -> float:
        return score_of(self.penalties)

    @property
    def is_exact(self) -> bool:
        return self.penalties.keys() <= _HINTS


def choose(query: AlbumQuery, candidates: Sequence[Candidate], *, source: str = "", hint: str = "") -> Match:
    """The album meant by a query.

    An equal name beats every decorated one; of several equal ones the one with more tracks, then the first, is taken.

    Args:
        query: what is looked for; what is known of it (year, tracks) has a say.
        candidates: what a source offers, in its order.
        source: its name, for those not taken.
        hint: the key of `AlbumQuery.hints` by which it takes exactly one of them; "" when it reads no hint.

    Raises:
        RecordNotFoundError: none is near enough; the message names the nearest, the error has the candidates.
        AmbiguousError: different ones are equally near and none is equal; likewise.
    """
    ranked = sorted((_rank(query, c, place) for place, c in enumerate(candidates)), key=lambda r: r.place)
    if not ranked:
        raise RecordNotFoundError(f"no album is offered for {query.album!r} by {query.artist!r}")
    best = ranked[0]
    shown = [_shown(r, source=source, hint=hint) for r in ranked[:_MOST_CANDIDATES]]
    if best.score < SAME:
        # An album that shares neither artist nor title is no help.
        is_help = not {"artist", "title"} <= best.penalties.keys()
        nearest = f"; the nearest is {best.candidate.title!r} by {best.candidate.artist!r}" if is_help else ""
        raise RecordNotFoundError(f"no album {query.album!r} by {query.artist!r}{nearest}", candidates=shown)
    rivals = [] if best.is_exact else [r.candidate for r in ranked[1:] if _rivals(r, best)]
    if rivals:
        names = ", ".join(f"{c.title!r} by {c.artist!r}" for c in (best.candidate, *rivals[:3]))
        raise AmbiguousError(f"{query.album!r} by {query.artist!r} may be each of: {names}", candidates=shown)
    return Match(best.candidate, best.score, best.penalties)


def _shown(ranked: _Ranked, *, source: str, hint: str) -> MatchCandidate:
    offered = ranked.candidate
    return MatchCandidate(
        source=source,
        hint=hint,
        id=offered.id,
        title=offered.title,
        artist=offered.artist,
        year=offered.year,
        total_tracks=offered.total_tracks,
        score=ranked.score,
        penalties=ranked.penalties,
    )


def _rank(query: AlbumQuery, candidate: Candidate, position: int) -> _Ranked:
    known = facts(query.known) if query.known else Facts(query.artist, query.album)
    wanted = replace(known, artist=query.artist, title=query.album)
    offered = Facts(candidate.artist, candidate.title, candidate.year, candidate.total_tracks, candidate.tracks)
    penalties = album_penalties(wanted, offered, offered=True)
    names, others = (query.album, query.artist), (candidate.title, candidate.artist)
    spelt_otherwise = 0 if names == others else 1 if _lower(names) == _lower(others) else 2
    unlike = round(Indel.normalized_distance(fold(query.album), fold(candidate.title)), 3)
    place = (1.0 - score_of(penalties), spelt_otherwise, unlike, -(candidate.total_tracks or 0), position)
    return _Ranked(candidate, penalties, place)


def _lower(names: tuple[str, str]) -> tuple[str, str]:
    return names[0].casefold(), names[1].casefold()


def _rivals(other: _Ranked, best: _Ranked) -> bool:
    """Whether another candidate is as near as the best, and not just another edition of it."""
    if other.score < SAME or best.score - other.score > _NEAR:
        return False
    return not _is_same_album(other.candidate, best.candidate)


def _is_same_album(a: Candidate, b: Candidate) -> bool:
    one, other = take_apart(a.title), take_apart(b.title)
    same_title = one.folded == other.folded or (one.core, one.asides, one.performances) == (
        other.core, other.asides, other.performances,
    )  # fmt: skip
    return same_title and fold_name(a.artist) == fold_name(b.artist)
