"""Indexes on disk, one a level of rights: there whole or not at all."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from backend.models.ingestion_models import RightsLevel
from backend.utils.errors import InvalidInputError

if TYPE_CHECKING:
    import pyarrow as pa

    from backend.features.discovery.index import DiscoveryIndex
# What imports Arrow is imported inside functions: the server's start-up does not wait for it.

log = structlog.get_logger(__name__)

_MOMENTS: Final = "moments.arrow"
_HEARD: Final = b"tensoe.heard"


@dataclass(frozen=True, slots=True)
class Kept:
    """An index, when the albums that it holds last changed (`id`, `moved`), and whose listening it was learnt from."""

    index: DiscoveryIndex
    moments: pa.Table
    heard: str


class IndexFolders:
    """Keeps and opens indexes.

    Args:
        folder: where they stand; made when the first one is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, rights: RightsLevel, kept: Kept) -> None:
        """Store an index as it was built, in place of the one before.

        Raises:
            OSError: the disk does not take it.
        """
        import pyarrow as pa

        from backend.features.discovery.storing import save

        self._folder.mkdir(parents=True, exist_ok=True)
        made = self._folder / f".{rights}-{secrets.token_hex(8)}.unfinished"
        made.mkdir()
        try:
            save(kept.index, made)
            moments = kept.moments.replace_schema_metadata({_HEARD: kept.heard.encode()})
            with pa.OSFile(str(made / _MOMENTS), "wb") as sink, pa.ipc.new_file(sink, moments.schema) as writer:
                writer.write_table(moments)
            final = self._folder / str(rights)
            # Whoever has mapped the old files keeps them until he lets them go.
            shutil.rmtree(final, ignore_errors=True)
            made.rename(final)
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def open(self, rights: RightsLevel) -> Kept | None:
        """The stored index of a level; None when there is none that can be read."""
        import pyarrow as pa

        from backend.features.discovery.storing import open_index

        folder = self._folder / str(rights)
        if not folder.is_dir():
            return None
        try:
            index = open_index(folder)
            with pa.OSFile(str(folder / _MOMENTS)) as source:
                moments = pa.ipc.open_file(source).read_all()
        except (InvalidInputError, OSError, pa.ArrowInvalid) as problem:
            log.warning("the stored index of similar tracks cannot be read; it is built anew", fault=str(problem))
            return None
        heard = (moments.schema.metadata or {}).get(_HEARD, b"").decode()
        return Kept(index, moments.replace_schema_metadata(None), heard)

    def clear(self) -> None:
        """Remove all of them."""
        shutil.rmtree(self._folder, ignore_errors=True)
