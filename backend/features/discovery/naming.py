"""Finding tracks of an index by id, or by artist and title in whatever spelling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from rapidfuzz import fuzz, process

from backend.features.discovery.index import DiscoveryIndex
from backend.features.discovery.songs import Codes, artist_code, code, song_key
from backend.features.splits.names import credited, title_key
from backend.utils.errors import NotFoundError
from backend.utils.text import fold_name

_SUGGESTED: Final = 10  # artists not found for whom all names are looked through
_ALIKE: Final = 90.0  # of 100: titles of one artist that are as near are the same, misspelt


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A track as somebody names it: by an id, or by artist and title."""

    id: str | None = None
    artist: str | None = None
    title: str | None = None

    @property
    def words(self) -> str:
        """For people."""
        return self.id or f"{self.artist} – {self.title}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """A track that was not found.

    Attributes:
        place: in the list given, from 0.
        name: as it was given.
        why: in words, with the nearest that there is.
    """

    place: int
    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """What of a list was found.

    Attributes:
        rows: of the tracks found, each once, in the list's order.
        unmatched: the rest.
    """

    rows: Sequence[int]
    unmatched: Sequence[Unmatched]


def match(index: DiscoveryIndex, tracks: Sequence[Named]) -> Matched:
    """Find tracks; of several versions the one of the very title, then the most popular, then the first by id."""
    rows: list[int] = []
    unmatched: list[Unmatched] = []
    for place, named in enumerate(tracks):
        suggest = len(unmatched) < _SUGGESTED
        found = _by_id(index, named.id) if named.id is not None else _by_name(index, named, suggest=suggest)
        if isinstance(found, str):
            unmatched.append(Unmatched(place=place, name=named.words[:200], why=found))
        else:
            rows.append(found)
    return Matched(rows=list(dict.fromkeys(rows)), unmatched=unmatched)


def of_album(index: DiscoveryIndex, album_id: str) -> Codes:
    """The rows of an album.

    Raises:
        NotFoundError: no track of the index is of it.
    """
    rows = _alive(index, index.rows.of_album(code(album_id)))
    if not len(rows):
        raise NotFoundError(f"No track is of an album with the id {album_id[:80]!r}; /albums lists what is stored")
    return rows


def of_artist(index: DiscoveryIndex, name: str) -> Codes:
    """The rows of an artist, by name in whatever spelling.

    Raises:
        NotFoundError: no track of the index is by him; the message names who is called nearly so.
    """
    rows = _alive(index, index.rows.of_artist(artist_code(name)))
    if not len(rows):
        raise NotFoundError(f"No track is by {name[:80]!r}; {_nearest_artists(index, name)}")
    return rows


def _alive(index: DiscoveryIndex, rows: Codes) -> Codes:
    return np.sort(rows[index.rows.alive[rows]])


def _by_id(index: DiscoveryIndex, track_id: str) -> int | str:
    try:
        return index.rows.find(track_id)
    except NotFoundError:
        return "no track has this id"


def _by_name(index: DiscoveryIndex, named: Named, *, suggest: bool) -> int | str:
    artist, title = named.artist or "", named.title or ""
    codes = dict.fromkeys(artist_code(name) for name in (artist, *credited(artist)))
    rows = np.concatenate([_alive(index, index.rows.of_artist(c)) for c in codes]) if codes else np.empty(0, np.int64)
    if not len(rows):
        nearest = f"; {_nearest_artists(index, artist)}" if suggest else ""
        return f"no track is by {artist[:80]!r}{nearest}"
    cards = index.rows.cards(rows)
    keys = [song_key(card["title"] or "") for card in cards]
    wanted = song_key(title)
    same = [i for i, key in enumerate(keys) if key == wanted]
    if not same:
        near, likeness, at = process.extractOne(wanted, keys, scorer=fuzz.ratio)
        if likeness < _ALIKE:
            return f"no track of {cards[0]['artist']!r} is called so; the nearest is {cards[at]['title']!r}"
        same = [i for i, key in enumerate(keys) if key == near]
    popularity = index.rows.table.column("popularity").take(rows).to_pylist()
    best = min(
        same,
        key=lambda i: (title_key(cards[i]["title"] or "") != title_key(title), -(popularity[i] or 0), cards[i]["id"]),
    )
    return int(rows[best])


def _nearest_artists(index: DiscoveryIndex, name: str) -> str:
    """Who is called nearly so, for a message."""
    there = index.rows.table.column("artist").filter(pa.array(index.rows.alive))
    names = there.unique().drop_null().to_pylist()
    found = process.extract(name, names, scorer=fuzz.ratio, processor=fold_name, score_cutoff=75, limit=3)
    near = ", ".join(repr(match[0]) for match in found)
    return f"near are {near}" if near else "/artists lists who there is"
