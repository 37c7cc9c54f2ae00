"""The map for a script or a notebook: the same places as over HTTP, blocking, without a server.

Settings are read from the environment and `.env`, as by the server; the map under `TENSOE_HOME` is the server's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from backend.config.settings import AppSettings
from backend.models.ingestion_models import RightsLevel
from backend.models.map_columns import ColumnName
from backend.services.discovery import opened
from backend.utils.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd


def track_map(
    columns: Sequence[str] = ("genre",), *, rights: RightsLevel | str = RightsLevel.ANY, rebuild: bool = False
) -> pd.DataFrame:
    """Every track as a point.

    Args:
        columns: what is wanted besides: genre, mood, year, score, popularity, source.
        rights: "any", "noncommercial" or "open".
        rebuild: draw the map anew; every point may stand elsewhere afterwards, for the server, too.

    Returns:
        A row a track: `id`, `title`, `artist`, `x` and `y` (0 to 65,535), and the columns: names for genre, mood and source,
        numbers for the others; what is not known is missing.

    Raises:
        InvalidInputError: there is no such column or level.
        DatabaseError: the database cannot be used, or has no tables yet.
    """
    from backend.repositories.map_figures import MapFigureTables
    from backend.services.map_columns import MapColumns, named
    from backend.services.map_files import MapFiles, renewed

    try:
        names = [ColumnName(name) for name in columns]
    except ValueError:
        raise InvalidInputError(f"columns={list(columns)!r}: there are {', '.join(ColumnName)}") from None
    with opened(None, rights) as catalogue:
        level, index = catalogue.wanted.rights, catalogue.index()
        picture, _ = renewed(MapFiles(AppSettings.read().tensoe_home / "maps"), level, index, anew=rebuild)
        made = MapColumns(MapFigureTables(catalogue.connection))
        found: pd.DataFrame = picture.index.rows.table.select(["id", "title", "artist"]).take(picture.rows).to_pandas()
        found["x"], found["y"] = picture.at[:, 0], picture.at[:, 1]
        for name in names:
            found[str(name)] = named(made.of(picture, level, name))
    return found
