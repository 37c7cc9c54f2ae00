"""Who may do what over HTTP: keys made and revoked, scopes, listeners' own data, sessions of browsers, the log of deeds."""

from __future__ import annotations

import contextlib
from typing import Any

import httpx
import pytest

from backend.repositories.database import Database
from tests.fixtures.api import Open
from tests.fixtures.forwarding import forwarded
from tests.integration.routes.test_import import form
from tests.integration.routes.test_listeners import ABBEY

ADMIN = {"x-api-key": "from-the-settings-0123456789abcdef"}
KEYS = {"API_KEYS": ADMIN["x-api-key"]}
BATCH = {"albums": [["Abbey Road", "The Beatles"]]}


async def made(api: httpx.AsyncClient, name: str, *scopes: str, **more: Any) -> tuple[str, dict[str, str]]:
    answer = await api.post("/system/keys", json={"name": name, "scopes": scopes, **more}, headers=ADMIN)
    assert answer.status_code == 201, answer.text
    found = answer.json()
    assert found["scopes"] == sorted(scopes)
    return found["id"], {"authorization": f"Bearer {found['key']}"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"x-api-key": "wrong"}, 401),
        ({"x-api-key": ""}, 401),
        ({"x-api-key": "key-on"}, 401),
        ({"x-api-key": "schlüssel".encode()}, 401),
        ({"x-api-key": "tensoe_abcdefghijkl_" + "x" * 43}, 401),
        ({"authorization": "Basic key-one"}, 401),
        ({"authorization": "Bearer"}, 401),
        ({"x-api-key": "key-one"}, 202),
        ({"x-api-key": "key-two"}, 202),
        ({"authorization": "Bearer key-one"}, 202),
        ({"authorization": "bearer key-two"}, 202),
    ],
)
async def test_writing_needs_a_known_key(open_api: Open, headers: dict[str, Any], status: int) -> None:
    async with open_api(API_KEYS="key-one, key-two") as api:
        answer = await api.post("/ml/ingest/batch", json=BATCH, headers=headers)
        assert answer.status_code == status, answer.text
        if status == 401:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert "X-API-Key" in answer.json()["detail"]
        assert (await api.get("/ml/genres")).status_code == 200, "reading needs none"


async def test_a_server_is_open_until_the_first_key_is_made(api: httpx.AsyncClient) -> None:
    assert (await api.post("/ml/ingest/batch", json=BATCH)).status_code == 202
    assert (await api.get("/session")).json()["may_administer"]
    first = (await api.post("/system/keys", json={"name": "first", "scopes": ["admin"]})).json()
    assert (await api.post("/ml/ingest/batch", json=BATCH)).status_code == 401
    assert (await api.get("/system/keys")).status_code == 401
    listed = await api.get("/system/keys", headers={"x-api-key": first["key"]})
    assert [k["name"] for k in listed.json()["data"]] == ["first"]
    assert listed.json()["data"][0]["last_used_at"] is not None
    assert first["key"] not in listed.text


async def test_revoking_the_last_key_lets_nobody_in(api: httpx.AsyncClient) -> None:
    only = (await api.post("/system/keys", json={"name": "only", "scopes": ["admin"]})).json()
    answer = await api.delete(f"/system/keys/{only['id']}", headers={"x-api-key": only["key"]})
    assert answer.status_code == 204
    assert (await api.post("/ml/ingest/batch", json=BATCH)).status_code == 401
    assert (await api.get("/listeners")).status_code == 401
    assert (await api.get("/ml/genres")).status_code == 200


async def test_without_a_database_a_reader_is_told_so_and_asked_for_no_key(open_api: Open, database: Database) -> None:
    async with contextlib.AsyncExitStack() as between:
        address, _ = await between.enter_async_context(forwarded(database.dsn))
        async with open_api(DATABASE_URL=address) as api:
            kept = (await api.get("/ml/genres")).json()
            api_key = (await api.post("/system/keys", json={"name": "one", "scopes": ["ingest"]})).json()["key"]
            await between.aclose()
            assert (await api.get("/ml/genres")).json() == kept, "what is cached needs no database, and no key"
            stranger = {"x-api-key": "tensoe_abcdefghijkl_" + "x" * 43}
            assert (await api.get("/ml/genres", headers=stranger)).json() == kept
            for key in (stranger["x-api-key"], api_key):
                answer = await api.post("/ml/ingest/batch", json=BATCH, headers={"x-api-key": key})
                assert answer.status_code == 503, "nobody can say whether the key is known"


async def test_a_scope_allows_what_it_says(open_api: Open) -> None:
    async with open_api(**KEYS) as api:
        _, reader = await made(api, "a notebook", "read")
        _, writer = await made(api, "nightly", "ingest")
        for path in ("/ml/genres", "/ml/training-data?limit=1"):
            assert (await api.get(path, headers=reader)).status_code == 200
        refused = await api.post("/ml/ingest/batch", json=BATCH, headers=reader)
        assert refused.status_code == 403
        assert refused.json()["detail"] == "This needs a key with the scope ingest; 'a notebook' has read"
        assert (await api.post("/ml/ingest/batch", json=BATCH, headers=writer)).status_code == 202
        assert (await api.delete("/albums/x", headers=writer)).status_code == 403
        assert (await api.get("/system/doctor?offline=true", headers=writer)).status_code == 403
        assert (
            await api.post("/system/keys", json={"name": "x", "scopes": ["admin"]}, headers=writer)
        ).status_code == 403
        assert (await api.delete("/albums/x", headers=ADMIN)).status_code == 404


async def test_a_listener_has_the_own_data_alone(open_api: Open) -> None:
    async with open_api(**KEYS) as api:
        _, anna = await made(api, "Anna's", "listener", listener="anna")
        _, reader = await made(api, "a notebook", "read", "ingest")
        sent = form(("a.csv", ABBEY))

        async def take_in(headers: dict[str, str], **whose: str) -> int:
            answer = await api.post("/import/listens", files=sent, params={"consent": True, **whose}, headers=headers)
            return answer.status_code

        assert await take_in(anna, listener="anna") == 200
        assert await take_in(anna, listener="bert") == 403
        assert await take_in(anna) == 403, "me is not anna"
        assert await take_in(ADMIN, listener="bert") == 200
        assert (await api.get("/listeners/anna", headers=anna)).status_code == 200
        assert (await api.get("/ml/training-data?seen_by=anna&limit=1", headers=anna)).status_code == 200
        for path in (
            "/listeners", "/listeners/bert", "/listeners/bert/profile", "/listeners/anna/compare/bert",
            "/ml/training-data?seen_by=bert&limit=1",
        ):  # fmt: skip
            assert (await api.get(path, headers=anna)).status_code == 403, path
        for path in ("/listeners", "/listeners/anna", "/ml/training-data?seen_by=anna&limit=1"):
            assert (await api.get(path)).status_code == 401, path
            assert (await api.get(path, headers=reader)).status_code == 403, path
            assert (await api.get(path, headers=ADMIN)).status_code == 200, path
        assert (await api.delete("/listeners/bert", headers=anna)).status_code == 403
        assert (await api.delete("/listeners/anna", headers=anna)).status_code == 204


async def test_reading_can_need_a_key(open_api: Open) -> None:
    async with open_api(**KEYS, ANONYMOUS_READING="false") as api:
        _, reader = await made(api, "a notebook", "read")
        for path in ("/ml/genres", "/albums", "/tracks/x", "/metrics", "/system", "/ml/exports", "/openapi.json"):
            assert (await api.get(path)).status_code == 401, path
            assert (await api.get(path, headers=reader)).status_code != 401, path
        assert (await api.post("/ml/discover", json={"like": ["x"]})).status_code == 401
        assert (await api.get("/")).status_code == 200


async def test_a_revoked_or_outdated_key_is_none(open_api: Open, database: Database) -> None:
    async with open_api(**KEYS) as api:
        first, headers = await made(api, "a", "ingest")
        second, others = await made(api, "b", "ingest", days=1)
        assert (await api.post("/ml/ingest/batch", json=BATCH, headers=headers)).status_code == 202
        assert (await api.delete(f"/system/keys/{first}", headers=ADMIN)).status_code == 204
        assert (await api.post("/ml/ingest/batch", json=BATCH, headers=headers)).status_code == 401
        assert (await api.delete(f"/system/keys/{first}", headers=ADMIN)).status_code == 404
        async with database.connection() as connection:
            await connection.execute("UPDATE api_keys SET expires_at = now() WHERE id = $1", second)
        assert (await api.post("/ml/ingest/batch", json=BATCH, headers=others)).status_code == 401
        shown = {k["id"]: k for k in (await api.get("/system/keys", headers=ADMIN)).json()["data"]}
        assert shown[first]["revoked_at"] is not None
        async with database.connection() as connection:
            kept = str(await connection.fetch("SELECT * FROM api_keys"))
        assert headers["authorization"].split("_")[-1] not in kept


async def test_a_key_has_its_own_pace(open_api: Open) -> None:
    async with open_api(**KEYS, RATE_LIMIT="1000/minute") as api:
        _, slow = await made(api, "slow", "read", rate="3/minute")
        answers = [(await api.get("/ml/genres", headers=slow)).status_code for _ in range(5)]
        assert answers == [200, 200, 200, 429, 429]
        assert (await api.get("/ml/genres")).status_code == 200


async def test_a_browser_signs_in_writes_from_our_pages_alone_and_signs_out(open_api: Open, database: Database) -> None:
    async with open_api(**KEYS) as api:
        key_id, headers = await made(api, "Zoë's browser", "ingest")
        assert (await api.post("/session")).status_code == 401
        refused = await api.post("/session", headers=ADMIN)
        assert refused.status_code == 409
        assert "tensoe key make" in refused.json()["detail"]
        opened = await api.post("/session", headers=headers)
        assert opened.status_code == 200
        cookie = opened.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        assert (await api.get("/session")).json() == {
            "name": "Zoë's browser", "scopes": ["ingest"], "listener": None, "signed_in": True,
            "may_read": True, "may_write": True, "may_administer": False, "until": None,
        }  # fmt: skip
        ours = {"origin": "http://test"}
        assert (await api.post("/ml/ingest/batch", json=BATCH, headers=ours)).status_code == 202
        assert (
            await api.post("/ml/ingest/batch", json=BATCH, headers={"sec-fetch-site": "same-origin"})
        ).status_code == 202
        for theirs in ({}, {"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site", **ours},
                       {"sec-fetch-site": "same-site"}):  # fmt: skip
            forged = await api.post("/ml/ingest/batch", json=BATCH, headers=theirs)
            assert forged.status_code == 403, theirs
        stolen = api.cookies["tensoe_session"]
        assert (await api.delete("/session", headers=ours)).status_code == 204
        api.cookies.set("tensoe_session", stolen)
        assert (await api.post("/ml/ingest/batch", json=BATCH, headers=ours)).status_code == 401, (
            "it ended on the server"
        )
        # A session ends with its key.
        api.cookies.clear()
        await api.post("/session", headers=headers)
        assert (await api.delete(f"/system/keys/{key_id}", headers=ADMIN)).status_code == 204
        assert (await api.post("/ml/ingest/batch", json=BATCH, headers=ours)).status_code == 401
        async with database.connection() as connection:
            assert await connection.fetchval("SELECT count(*) FROM api_keys WHERE session_of IS NOT NULL") == 0


async def test_what_was_changed_is_noted_and_what_was_asked_is_not(open_api: Open) -> None:
    async with open_api(**KEYS) as api:
        key_id, writer = await made(api, "nightly", "ingest")
        await api.get("/ml/genres", headers=writer)
        await api.post("/ml/ingest/plan", json=BATCH, headers=writer)
        await api.post("/ml/ingest/batch", json=BATCH, headers={**writer, "x-request-id": "r-1"})
        await api.post("/ml/ingest/batch", json={"albums": []}, headers=writer)
        await api.delete("/albums/none", headers=ADMIN)
        found = (await api.get("/system/deeds", headers=ADMIN)).json()["data"]
        assert [(d["name"], d["method"], d["path"], d["status"]) for d in found] == [
            ("API_KEYS", "DELETE", "/albums/none", 404),
            ("nightly", "POST", "/ml/ingest/batch", 422),
            ("nightly", "POST", "/ml/ingest/batch", 202),
            ("API_KEYS", "POST", "/system/keys", 201),
        ]
        assert (found[2]["key"], found[2]["address"], found[2]["request"]) == (key_id, "192.0.2.7", "r-1")
        first = (await api.get("/system/deeds?limit=2", headers=ADMIN)).json()
        second = (await api.get(f"/system/deeds?limit=2&cursor={first['next_cursor']}", headers=ADMIN)).json()
        assert first["data"] + second["data"] == found
        assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"name": " ", "scopes": ["read"]}, "1 to 100 printable"),
        ({"name": "a\u202eb", "scopes": ["read"]}, "1 to 100 printable"),
        ({"name": "a", "scopes": []}, "scopes"),
        ({"name": "a", "scopes": ["root"]}, "scopes"),
        ({"name": "a", "scopes": ["listener"]}, "give both or none"),
        ({"name": "a", "scopes": ["read"], "listener": "anna"}, "give both or none"),
        ({"name": "a", "scopes": ["listener"], "listener": "a/b"}, "cannot be a listener's name"),
        ({"name": "a", "scopes": ["read"], "rate": "often"}, "600/minute"),
        ({"name": "a", "scopes": ["read"], "days": 0}, "days"),
    ],
)
async def test_a_key_that_does_not_fit_is_not_made(api: httpx.AsyncClient, asked: dict[str, Any], said: str) -> None:
    answer = await api.post("/system/keys", json=asked)
    assert answer.status_code == 422
    assert said in answer.text
    assert (await api.get("/system/keys")).json()["count"] == 0
