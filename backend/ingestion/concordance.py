"""Which track of one source is which track of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from backend.ingestion.alignment import align
from backend.ingestion.said import Said, by_trust
from backend.models.ingestion_models import TrackRecord

_LAST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Concordance:
    """The track lists of several sources laid onto that of the one most trusted with lists.

    Attributes:
        lister: whose list it is.
        rows: for each of its tracks, in the order of disc and number: source -> index of the track in its list.
    """

    lister: str
    rows: tuple[Mapping[str, int], ...]

    @classmethod
    def of(cls, said: Sequence[Said]) -> Concordance | None:
        """Lay the lists onto each other; None when nobody trusted with it has a list.

        The most trusted ones first: a source that tells tracks only by what another calls them is laid on by way of that one.
        """
        lists = [s for s in by_trust(said, "tracks") if s.album.tracks]
        lister = next((s for s in lists if s.trust("tracks") > 0), None)
        if lister is None:
            return None
        tracks = lister.album.tracks
        order = sorted(range(len(tracks)), key=lambda i: (tracks[i].disc_number, tracks[i].track_number or _LAST))
        reference = [tracks[i] for i in order]
        rows = [{lister.source: i} for i in order]
        for s in lists:
            if s is lister:
                continue
            for theirs, ours in align(reference, s.album.tracks).items():
                rows[ours][s.source] = theirs
                reference[ours] = _known_as(reference[ours], s.album.tracks[theirs])
        return cls(lister.source, tuple(rows))

    def of_sources(self, row: Mapping[str, int], said: Sequence[Said]) -> dict[str, TrackRecord]:
        """What each source says of the track of a row."""
        return {s.source: s.album.tracks[row[s.source]] for s in said if s.source in row}


def _known_as(track: TrackRecord, other: TrackRecord) -> TrackRecord:
    """A track with the identifiers that another source has of it besides."""
    if not other.ids.keys() - track.ids.keys() and (track.isrc or not other.isrc):
        return track
    return replace(track, ids=other.ids | track.ids, isrc=track.isrc or other.isrc)
