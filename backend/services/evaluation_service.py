"""How good recommendations are on the catalogue that is stored: by listening histories, or by playlists of a file."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from backend.models.results import TrackFilter
from backend.repositories.sittings import Sittings
from backend.services.tracks import TrackTables

if TYPE_CHECKING:
    import pyarrow as pa

    from backend.features.evaluation.catalogue import Given
    from backend.features.evaluation.files import Play
# What imports Arrow is imported inside functions: `tensoe --help` does not wait for it.

_EVERYTHING: Final = 2**31 - 1


class EvaluationService:
    """Gathers what is evaluated on.

    Args:
        tracks: the catalogue.
        sittings: what listeners heard.
    """

    def __init__(self, tracks: TrackTables, sittings: Sittings) -> None:
        self._tracks = tracks
        self._sittings = sittings

    async def heard(self) -> Given:
        """The catalogue, and everybody's sittings as playlists."""
        heard = await self._sittings.sittings()

        def gather() -> Given:
            from backend.features.evaluation.catalogue import Given, listed

            table = self._catalogue()
            ids: Sequence[str] = table.column("id").to_pylist()
            place = {track: i for i, track in enumerate(ids)}
            pairs = [(s.name, place[track]) for s in heard for track in s.tracks if track in place]
            return Given(table, listed(pairs, ids))

        return await asyncio.to_thread(gather)

    async def playlists(self, path: Path) -> Given:
        """The catalogue, and playlists of a file of its tracks.

        Raises:
            InvalidInputError: the file cannot be read, or names no tracks.
        """

        def gather() -> Given:
            from backend.features.evaluation.catalogue import onto

            return onto(path, self._catalogue())

        return await asyncio.to_thread(gather)

    async def plays(self) -> list[Play]:
        """Who played whom, of all listeners."""
        from backend.features.evaluation.files import Play

        return [Play(listener, artist, float(plays)) for listener, artist, plays in await self._sittings.plays()]

    def _catalogue(self) -> pa.Table:
        from backend.features.discovery.rows import READS

        columns = (*READS, "spotify_id")
        return self._tracks.arrow(TrackFilter(), limit=_EVERYTHING, columns=columns).sort_by("id")
