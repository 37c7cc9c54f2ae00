"""What a map is coloured by: out of the index, or out of the database where no index holds it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from cachetools import LRUCache

from backend.models.ingestion_models import RightsLevel
from backend.models.map_columns import ColumnName

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from backend.features.map.columns import MapColumn
    from backend.features.map.picture import Picture
# What imports Arrow is imported inside functions, in a thread: the server's start-up does not wait for it.

_KEPT: Final = 12


class Figures(Protocol):
    """What no index holds; `repositories.map_figures` has it. Blocking."""

    def scores(self, rights: RightsLevel) -> pa.Table:
        """`id` and `value` of tracks that have a score."""
        ...

    def sources(self, rights: RightsLevel) -> pa.Table:
        """`id` and `value`, the source of each track."""
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
                found = _spread(picture, self._figures.scores(rights), numbers=True)
            elif name is ColumnName.SOURCE:
                found = _spread(picture, self._figures.sources(rights), numbers=False)
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


def _spread(picture: Picture, told: pa.Table, *, numbers: bool) -> MapColumn:
    """What is told of some tracks, over all points."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from backend.features.map.columns import MapColumn

    ids = picture.index.rows.table.column("id").cast(pa.string())
    value_set = told.column("id").combine_chunks().cast(pa.string())
    at = pc.index_in(ids, value_set=value_set).combine_chunks().take(pa.array(picture.rows))
    values = told.column("value").take(at)
    if not numbers:
        return MapColumn.of_names(values.combine_chunks())
    known = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return MapColumn.of_numbers(known.astype(np.float64), np.uint8)
