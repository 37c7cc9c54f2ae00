"""Tables over HTTP: shown before they are stored, written with a key alone."""

from __future__ import annotations

import httpx
import pytest

from tests.fixtures.api import Open
from tests.table_files import TRACKS

PATH = "/import/table"
FILES = [("files", ("tracks.csv", TRACKS))]


async def test_a_table_is_shown_then_stored(api: httpx.AsyncClient) -> None:
    shown = await api.post(PATH, files=FILES, params={"dry_run": "true"})
    assert shown.status_code == 200, shown.text
    (table,) = shown.json()["tables"]
    assert (table["dry_run"], table["rows"], table["albums"], table["counts"]) == (True, 6, 3, {})
    assert {"field": "title", "column": "track_name", "unit": "", "samples": ["Song 1", "Song 2", "Song 3"]} in table[
        "columns"
    ]
    assert (await api.get("/albums")).json()["data"] == []
    (stored,) = (await api.post(PATH, files=FILES)).json()["tables"]
    assert stored["counts"]["new"] == 3
    assert len((await api.get("/albums")).json()["data"]) == 3
    assert (await api.get("/albums", params={"rights": "open"})).json()["data"] == []


async def test_what_the_user_says_goes_before_what_is_guessed(api: httpx.AsyncClient) -> None:
    text = "lied,von,platte,laenge\nTide,Ada,Quay,3:20\n"
    sent = [("files", ("mine.csv", text))]
    refused = await api.post(PATH, files=sent)
    assert refused.status_code == 422
    assert "--map" in refused.json()["detail"]
    params = {"map": ["title=lied", "artists=von", "album=platte", "duration_ms=laenge@clock"], "rights": "open"}
    (table,) = (await api.post(PATH, files=sent, params=params)).json()["tables"]
    assert (table["source"], table["rights"], table["counts"]["new"]) == ("table_open", "open", 1)
    (track,) = (await api.get("/ml/training-data", params={"rights": "open"})).json()["data"]
    assert (track["title"], track["duration_ms"]) == ("Tide", 200_000)


@pytest.mark.parametrize("params", [{"map": "title"}, {"map": "none=lied"}, {"rights": "mine"}, {"source": "spotify"}])
async def test_what_cannot_be_is_refused(params: dict[str, str], api: httpx.AsyncClient) -> None:
    assert (await api.post(PATH, files=FILES, params=params)).status_code == 422


async def test_scores_go_to_their_own_reader(api: httpx.AsyncClient) -> None:
    sent = [("files", ("scores.csv", "Artist,Title,AOTY User Score\nAda,Tide,70\n"))]
    answer = await api.post(PATH, files=sent)
    assert answer.status_code == 200, answer.text
    (table,) = answer.json()["tables"]
    assert (table["shape"], table["source"], table["counts"]) == ("scores", "aoty", {"new": 1})


async def test_a_key_is_needed(open_api: Open) -> None:
    async with open_api(API_KEYS="a-long-enough-key") as api:
        assert (await api.post(PATH, files=FILES)).status_code == 401
