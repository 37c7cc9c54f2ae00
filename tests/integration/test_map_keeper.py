"""The map as services keep it: drawn in the background, shared by processes, given up when the server stops."""

from __future__ import annotations

import asyncio
import fcntl
from pathlib import Path

import numpy as np

from backend.features.map.picture import Picture
from backend.models.ingestion_models import RightsLevel
from backend.models.map import MapProgress
from backend.repositories.album_moments import AlbumMoments
from backend.repositories.database import Database
from backend.repositories.track_reader import TrackReader
from backend.services.index_keeper import IndexKeeper
from backend.services.map_keeper import MapKeeper
from backend.services.worker_threads import WorkerThreads
from tests.integration.catalogue import fill

ANY = RightsLevel.ANY


def keeper_of(database: Database, folder: Path) -> MapKeeper:
    index = IndexKeeper(TrackReader(database), AlbumMoments(database), threads=WorkerThreads(), look=0.0)
    return MapKeeper(index, folder)


async def there(keeper: MapKeeper) -> Picture:
    found = await keeper.picture(ANY, patience=None)
    assert isinstance(found, Picture)
    return found


def places(picture: Picture) -> dict[str, tuple[int, int]]:
    rows = np.arange(len(picture))
    return {card["id"]: (card["x"], card["y"]) for card in picture.cards(rows)}


async def test_who_does_not_wait_is_told_how_far_it_is(database: Database, tmp_path: Path) -> None:
    await fill(database, albums=60)
    keeper = keeper_of(database, tmp_path)
    told = []
    while isinstance(found := await keeper.picture(ANY, patience=0.0), MapProgress):
        told.append(found.done)
        await asyncio.sleep(0.01)
    assert told == sorted(told)
    assert 0 <= told[0] <= told[-1] <= 1
    assert told[-1] > 0.2
    assert keeper.progress(ANY) is None
    before = places(found)
    assert await keeper.rebuild(ANY) == MapProgress(done=0.0)
    assert await keeper.picture(RightsLevel.ANY, patience=0.0) is found, (
        "the old one answers until the new one is there"
    )
    await keeper.finished(ANY)
    anew = await there(keeper)
    assert anew.plane.layout != found.plane.layout
    assert places(anew) == before, "of the same tracks the same picture"
    await keeper.close()


async def test_processes_that_grow_one_map_place_each_track_once(database: Database, tmp_path: Path) -> None:
    await fill(database, albums=60)
    keepers = [keeper_of(database, tmp_path) for _ in range(3)]
    first = await asyncio.gather(*map(there, keepers))
    assert len({picture.plane.layout for picture in first}) == 1
    await fill(database, albums=75)
    grown = await asyncio.gather(*map(there, keepers))
    assert len({picture.version for picture in grown}) == 1
    assert places(first[0]).items() <= places(grown[0]).items()
    assert len(grown[0]) > len(first[0])
    for keeper in keepers:
        await keeper.close()


async def test_a_map_that_another_process_draws_is_waited_for_and_given_up_when_the_server_stops(
    database: Database, tmp_path: Path
) -> None:
    await fill(database, albums=20)
    keeper = keeper_of(database, tmp_path)
    tmp_path.mkdir(exist_ok=True)
    with (tmp_path / ".any.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert isinstance(await keeper.picture(ANY, patience=0.5), MapProgress)
        await keeper.close()  # waits for no lock
    assert not (tmp_path / "any.npz").exists()


async def test_a_map_that_cannot_be_read_or_stored_costs_no_answer(database: Database, tmp_path: Path) -> None:
    await fill(database, albums=20)
    folder = tmp_path / "maps"
    folder.mkdir()
    (folder / "any.npz").write_bytes(b"no map")
    drawn = await there(keeper_of(database, folder))
    assert len(drawn) > 100
    (tmp_path / "file").write_text("no folder")
    assert places(await there(keeper_of(database, tmp_path / "file"))) == places(drawn)
