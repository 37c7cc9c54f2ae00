"""What collecting needs of the store; `repositories` has it, `startup` passes it in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from backend.models.ingestion_models import MergedAlbum, SourceRecord


class AlbumTransaction(Protocol):
    """One album's transaction: all of it is stored at the end, or nothing."""

    async def locate(self, *, ids: Mapping[str, str], artist_key: str, title_key: str) -> str | None:
        """The id of a stored album: by what services call it, else by its folded names; None when it is new.

        A stored album of the same name that a service calls by another id than `ids` does is another album.
        """
        ...

    async def is_taken(self, album_id: str) -> bool:
        """Whether an album has this id already."""
        ...

    async def records(self, album_id: str) -> list[SourceRecord]:
        """What is currently known of it, per source."""
        ...

    async def save(self, album: MergedAlbum, records: Sequence[SourceRecord]) -> None:
        """Store the records asked for now and the album merged from all current ones.

        A record equal to the current one of its source only moves `fetched_at`; another closes it and opens a new one.
        Tracks of the album that the merge no longer has are removed.
        """
        ...


class AlbumStore(Protocol):
    """Where albums are kept."""

    def transaction(self, lock: Sequence[str]) -> AbstractAsyncContextManager[AlbumTransaction]:
        """Begin; others that name one of the same locks wait until it ends."""
        ...
