"""Are two records the same album? By identifiers first, else by named penalties that add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from backend.ingestion.evidence import Facts, album_penalties, score_of
from backend.ingestion.normalizer import tidy_isrc, tidy_upc
from backend.models.ingestion_models import AlbumRecord, MatchCandidate, TrackRecord
from backend.utils.errors import RecordNotFoundError

SAME: Final = 0.5
"""The least score of two records of one album."""
_FEWEST_SHARED: Final = 2  # recordings; one alone is on samplers too
_SHARED_OF_SHORTER: Final = 0.6  # of a track list, for its recordings to tell the album …
_SHARED_OF_LONGER: Final = 0.3  # … and not a box or a "best of" that holds it
_METHODS: Final[Mapping[str, str]] = {"musicbrainz": "mbid"}  # others' identifiers are just that: id
# How a source was led to exactly this album, by a person or by another service; names have no say in it.
_CERTAIN: Final = frozenset({"id", "upc", "mbid", "link", "page", "artist"})


@dataclass(frozen=True, slots=True)
class Judgement:
    """What speaks for and against two records being one album.

    Attributes:
        score: 0..1.
        penalties: named and weighted; they add up to 1 - score.
        method: by what they were compared: id, mbid, upc, isrc or name.
    """

    score: float
    penalties: dict[str, float] = field(default_factory=dict)
    method: str = "name"

    @property
    def same(self) -> bool:
        """Whether they are one album."""
        return self.score >= SAME


def judge(known: AlbumRecord, found: AlbumRecord) -> Judgement:
    """Whether a record is of the album that is known.

    An equal identifier settles it, and so do two or more equal ISRCs or recordings that make up most of the shorter list;
    another identifier says nothing, because every edition has its own. Else names, year, track count, and the track lists laid
    onto each other.
    """
    if method := _by_identifier(known, found):
        return Judgement(1.0, method=method)
    penalties = album_penalties(facts(known), facts(found))
    return Judgement(score_of(penalties), penalties)


def verify(known: AlbumRecord, found: AlbumRecord, *, source: str = "", hint: str = "") -> AlbumRecord:
    """A source's record, with how it was matched, if it is of the album that is known.

    Args:
        known: what other sources said.
        found: what the source says.
        source: its name, for the candidate.
        hint: the key of `AlbumQuery.hints` by which it takes exactly this one; "" when it reads no hint.

    Raises:
        RecordNotFoundError: it is another album; its candidate is with the error.
    """
    judgement = judge(known, found)
    if judgement.method != "name":
        return replace(found, match_method=judgement.method, match_score=1.0, match_penalties={})
    if found.match_method in _CERTAIN:
        return found
    if judgement.same:
        return replace(found, match_score=judgement.score, match_penalties=judgement.penalties)
    about = facts(found)
    reasons = ", ".join(sorted(judgement.penalties, key=lambda name: -judgement.penalties[name])[:3])
    raise RecordNotFoundError(
        f"{found.title!r} by {found.artist!r} is another album than {known.title!r} by {known.artist!r}"
        f" (score {judgement.score:.2f}; {reasons})",
        candidates=(
            MatchCandidate(
                source=source,
                hint=hint,
                id=(found.url if hint.endswith("_url") else found.ids.get(source)) or "",
                title=found.title,
                artist=found.artist,
                year=about.year,
                total_tracks=about.total_tracks,
                score=judgement.score,
                penalties=judgement.penalties,
            ),
        ),
    )


def facts(album: AlbumRecord) -> Facts:
    """What of a record tells albums apart."""
    year = (album.release_date or "")[:4]
    return Facts(
        artist=album.artist,
        title=album.title,
        year=int(year) if year.isascii() and year.isdigit() else None,
        total_tracks=len(album.tracks) or None,
        tracks=album.tracks,
    )


def _by_identifier(known: AlbumRecord, found: AlbumRecord) -> str:
    """By which identifier they are the same; "" when by none."""
    for service in sorted(known.ids.keys() & found.ids.keys()):
        if known.ids[service] and known.ids[service] == found.ids[service]:
            return _METHODS.get(service, "id")
    if (upc := tidy_upc(known.upc)) and upc == tidy_upc(found.upc):
        return "upc"
    if _enough(known.tracks, found.tracks, _isrcs(known.tracks) & _isrcs(found.tracks)):
        return "isrc"
    for service in sorted({s for t in known.tracks for s in t.ids}):
        if _enough(known.tracks, found.tracks, _ids(known.tracks, service) & _ids(found.tracks, service)):
            return _METHODS.get(service, "id")
    return ""


def _enough(one: Sequence[TrackRecord], other: Sequence[TrackRecord], shared: frozenset[str]) -> bool:
    shorter, longer = sorted((len(one), len(other)))
    return (
        len(shared) >= _FEWEST_SHARED
        and len(shared) >= _SHARED_OF_SHORTER * shorter
        and len(shared) >= _SHARED_OF_LONGER * longer
    )


def _isrcs(tracks: Sequence[TrackRecord]) -> frozenset[str]:
    return frozenset(isrc for t in tracks if (isrc := tidy_isrc(t.isrc)))


def _ids(tracks: Sequence[TrackRecord], service: str) -> frozenset[str]:
    return frozenset(i for t in tracks if (i := t.ids.get(service)))
