"""What collecting needs of the store; `repositories` has it, `startup` passes it in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from backend.ingestion.merger import Levels
from backend.models.ingestion_models import AlbumNames, SourceRecord

Estimate = Callable[[Levels], Levels]
"""Fills in audio features that nobody measured: of each level by a model that was learnt from values of that level alone."""


class Prepare(Protocol):
    """Loads the newest models; looks for them now and then, or at once."""

    async def __call__(self, *, now: bool = False) -> None:
        """Look, when asked to or when the last look was a while ago."""
        ...


class AlbumTransaction(Protocol):
    """A transaction of one album, or of several that are none of them the same: all is stored at the end, or nothing."""

    async def locate(self, names: Sequence[AlbumNames]) -> list[str | None]:
        """The id of each stored album: by what services call it, else by its folded names; None when it is new."""
        ...

    async def taken(self, album_ids: Collection[str]) -> set[str]:
        """Those ids that an album has already."""
        ...

    async def records(self, album_ids: Collection[str]) -> dict[str, list[SourceRecord]]:
        """What is currently known of each, per source."""
        ...

    async def save(self, albums: Sequence[tuple[Levels, Sequence[SourceRecord]]]) -> None:
        """Store the records asked for now and the albums merged from all current ones, at each level of rights.

        A record equal to the current one of its source only moves `fetched_at`; another closes it and opens a new one.
        Tracks that the merge no longer has are removed, and so is the album at levels that it is no longer there at.
        """
        ...


class AlbumStore(Protocol):
    """Where albums are kept."""

    def transaction(self, lock: Sequence[str]) -> AbstractAsyncContextManager[AlbumTransaction]:
        """Begin; others that name one of the same locks wait until it ends.

        Names that begin with "found:" are those of albums that are stored, by their id; they are taken last.
        """
        ...
