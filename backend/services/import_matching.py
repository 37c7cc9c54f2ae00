"""Which stored album a page or a row of a table is about: by link or number, else by names; or that it is a new one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from backend.ingestion.matcher import Candidate, choose
from backend.ingestion.normalizer import tidy_text
from backend.models.ingestion_models import AlbumQuery, AlbumRecord
from backend.repositories.import_targets import Target
from backend.utils.errors import RecordNotFoundError
from backend.utils.identifiers import derive
from backend.utils.text import fold_name

SOURCE: Final = "aoty"

Key = tuple[str, str, str]
"""Folded artist, folded title, year of release: what a table calls an album by."""


@dataclass(frozen=True, slots=True)
class Found:
    """The stored album, and how it was found."""

    target: Target
    method: str  # link, id, name, or said: its source says it of this album already
    score: float = 1.0
    penalties: tuple[tuple[str, float], ...] = ()


def agree(one: Key, other: Key) -> bool:
    """Whether both may be one album; a year that is not said agrees with every year."""
    return one[:2] == other[:2] and (one[2] == other[2] or not one[2] or not other[2])


def key_of(album: AlbumRecord) -> Key:
    """What tells the albums of one table apart."""
    artist, title = (fold_name(tidy_text(name) or "") for name in (album.artist, album.title))
    return artist, title, (album.release_date or "")[:4]


class Matching:
    """The stored albums around some pages or rows, and who of the same import has taken which.

    Args:
        targets: what `ImportTargets.find` found for them.
        taken: by stored album, the row that it became; kept over all parts of one import.
    """

    def __init__(self, targets: Iterable[Target], taken: dict[str, Key]) -> None:
        self._taken = taken
        self._by_artist: defaultdict[str, list[Target]] = defaultdict(list)
        self._by_name: dict[tuple[str, str], Target] = {}
        self._ids: set[str] = set()
        for target in targets:
            self._ids.add(target.id)
            self._by_artist[target.artist_key].append(target)
            for name in target.ids.items():
                self._by_name.setdefault(name, target)

    def find(self, album: AlbumRecord) -> Found | None:
        """The stored album, or None when none is near enough.

        An album of which the source says something else already, or that another row has become, is not this one: rows
        of one table are as many albums. (Editions that share a page share its number.)

        Raises:
            AmbiguousError: several are equally near.
        """
        for service, method in ((SOURCE, "id"), ("spotify", "link")):
            name = album.ids.get(service)
            if name and (target := self._by_name.get((service, name))) is not None and self._is_free(target, album):
                return Found(target, "said" if self._is_said(target, album) else method)
        rivals = [t for t in self._by_artist[key_of(album)[0]] if self._is_free(t, album)]
        if same := next((t for t in rivals if self._is_said(t, album)), None):
            return Found(same, "said")
        # Those that the source calls something are found by that alone, or not at all.
        open_ = [t for t in rivals if t.said is None and t.id not in self._taken]
        candidates = [Candidate(t.id, t.artist, t.title, t.year, t.total_tracks) for t in open_]
        try:
            match = choose(AlbumQuery(album=album.title, artist=album.artist, known=album), candidates)
        except RecordNotFoundError:
            return None
        target = next(t for t in open_ if t.id == match.candidate.id)
        return Found(target, "name", match.score, tuple(match.penalties.items()))

    def new_id(self, album: AlbumRecord) -> str:
        """An id for an album of its own, which no stored one has; the same for the same row each time."""
        artist, title, year = key_of(album)
        usual = derive("album", artist, title)
        number = album.ids.get(SOURCE)
        return derive("album", artist, title, SOURCE, number or year) if self._has(usual, album) else usual

    def take(self, album_id: str, album: AlbumRecord) -> None:
        """Note what a row became."""
        self._taken[album_id] = key_of(album)

    def _has(self, album_id: str, album: AlbumRecord) -> bool:
        return album_id in self._ids or not self._is_mine(album_id, album)

    def _is_mine(self, album_id: str, album: AlbumRecord) -> bool:
        taken = self._taken.get(album_id)
        return taken is None or agree(taken, key_of(album))

    def _is_free(self, target: Target, album: AlbumRecord) -> bool:
        return self._is_mine(target.id, album) and (target.said is None or self._is_said(target, album))

    def _is_said(self, target: Target, album: AlbumRecord) -> bool:
        """Whether the source speaks of this very album there."""
        if target.said is None:
            return target.id in self._taken and self._is_mine(target.id, album)
        said = target.said.album
        mine, theirs = album.ids.get(SOURCE), said.ids.get(SOURCE)
        if mine and theirs:
            return mine == theirs
        return agree(key_of(album), key_of(said))
