"""The map, over HTTP, on a real database."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pytest

from backend.repositories.database import Database
from backend.services.track_map import track_map
from backend.utils.errors import InvalidInputError
from tests.acceptance.test_api_bad_input import assert_problem
from tests.fixtures.api import environment, opened
from tests.integration.catalogue import fill

Track = dict[str, Any]


@pytest.fixture
def variables(database: Database, tmp_path: Path) -> dict[str, Any]:
    return {"DATABASE_URL": database.dsn, "TENSOE_HOME": str(tmp_path), "RATE_LIMIT": "off", "TENSOE_DEMO": "off"}


@pytest.fixture
async def mapped(database: Database, variables: dict[str, Any]) -> AsyncIterator[httpx.AsyncClient]:
    """The app over a made-up catalogue whose map is drawn."""
    await fill(database, albums=60)
    async with opened(**variables) as (client, _):
        await points(client)
        yield client


async def points(client: httpx.AsyncClient, **parameters: Any) -> httpx.Response:
    while (answer := await client.get("/ml/map", params=parameters)).status_code == 202:
        assert 0 <= answer.json()["done"] <= 1
        assert answer.headers["retry-after"] == "1"
        await asyncio.sleep(0.05)
    assert answer.status_code == 200, answer.text
    return answer


def places(answer: httpx.Response) -> np.ndarray[Any, np.dtype[np.uint16]]:
    return np.frombuffer(answer.content, "<u2").reshape(-1, 2)


async def by_id(client: httpx.AsyncClient, **parameters: Any) -> dict[str, tuple[int, int]]:
    answer = await client.get("/ml/map/tracks", params={"box": "0,0,65535,65535", "limit": 1000, **parameters})
    assert answer.status_code == 200, answer.text
    return {row["id"]: (row["x"], row["y"]) for row in answer.json()["data"]}


async def test_points_are_bytes_with_a_version_and_rows_name_tracks(mapped: httpx.AsyncClient) -> None:
    answer = await points(mapped)
    at = places(answer)
    stored = (await mapped.get("/ml/training-data", params={"limit": 5000})).json()["data"]
    assert len(at) == int(answer.headers["x-map-points"]) == len(stored)
    assert len(np.unique(at, axis=0)) > 0.9 * len(at)
    again = await mapped.get("/ml/map", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")

    version = answer.headers["x-map-version"]
    rows = [0, 5, len(at) - 1]
    told = (await mapped.get("/ml/map/tracks", params={"row": rows, "version": version})).json()
    assert [t["row"] for t in told["data"]] == rows
    assert [(t["x"], t["y"]) for t in told["data"]] == [tuple(at[r].tolist()) for r in rows]
    titles = {t["id"]: t["title"] for t in stored}
    assert all(titles[t["id"]] == t["title"] for t in told["data"])
    assert_problem(await mapped.get("/ml/map/tracks", params={"row": rows, "version": "older"}), 409)
    assert_problem(await mapped.get("/ml/map/tracks", params={"row": [len(at)], "version": version}), 422)


async def test_arrow_has_ids_and_the_columns_asked_for(mapped: httpx.AsyncClient) -> None:
    answer = await mapped.get("/ml/map", params={"format": "arrow", "column": ["genre", "year", "source"]})
    table = pa.ipc.open_stream(answer.content).read_all()
    assert table.column_names == ["id", "title", "artist", "x", "y", "genre", "year", "source"]
    at = places(await points(mapped))
    assert np.array_equal(np.column_stack([table["x"].to_numpy(), table["y"].to_numpy()]), at)
    years = {t["id"]: t["release_year"] for t in (await mapped.get("/ml/training-data?limit=5000")).json()["data"]}
    assert {row["id"]: row["year"] or None for row in table.to_pylist()} == years


async def test_numbers_of_columns_are_the_stored_ones(mapped: httpx.AsyncClient) -> None:
    rows = (await mapped.get("/ml/training-data?limit=5000")).json()["data"]
    ids = pa.ipc.open_stream((await mapped.get("/ml/map?format=arrow")).content).read_all()["id"].to_pylist()
    for name, field in (("score", "aoty_score"), ("popularity", "popularity")):
        stored = {t["id"]: t[field] for t in rows}
        raw = await mapped.get(f"/ml/map/columns/{name}")
        legend = (await mapped.get(f"/ml/map/columns/{name}/legend")).json()
        values = np.frombuffer(raw.content, np.uint8)
        told = {i: None if v == legend["unknown"] else int(v) for i, v in zip(ids, values, strict=True)}
        assert told == {i: None if v is None else round(v) for i, v in stored.items()}
        assert any(v is not None for v in told.values())
        assert (legend["kind"], legend["missing"]) == ("number", sum(v is None for v in stored.values()))
        known = await mapped.get(f"/ml/map/columns/{name}", headers={"if-none-match": raw.headers["etag"]})
        assert known.status_code == 304


async def test_classes_are_named_counted_and_can_be_picked(mapped: httpx.AsyncClient) -> None:
    for name in ("genre", "mood", "source"):
        legend = (await mapped.get(f"/ml/map/columns/{name}/legend")).json()
        values = np.frombuffer((await mapped.get(f"/ml/map/columns/{name}")).content, np.uint8)
        assert legend["kind"] == "class"
        assert [c["count"] for c in legend["classes"]] == [int((values == c["code"]).sum()) for c in legend["classes"]]
        assert legend["missing"] == int((values == 0).sum())
    first = (await mapped.get("/ml/map/columns/genre/legend")).json()["classes"][0]
    picked = await mapped.get(
        "/ml/map/tracks", params={"box": "0,0,65535,65535", "column": "genre", "code": first["code"], "limit": 1000}
    )
    assert picked.json()["count"] == first["count"] == len(picked.json()["data"])


async def test_labels_stand_where_their_genre_does(mapped: httpx.AsyncClient) -> None:
    labels = (await mapped.get("/ml/map/labels")).json()["data"]
    assert labels
    assert all(0 <= label["x"] <= 65_535 and 0 <= label["y"] <= 65_535 for label in labels)
    assert min(label["zoom"] for label in labels) == 0
    stored = (await mapped.get("/ml/training-data?limit=5000")).json()["data"]
    at = await by_id(mapped)
    label = labels[0]
    own = np.array([at[t["id"]] for t in stored if label["name"] in (t["genres"] or ()) and t["id"] in at], float)
    everything = np.array(list(at.values()), float)
    place = np.array([label["x"], label["y"]])

    def near(points: np.ndarray[Any, np.dtype[np.float64]]) -> float:
        return float((np.linalg.norm(points - place, axis=1) < 6_000).mean())

    assert near(own) > 1.5 * near(everything)


async def test_old_points_do_not_move_when_the_catalogue_grows(
    mapped: httpx.AsyncClient, database: Database, variables: dict[str, Any]
) -> None:
    before = await by_id(mapped)
    first = (await mapped.get("/ml/map/state")).json()
    await fill(database, albums=80)  # the sixty, and twenty more
    async with opened(**variables) as (client, _):  # another process: what stands comes from the disk
        await points(client)
        second = (await client.get("/ml/map/state")).json()
        after = await by_id(client)
        assert second["points"] > first["points"]
        assert (second["layout"], second["drawn"]) == (first["layout"], first["drawn"])
        assert second["version"] != first["version"]
        assert {i: after[i] for i in before} == before
        new = np.array([at for i, at in after.items() if i not in before])
        assert len(np.unique(new, axis=0)) > 0.9 * len(new)
        await client.post("/ml/map/rebuild")
        while (third := (await client.get("/ml/map/state")).json())["layout"] == first["layout"]:
            await asyncio.sleep(0.05)
        assert third["drawn"] == third["points"] == second["points"]
    seen = (await mapped.get("/ml/map/state")).json()  # the first process sees the new drawing, too
    while seen["layout"] != third["layout"]:
        await asyncio.sleep(0.05)
        seen = (await mapped.get("/ml/map/state")).json()
    assert seen["version"] == third["version"]


async def test_a_lasso_gives_tracks_and_playlists(mapped: httpx.AsyncClient) -> None:
    at = await by_id(mapped)
    inside = {i for i, (x, y) in at.items() if x + y < 65_535}
    line = "-1,-1,65536,-1,-1,65536"
    found = (await mapped.get("/ml/map/tracks", params={"polygon": line, "limit": 1000})).json()
    assert {t["id"] for t in found["data"]} == inside
    assert found["count"] == len(inside)
    csv = await mapped.get("/ml/map/tracks", params={"polygon": line, "format": "csv"})
    assert len(csv.text.splitlines()) == len(inside) + 1
    m3u = await mapped.get("/ml/map/tracks", params={"polygon": line, "format": "m3u", "limit": 7})
    assert m3u.text.startswith("#EXTM3U")
    assert m3u.text.count("#EXTINF") == 7
    assert 'filename="map.m3u8"' in m3u.headers["content-disposition"]


async def test_search_and_nearest(mapped: httpx.AsyncClient) -> None:
    one = (await mapped.get("/ml/training-data?limit=1")).json()["data"][0]
    found = (await mapped.get("/ml/map/tracks", params={"q": one["title"]})).json()["data"]
    assert found[0]["title"] == one["title"]
    album = (await mapped.get("/ml/map/tracks", params={"q": one["album"]})).json()
    assert {t["album"] for t in album["data"]} >= {one["album"]}
    near = (await mapped.get("/ml/map/tracks", params={"near": f"{found[0]['x']},{found[0]['y']}"})).json()["data"]
    assert (near[0]["x"], near[0]["y"]) == (found[0]["x"], found[0]["y"])
    apart = [(t["x"] - near[0]["x"]) ** 2 + (t["y"] - near[0]["y"]) ** 2 for t in near]
    assert apart == sorted(apart)
    here = (await mapped.get("/ml/map/tracks", params={"id": [one["id"], "no such track"]})).json()["data"]
    assert [t["id"] for t in here] == [one["id"]]


WRONG = (
    "", "q=a&near=1,2", "row=1", "near=1", "near=1,x", "near=1,inf", "box=5,5,1,1", "polygon=1,1,2,2", "polygon=1,1,2,2,3",
    "near=1,1&code=2", "near=1,1&column=genre", "near=1,1&limit=0", "near=1,1&limit=5000", "q=%00",
)  # fmt: skip


async def test_what_cannot_be_meant_is_said(mapped: httpx.AsyncClient) -> None:
    for query in WRONG:
        assert_problem(await mapped.get(f"/ml/map/tracks?{query}"), 422)


async def test_an_empty_catalogue_and_one_of_a_few(database: Database, variables: dict[str, Any]) -> None:
    async with opened(**variables) as (client, _):
        answer = await points(client)
        assert (answer.content, answer.headers["x-map-points"]) == (b"", "0")
        assert (await client.get("/ml/map/state")).json()["state"] == "empty"
        assert (await client.get("/ml/map/labels")).json()["data"] == []
        for name in ("genre", "year", "score", "source"):
            assert (await client.get(f"/ml/map/columns/{name}")).content == b""
        assert (await client.get("/ml/map/tracks?near=1,1")).json()["data"] == []
        assert (await client.get("/ml/map/tracks?q=love")).json()["data"] == []
        await fill(database, albums=1)
        async with database.transaction() as connection:
            await connection.execute(
                "DELETE FROM enhanced_tracks WHERE id NOT IN (SELECT id FROM enhanced_tracks ORDER BY id LIMIT 3)"
            )
            await connection.execute("UPDATE albums SET updated_at = now()")
    async with opened(**variables) as (client, _):
        assert len(places(await points(client))) == 3
        assert (await client.get("/ml/map/state")).json()["state"] == "few"


async def test_each_level_of_rights_has_a_map_of_its_own(mapped: httpx.AsyncClient) -> None:
    answer = await points(mapped, rights="open")
    rows = (await mapped.get("/ml/training-data", params={"limit": 5000, "rights": "open"})).json()["data"]
    assert len(places(answer)) == len(rows)


async def test_python_and_the_command_line_see_the_same_map(
    mapped: httpx.AsyncClient, variables: dict[str, Any], tmp_path: Path
) -> None:
    at = await by_id(mapped)
    with environment(**variables):
        frame = await asyncio.to_thread(track_map, ["genre", "year", "score", "source"])
        with pytest.raises(InvalidInputError, match="genre, mood, year"):
            track_map(["tempo"])
    shown = {i: (int(x), int(y)) for i, x, y in zip(frame["id"], frame["x"], frame["y"], strict=True)}
    assert {i: shown[i] for i in at} == at
    assert set(frame["source"].dropna()) == {"synthetic"}
    assert frame["year"].max() > 1950

    async def tensoe(*words: str) -> str:
        command = [sys.executable, "-m", "backend.cli", "map", *words]
        done = await asyncio.to_thread(
            subprocess.run, command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return str(done.stdout)

    first = (await mapped.get("/ml/map/state")).json()
    assert json.loads(await tensoe("state", "--json"))["version"] == first["version"]
    file = tmp_path / "map.arrow"
    await tensoe("export", str(file), "--column", "mood")
    table = pa.ipc.open_stream(file.read_bytes()).read_all()
    assert table.column_names == ["id", "title", "artist", "x", "y", "mood"]
    assert table.num_rows == first["points"]
    one = next(iter(at.values()))
    near = json.loads(await tensoe("near", str(one[0]), str(one[1]), "-k", "1", "--json"))["data"]
    assert (near[0]["x"], near[0]["y"]) == one
    labels = json.loads(await tensoe("labels", "--json"))
    assert labels == (await mapped.get("/ml/map/labels")).json()["data"]
    assert json.loads(await tensoe("rebuild", "--json"))["layout"] != first["layout"]
