"""Maps on disk, one a level of rights; several processes share them."""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from backend.models.ingestion_models import RightsLevel
from backend.utils.errors import InvalidInputError

if TYPE_CHECKING:
    from backend.features.discovery.index import DiscoveryIndex
    from backend.features.map.picture import Picture
    from backend.features.map.plane import Plane
# What imports Arrow is imported inside functions: the server's start-up does not wait for it.

log = structlog.get_logger(__name__)

_PAUSE: Final = 0.1  # seconds between tries for the lock


class MapFiles:
    """Keeps and opens planes.

    Args:
        folder: where they stand; made when the first one is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def stamp(self, rights: RightsLevel) -> tuple[int, int] | None:
        """Changes when another plane is kept; None while there is none."""
        try:
            told = self._path(rights).stat()
        except OSError:
            return None
        return told.st_mtime_ns, told.st_ino

    def open(self, rights: RightsLevel) -> Plane | None:
        """The stored plane of a level; None when there is none that can be read."""
        from backend.features.map.storing import open_plane

        path = self._path(rights)
        if not path.is_file():
            return None
        try:
            return open_plane(path)
        except InvalidInputError as problem:
            log.warning("the stored map cannot be read; it is drawn anew", fault=str(problem))
            return None

    def keep(self, rights: RightsLevel, plane: Plane) -> None:
        """Store a plane in place of the one before; a disk that does not take it costs the next start a new drawing."""
        from backend.features.map.storing import save

        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            save(plane, self._path(rights))
        except OSError as problem:
            log.warning("the map could not be stored", fault=str(problem))

    @contextlib.contextmanager
    def alone(self, rights: RightsLevel, waiting: Callable[[], None]) -> Iterator[None]:
        """Keep other processes from changing a level's map meanwhile: two that place the same track would place it twice.

        Args:
            rights: the level.
            waiting: called again and again while another one works; may raise.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = (self._folder / f".{rights}.lock").open("wb")
        except OSError as problem:
            log.warning("the map is not shared with other processes", fault=str(problem))
            yield
            return
        with lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    waiting()
                    time.sleep(_PAUSE)
            yield

    def _path(self, rights: RightsLevel) -> Path:
        return self._folder / f"{rights}.npz"


def renewed(
    files: MapFiles,
    rights: RightsLevel,
    index: DiscoveryIndex,
    *,
    anew: bool = False,
    told: Callable[[float], None] = lambda _share: None,
) -> tuple[Picture, tuple[int, int] | None]:
    """The map of an index, from what is stored where there is something, and the stamp of what is stored now.

    Args:
        files: where maps stand.
        rights: the index's level.
        index: the catalogue.
        anew: draw it though there is one.
        told: how far it is; may raise to end it.
    """
    from backend.features.map.picture import Picture
    from backend.features.map.plane import Plane

    with files.alone(rights, lambda: told(0.0)):
        before = None if anew else files.open(rights)
        if before is None or before.is_outgrown_by(index):
            plane = Plane.drawn_of(index, told=told)
        else:
            plane = before.grown(index, told=told)
        if plane is not before:
            files.keep(rights, plane)
        return Picture.of(index, plane), files.stamp(rights)
