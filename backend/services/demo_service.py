"""Made-up albums by the thousand, for trying things out; and taking all stand-ins out again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from backend.ingestion.insert_to_supabase import Merging
from backend.models.ingestion_models import Rights, SourceRecord
from backend.repositories.album_removal import AlbumRemoval
from backend.repositories.album_store import AlbumRepository
from backend.utils.errors import InvalidInputError

if TYPE_CHECKING:
    from backend.repositories.album_store import Item

MOST_ALBUMS: Final = 200_000


class DemoService:
    """Stores and removes what is not real.

    Args:
        store: where albums are kept.
        removal: takes albums out again.
        merging: how records become rows.
        stored: awaited after the catalogue changed, to empty caches.
    """

    def __init__(
        self,
        store: AlbumRepository,
        removal: AlbumRemoval,
        merging: Merging,
        *,
        stored: Callable[[], Awaitable[None]],
    ) -> None:
        self._stored = stored
        self._store = store
        self._removal = removal
        self._merging = merging

    async def generate(self, albums: int, *, seed: int) -> int:
        """Store made-up albums; the same seed gives the same ones, so doing it twice adds nothing.

        Raises:
            InvalidInputError: the number is not between 1 and 200,000.
        """
        if not 1 <= albums <= MOST_ALBUMS:
            raise InvalidInputError(f"{albums:,} made-up albums; ask for 1 to {MOST_ALBUMS:,}")
        count = await self._store.save_many(self._items(albums, seed=seed))
        await self._stored()
        return count

    def _items(self, albums: int, *, seed: int) -> Iterator[Item]:
        from backend.demo.generator import generate  # late: NumPy is not needed to start

        source = next(p for p in self._merging.profiles.values() if p.rights is Rights.SYNTHETIC)
        now = datetime.now(UTC)
        for made_up in generate(albums, seed=seed):
            record = SourceRecord(source=source.name, rights=source.rights, fetched_at=now, album=made_up)
            yield self._merging.levels([record], album_id=None), [record]

    async def remove(self) -> int:
        """Remove the albums that only stand-ins know: the demo's and the made-up ones; how many there were."""
        count = await self._removal.known_only_to([p.name for p in self._merging.profiles.values() if p.stand_in])
        await self._stored()
        return count
