"""Saved pages and tables over HTTP: several files at once, bounded, written with a key alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.fakes.aoty import page
from tests.fakes.music import HARBOUR
from tests.fixtures.api import Open

PATH = "/ml/import/aoty"
TABLE = "Artist,Title,Mood,AOTY User Score\nAda,Tide,calm,70\nAda,,calm,70\nAda,Quay,calm,seventy\n"


def form(*files: tuple[str, str | bytes], field: str = "files") -> list[tuple[str, Any]]:
    return [(field, file) for file in files]


async def test_several_files_at_once(api: httpx.AsyncClient) -> None:
    answer = await api.post(PATH, files=form(("a.html", page(HARBOUR)), ("scores.csv", TABLE), ("photo.jpg", b"\xff")))
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["counts"] == {"new": 2, "matched": 0, "unchanged": 0, "ambiguous": 0, "unreadable": 3}
    assert found["unused_columns"] == {"scores.csv": ["Mood"]}
    assert [(i["file"], i["line"], i["result"]) for i in found["items"]] == [
        ("scores.csv", 3, "unreadable"), ("scores.csv", 4, "unreadable"), ("photo.jpg", None, "unreadable"),
        ("a.html", None, "new"), ("scores.csv", 2, "new"),
    ]  # fmt: skip
    album = (await api.get(f"/albums/{found['items'][3]['album_id']}")).json()
    assert (album["title"], album["aoty_user_score"]) == (HARBOUR.title, 74.5)
    again = (await api.post(PATH, files=form(("a.html", page(HARBOUR))))).json()
    assert again["counts"]["unchanged"] == 1


@pytest.mark.parametrize(
    "sent",
    [
        {"files": form(("a.html", "x"), field="file")}, {"data": {"files": "no file"}}, {"json": {"files": []}}, {},
        {"content": b"--x\r\nbroken", "headers": {"content-type": "multipart/form-data; boundary=x"}},
        {"content": b"", "headers": {"content-type": "multipart/form-data"}},
    ],
)  # fmt: skip
async def test_what_is_no_form_with_files_is_refused(sent: Any, api: httpx.AsyncClient) -> None:
    answer = await api.post(PATH, **sent)
    assert answer.status_code == 422, answer.text
    assert "files" in answer.json()["detail"]


async def test_more_than_may_be_sent_is_refused(open_api: Open) -> None:
    async with open_api(MAX_IMPORT_BYTES="5000", MAX_BODY_BYTES="1000") as api:
        assert (await api.post(PATH, files=form(("a.csv", TABLE + "Ada,X,calm,70\n" * 100)))).status_code == 200

        async def endless() -> AsyncIterator[bytes]:
            yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n'
            for _ in range(100):
                yield b"x" * 1_000

        headers = {"content-type": "multipart/form-data; boundary=x"}
        answer = await api.post(PATH, content=endless(), headers=headers)
        assert answer.status_code == 413
        assert "5,000 bytes together (MAX_IMPORT_BYTES)" in answer.json()["detail"]
        # Other paths keep their own bound.
        assert (await api.post("/ml/ingest/album", content=b"x" * 1_001)).status_code == 413


async def test_a_key_is_needed(open_api: Open) -> None:
    async with open_api(API_KEYS="a-long-enough-key") as api:
        assert (await api.post(PATH, files=form(("a.csv", TABLE)))).status_code == 401
        headers = {"X-API-Key": "a-long-enough-key"}
        assert (await api.post(PATH, files=form(("a.csv", TABLE)), headers=headers)).status_code == 200


async def test_an_answer_names_no_more_than_a_thousand(api: httpx.AsyncClient) -> None:
    rows = "".join(f"Artist {n},Album {n},x,70\n" for n in range(1_200))
    found = (await api.post(PATH, files=form(("a.csv", TABLE + rows)))).json()
    assert (len(found["items"]), found["omitted"], found["counts"]["new"]) == (1_000, 203, 1_201)
    assert [i["result"] for i in found["items"]][:3] == ["unreadable", "unreadable", "new"]
