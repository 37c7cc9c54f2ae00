"""The map of all tracks: its points, what it is coloured by, what is written on it, and the tracks behind the points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from cachetools import LRUCache

from backend.models.discovery import PlaylistEntry
from backend.models.ingestion_models import RightsLevel
from backend.models.map import MapOverview, MapProgress, MapState
from backend.models.map_columns import ColumnName
from backend.models.results import TrackFilter
from backend.services.map_choice import MapChoice
from backend.services.map_columns import MapColumns, family_of
from backend.services.map_keeper import MapKeeper
from backend.services.tracks import TrackTables
from backend.services.worker_threads import Produce, WorkerThreads
from backend.utils.errors import BusyError, ConflictError, InvalidInputError

if TYPE_CHECKING:
    from backend.features.map.columns import MapColumn
    from backend.features.map.labels import MapLabel
    from backend.features.map.layout import Rows
    from backend.features.map.picture import Picture
# What imports Arrow is imported inside functions, in a thread: the server's start-up does not wait for it.

MOST: Final = 1_000
"""Tracks of one answer."""
MOST_LISTED: Final = 20_000
"""Tracks of one playlist."""
_LOOKED_AT: Final = 2_000  # tracks that hold what is searched for, of which the most alike are answered
_LABELS: Final = 4
_ROWS: Final = 50_000  # of a batch of Arrow


class Details(Protocol):
    """Tracks as playlists name them; `repositories.playlist_tracks` has them."""

    async def of(self, ids: Sequence[str], *, rights: RightsLevel = RightsLevel.ANY) -> list[PlaylistEntry]:
        """In the order of the ids; those that are gone are left out."""
        ...


class MapService:
    """Answers out of the map.

    Args:
        keeper: has the map.
        columns: makes what it is coloured by.
        tracks: finds tracks by their names.
        details: what playlists say of tracks.
        threads: run what blocks.
    """

    def __init__(
        self, keeper: MapKeeper, columns: MapColumns, tracks: TrackTables, details: Details, *, threads: WorkerThreads
    ) -> None:
        self._keeper = keeper
        self._columns = columns
        self._tracks = tracks
        self._details = details
        self._threads = threads
        self._labels: LRUCache[tuple[str, str], list[MapLabel]] = LRUCache(_LABELS)

    async def overview(self, rights: RightsLevel) -> MapOverview:
        """What there is of a level's map; begins to draw it where there is none."""
        from backend.features.map.plane import FEW, GRID

        found = await self._keeper.picture(rights)
        if isinstance(found, MapProgress):
            return MapOverview(
                state=MapState.DRAWING, version=None, layout=None, points=0, drawn=0, grid=GRID, progress=found.done
            )
        working = self._keeper.progress(rights)
        n = len(found)
        return MapOverview(
            state=MapState.EMPTY if n == 0 else MapState.FEW if n < FEW else MapState.READY,
            version=found.version,
            layout=found.plane.layout,
            points=n,
            drawn=found.plane.drawn,
            grid=GRID,
            progress=None if working is None else working.done,
        )

    async def picture(self, rights: RightsLevel) -> Picture | MapProgress:
        """The map, or how far it is."""
        return await self._keeper.picture(rights)

    async def whole(self, rights: RightsLevel) -> Picture:
        """The map, however long it takes; for who has nothing else to do."""
        found = await self._keeper.picture(rights, patience=None)
        assert not isinstance(found, MapProgress)
        return found

    async def rebuild(self, rights: RightsLevel) -> MapProgress:
        """Draw the map anew in the background; every point may stand elsewhere afterwards."""
        return await self._keeper.rebuild(rights)

    async def rebuilt(self, rights: RightsLevel) -> MapOverview:
        """The same, to its end."""
        await self._keeper.rebuild(rights)
        await self._keeper.finished(rights)
        await self.whole(rights)
        return await self.overview(rights)

    async def column(self, rights: RightsLevel, name: ColumnName) -> tuple[Picture, MapColumn]:
        """What the map is coloured by, and the map that it belongs to.

        Raises:
            BusyError: the map is being drawn.
        """
        picture = await self._there(rights)
        return picture, await self._threads.run(lambda: self._columns.of(picture, rights, name))

    async def labels(self, rights: RightsLevel) -> tuple[Picture, list[MapLabel]]:
        """What is written on the map.

        Raises:
            BusyError: the map is being drawn.
        """
        picture = await self._there(rights)
        key = (picture.version, picture.index.version)

        def find() -> list[MapLabel]:
            from backend.features.map.labels import labels_of

            return labels_of(picture, family_of)

        if (found := self._labels.get(key)) is None:
            found = self._labels[key] = await self._threads.run(find)
        return picture, found

    async def tracks(self, rights: RightsLevel, choice: MapChoice, *, limit: int) -> dict[str, Any]:
        """The tracks behind some points; what is searched for, the most alike first.

        Args:
            rights: the level.
            choice: which.
            limit: at most so many, 1 to `MOST`.

        Returns:
            `version`, `count` (all that are meant) and `data`: each with `row`, `x`, `y` and what is shown of it.

        Raises:
            InvalidInputError: the limit is not allowed, or a row is none of the map's.
            ConflictError: the map has another version.
            BusyError: the map is being drawn.
        """
        most = _bounded(limit, MOST)
        picture = await self._version(rights, choice.version)

        def find() -> dict[str, Any]:
            rows = self._rows(picture, rights, choice)
            return {"version": picture.version, "count": len(rows), "data": picture.cards(rows[:most])}

        return await self._threads.run(find)

    async def entries(self, rights: RightsLevel, choice: MapChoice, *, limit: int) -> list[PlaylistEntry]:
        """The same as playlists name them; see `tracks`, but up to `MOST_LISTED`."""
        most = _bounded(limit, MOST_LISTED)
        picture = await self._version(rights, choice.version)
        ids = await self._threads.run(lambda: picture.ids(self._rows(picture, rights, choice)[:most]))
        return await self._details.of(ids, rights=rights)

    def _rows(self, picture: Picture, rights: RightsLevel, choice: MapChoice) -> Rows:
        import numpy as np

        rows = choice.on(picture) if choice.q is None else self._search(picture, rights, choice.q)
        if choice.column is None:
            return rows
        values = self._columns.of(picture, rights, choice.column).values
        return rows[np.isin(values[rows], np.array(choice.codes, np.int64))]

    def _search(self, picture: Picture, rights: RightsLevel, q: str) -> Rows:
        """Rows of tracks whose title, artist or album holds a text, the most alike first."""
        import numpy as np

        found = self._tracks.arrow(TrackFilter(q=q, rights=rights), limit=_LOOKED_AT, columns=["id"])
        rows = picture.rows_of(found.column("id").to_pylist())
        cards = picture.cards(rows)
        order = sorted(range(len(rows)), key=lambda i: (_unlike(q, cards[i]), cards[i]["title"], cards[i]["id"]))
        return rows[np.array(order, np.int64)]

    async def arrow(self, rights: RightsLevel, names: Sequence[ColumnName]) -> Produce:
        """The map as an Arrow stream: `id`, `title`, `artist`, `x`, `y`, and what is asked for; for `WorkerThreads.stream`.

        Raises:
            BusyError: the map is being drawn.
        """
        picture = await self._there(rights)

        def produce(sink: Any) -> None:
            import pyarrow as pa

            columns = {str(name): self._columns.of(picture, rights, name).values for name in names}
            table = picture.index.rows.table
            schema = pa.schema(
                [
                    *((name, pa.string()) for name in ("id", "title", "artist")),
                    *((name, pa.uint16()) for name in ("x", "y")),
                    *((name, pa.from_numpy_dtype(values.dtype)) for name, values in columns.items()),
                ]
            )
            with pa.ipc.new_stream(sink, schema) as writer:
                for start in range(0, len(picture), _ROWS):
                    part = slice(start, start + _ROWS)
                    shown = table.select(["id", "title", "artist"]).take(pa.array(picture.rows[part]))
                    arrays = [column.combine_chunks().cast(pa.string()) for column in shown.columns]
                    arrays += [pa.array(picture.at[part, axis]) for axis in (0, 1)]
                    arrays += [pa.array(values[part]) for values in columns.values()]
                    writer.write_batch(pa.record_batch(arrays, schema=schema))

        return produce

    async def close(self) -> None:
        """Give up a map that is being drawn."""
        await self._keeper.close()

    def stream(self, produce: Produce) -> Any:
        """What it writes, in chunks."""
        return self._threads.stream(produce)

    async def _there(self, rights: RightsLevel) -> Picture:
        found = await self._keeper.picture(rights)
        if isinstance(found, MapProgress):
            raise BusyError(f"The map is being drawn ({found.done:.0%}); ask again soon", retry_after=1)
        return found

    async def _version(self, rights: RightsLevel, version: str | None) -> Picture:
        picture = await self._there(rights)
        if version is not None and version != picture.version:
            raise ConflictError(
                f"The map is {picture.version} now, and rows of {version[:40]!r} are others on it; load the map again"
            )
        return picture


def _unlike(q: str, card: dict[str, Any]) -> float:
    """A title that is what was typed comes before an artist, an album's name last: it stands at all of its tracks."""
    from rapidfuzz import fuzz, utils

    shown = {card["title"]: 1.0, card["artist"]: 0.95, f"{card['artist']} {card['title']}": 1.0}
    alike = {text: fuzz.ratio(q, text, processor=utils.default_process) * weight for text, weight in shown.items()}
    album = 0.6 * fuzz.ratio(q, card["album"] or "", processor=utils.default_process)
    holds = 15.0 if utils.default_process(q) in utils.default_process(card["title"]) else 0.0
    return -max(album, *alike.values()) - holds


def _bounded(limit: int, most: int) -> int:
    if not 1 <= limit <= most:
        raise InvalidInputError(f"limit={limit} is not allowed; it is 1 to {most:,}")
    return limit
