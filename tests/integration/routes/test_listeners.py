"""Listening histories over HTTP: taken in, summed, forgotten; personal, so that a key is needed to read them, too."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.fixtures.api import Open
from tests.integration.routes.test_import import form
from tests.unit.ingestion.histories.given import PAYLOADS, zipped

PATH = "/import/listens?consent=true"
ABBEY = (
    "uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid\n1621533346,,Beatles,,Abbey Road,,Something,\n"
)
SHORT = (PAYLOADS / "StreamingHistory_music_0.json").read_bytes()


async def test_in_summed_and_forgotten(filled: httpx.AsyncClient) -> None:
    sent = form(
        ("a.zip", zipped(endsong_0__json=(PAYLOADS / "endsong_0.json").read_bytes(), b__pdf=b"%\x00")), ("b", ABBEY)
    )
    answer = await filled.post(PATH, files=sent, params={"listener": "Zoë", "consent": True})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert [(f["file"], f["form"], f["listens"]) for f in found["files"]] == [
        ("a.zip/endsong_0.json", "Spotify extended streaming history", 2), ("b", "Last.fm scrobbles", 1),
    ]  # fmt: skip
    assert (found["listens"], found["added"], found["resolved"]) == (3, 3, 1)
    assert (found["passed_over"], found["broken"]) == (["a.zip/b.pdf"], [])
    assert (await filled.post(PATH, files=sent, params={"listener": "Zoë", "consent": True})).json()["added"] == 0

    answer = await filled.get("/listeners/Zoë")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    summary = answer.json()
    assert (summary["listener"], summary["listens"], summary["resolved"]) == ("Zoë", 3, 1)
    assert summary["sources"] == {"lastfm": 1, "spotify": 2}
    assert summary["top_artists"][0] == {"name": "The Amber Lanterns", "plays": 2, "resolved": 0}
    assert (await filled.get("/listeners")).json() == {"count": 1, "data": [summary]}

    assert (await filled.delete("/listeners/Zoë")).status_code == 204
    assert (await filled.get("/listeners/Zoë")).status_code == 404
    assert (await filled.delete("/listeners/Zoë")).status_code == 404
    assert (await filled.get("/listeners")).json()["count"] == 0


async def test_broken_rows_are_named(api: httpx.AsyncClient) -> None:
    sent = form(("a.json", (PAYLOADS / "Streaming_History_Audio_2021_0.json").read_bytes()))
    found = (await api.post(PATH, files=sent)).json()
    assert found["listener"] == "me"
    assert found["files"][0]["left_out"] == {"not_music": 2, "unnamed": 1, "private": 1}
    assert found["broken"][0] == {"file": "a.json", "place": "row 9", "reason": "'yesterday' is no date"}


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"files": form(("a.txt", "hello"))}, "a.txt is no listening history that is known"),
        ({"files": form(("a.zip", zipped(a__json=b" " * 3_000_000)))}, "more than 200 times what it takes packed"),
        ({"files": form(("a.zip", b"PK\x03\x04broken"))}, "is a zip that cannot be opened"),
        ({"json": {}}, "files"),
        ({"files": form(("a.csv", ABBEY)), "params": {"listener": "a/b", "consent": True}}, "listener"),
        (
            {"files": form(("a.csv", ABBEY)), "params": {"listener": "me ", "consent": True}},
            "cannot be a listener's name",
        ),
    ],
)
async def test_what_cannot_be_taken_in(sent: dict[str, Any], said: str, api: httpx.AsyncClient) -> None:
    answer = await api.post(PATH, **sent)
    assert answer.status_code == 422, answer.text
    assert said in answer.json()["detail"]
    assert (await api.get("/listeners")).json()["count"] == 0


async def test_more_than_may_be_sent_is_refused(open_api: Open) -> None:
    async with open_api(MAX_IMPORT_BYTES="5000", MAX_BODY_BYTES="1000") as api:
        assert (await api.post(PATH, files=form(("a.csv", ABBEY + "x" * 2_000)))).status_code == 200
        answer = await api.post(PATH, files=form(("a.csv", ABBEY + "x" * 6_000)))
        assert answer.status_code == 413
        assert "MAX_IMPORT_BYTES" in answer.json()["detail"]


async def test_reading_needs_a_key_as_writing_does(open_api: Open) -> None:
    key = {"X-API-Key": "a-long-enough-key"}
    async with open_api(API_KEYS="a-long-enough-key") as api:
        assert (await api.post(PATH, files=form(("a.json", SHORT)))).status_code == 401
        assert (await api.post(PATH, files=form(("a.json", SHORT)), headers=key)).status_code == 200
        for path in ("/listeners", "/listeners/me", "/listeners/nobody"):
            for headers in ({}, {"X-API-Key": "another-long-key"}, {"Authorization": "Bearer x"}):
                answer = await api.get(path, headers=headers)
                assert answer.status_code == 401
                assert "personal" in answer.json()["detail"]
                assert "www-authenticate" in answer.headers
        assert (await api.delete("/listeners/me")).status_code == 401
        bearer = {"Authorization": "Bearer a-long-enough-key"}
        assert (await api.get("/listeners/me", headers=bearer)).json()["listens"] == 2
        assert (await api.get("/albums")).status_code == 200, "the catalogue is read without"
        assert (await api.delete("/listeners/me", headers=key)).status_code == 204


async def test_without_consent_nothing_is_kept_and_it_is_said_what_would_be(api: httpx.AsyncClient) -> None:
    answer = await api.post("/import/listens", files=form(("a.csv", ABBEY)))
    assert answer.status_code == 422
    for said in ("Kept of each listen", "Why:", "DELETE /listeners/NAME", "consent=true"):
        assert said in answer.json()["detail"]
    assert (await api.get("/listeners")).json()["count"] == 0
    assert (await api.post(PATH, files=form(("a.csv", ABBEY)))).status_code == 200
    assert (await api.get("/listeners/me")).json()["consented_at"]
    assert (await api.post("/import/listens", files=form(("a.csv", ABBEY)))).status_code == 200, "asked once"
