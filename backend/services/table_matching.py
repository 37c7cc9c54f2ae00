"""Which stored album an album of a table is: by what services call it, by what was said before, else by names and the judge."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from backend.ingestion.matcher import Candidate, choose
from backend.ingestion.tables.records import Album
from backend.models.ingestion_models import AlbumQuery
from backend.repositories.table_store import Stored
from backend.utils.errors import RecordNotFoundError
from backend.utils.identifiers import derive

_DEFINING: Final = ("spotify", "musicbrainz")
"""Services whose identifiers tell one album from another."""


@dataclass(frozen=True, slots=True)
class Found:
    """The stored album, and how it was found: id, name, or said (the table's source says it of this album already)."""

    stored: Stored
    method: str
    score: float = 1.0
    penalties: tuple[tuple[str, float], ...] = ()


class TableMatching:
    """Finds stored albums for one import.

    Args:
        source: whose table it is.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._given: set[str] = set()  # ids of albums that this import has made
        self._by_key: dict[tuple[str, str], list[Stored]] = {}
        self._open: dict[str, list[Stored]] = {}
        self._by_name: dict[tuple[str, str], Stored] = {}
        self._ids: set[str] = set()

    def know(self, stored: Iterable[Stored]) -> None:
        """Take in the stored albums around the next part; those of earlier parts are forgotten."""
        by_key, open_ = defaultdict(list), defaultdict(list)
        self._by_name, self._ids = {}, set()
        for one in stored:
            self._ids.add(one.id)
            by_key[one.artist_key, one.title_key].append(one)
            if one.digest is None:
                open_[one.artist_key].append(one)
            for name in one.ids.items():
                self._by_name.setdefault(name, one)
        self._by_key, self._open = dict(by_key), dict(open_)

    def find(self, album: Album) -> Found | None:
        """The stored album, or None when none is near enough.

        An album of which the source says something is found by its identifier or its very names alone: rows of a table are as
        many albums. One that a service calls by another identifier is another album.

        Raises:
            AmbiguousError: several are equally near.
        """
        for name in album.ids.items():
            if (stored := self._by_name.get(name)) is not None:
                return Found(stored, "id" if stored.digest is None else "said")
        for stored in self._by_key.get((album.artist_key, album.title_key), ()):
            if stored.digest is not None and stored.id not in self._given and not _contrary(stored, album):
                return Found(stored, "said")
        rivals = [
            s for s in self._open.get(album.artist_key, ()) if s.id not in self._given and not _contrary(s, album)
        ]
        if not rivals:
            return None
        candidates = [Candidate(s.id, s.artist, s.title, s.year, s.total_tracks) for s in rivals]
        try:
            match = choose(AlbumQuery(album=album.title, artist=album.artist, known=album.record), candidates)
        except RecordNotFoundError:
            return None
        stored = next(s for s in rivals if s.id == match.candidate.id)
        self._given.add(stored.id)  # no second album of the table is this one
        return Found(stored, "name", match.score, tuple(match.penalties.items()))

    def new_id(self, album: Album) -> str:
        """An id for an album of its own, which no other has; the same for the same table each time."""
        usual = album.usual_id
        if usual in self._ids or usual in self._given:
            called = next(iter(sorted(album.ids.items())), (self._source, album.release_date or ""))
            usual = derive("album", album.artist_key, album.title_key, *called)
        self._given.add(usual)
        return usual

    def forget(self, album_id: str) -> None:
        """Take back an id that was given: the album is looked up again."""
        self._given.discard(album_id)


def _contrary(stored: Stored, album: Album) -> bool:
    """Whether a service calls the two by different identifiers."""
    return any(stored.ids.get(s, key) != key for s, key in album.ids.items() if s in _DEFINING)
