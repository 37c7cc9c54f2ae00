"""What a map is coloured by: out of the index, or out of the database where no index holds it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from cachetools import LRUCache

from backend.models.ingestion_models import RightsLevel
from backend.models.map_columns import ColumnName

if TYPE_CHECKING:
    import pandas as pd

    from backend.features.map.columns import MapColumn
    from backend.features.map.picture import Picture
# What imports Arrow is imported inside functions, in a thread: the server's start-up does not wait for it.

_KEPT: Final = 12

Told: TypeAlias = tuple[Sequence[str], Sequence[Any]]
"""Ids, and a value of each."""


class Figures(Protocol):
    """What no index holds; `repositories.map_figures` has it. Blocking."""

    def scores(self, rights: RightsLevel) -> Iterator[Told]:
        """Ids of tracks that have a score, and the scores."""
        ...

    def sources(self, rights: RightsLevel) -> Iterator[Told]:
        """Ids of tracks, and the source of each."""
        ...


class MapColumns:
    """Makes columns, and keeps the latest; blocking.

    Args:
        figures: what no index holds.
    """

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._kept: LRUCache[tuple[str, str, str], MapColumn] = LRUCache(_KEPT)

    def of(self, picture: Picture, rights: RightsLevel, name: ColumnName) -> MapColumn:
        """A column of a map of this level."""
        from backend.features.map.columns import column_of

        key = (picture.version, picture.index.version, str(name))
        found = self._kept.get(key)
        if found is None:
            if name is ColumnName.SCORE:
                found = _numbers(picture, self._figures.scores(rights))
            elif name is ColumnName.SOURCE:
                found = _names(picture, self._figures.sources(rights))
            else:
                found = column_of(picture, name, family_of)
            self._kept[key] = found
        return found


@cache
def family_of(genre: str) -> str:
    """The genre at the top of the tree that a genre hangs under first; itself when it hangs under none."""
    from backend.ingestion import vocabulary  # late: thousands of names that a start need not read

    seen = {genre}
    while above := vocabulary.parents(genre):
        if above[0] in seen:
            break
        genre = above[0]
        seen.add(genre)
    return genre


def named(column: MapColumn) -> pd.Series[Any]:
    """A column as people read it: names of classes, or numbers; what is not known is missing."""
    import pandas as pd

    values = pd.Series(column.values)
    if column.legend["kind"] == "class":
        return values.map({c["code"]: c["name"] for c in column.legend["classes"]}).astype("category")
    return values.where(values != column.legend["unknown"]).astype("Int64")


def _numbers(picture: Picture, told: Iterable[Told]) -> MapColumn:
    """What is told of some tracks, part by part, over all points."""
    import numpy as np

    from backend.features.map.columns import MapColumn

    found = np.full(len(picture), np.nan)
    for ids, values in told:
        there, rows = picture.found(ids)
        found[rows] = np.array(values, np.float64)[there]
    return MapColumn.of_numbers(found, np.uint8)


def _names(picture: Picture, told: Iterable[Told]) -> MapColumn:
    """The same of names."""
    import numpy as np

    from backend.features.map.columns import MapColumn

    places: dict[str, int] = {}
    found = np.full(len(picture), -1, np.int64)
    for ids, values in told:
        there, rows = picture.found(ids)
        codes = [-1 if name is None else places.setdefault(name, len(places)) for name in values]
        found[rows] = np.array(codes, np.int64)[there]
    return MapColumn.of_codes(found, list(places))
