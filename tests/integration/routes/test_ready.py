"""Whether the process lives, and whether requests should be sent to it: two questions."""

from __future__ import annotations

import contextlib

from backend.repositories.database import Database
from tests.fixtures.api import Open
from tests.fixtures.forwarding import forwarded


async def test_without_a_database_it_lives_and_is_not_ready(open_api: Open, database: Database) -> None:
    async with contextlib.AsyncExitStack() as between:
        address, _ = await between.enter_async_context(forwarded(database.dsn))
        async with open_api(DATABASE_URL=address, ANONYMOUS_READING="false") as api:
            assert (await api.get("/live")).status_code == 200
            assert (await api.get("/ready")).json() == {"status": "ok"}
            assert (await api.get("/ml/genres")).status_code == 401
            await between.aclose()
            gone = await api.get("/ready")
            assert gone.status_code == 503
            assert gone.headers["content-type"] == "application/problem+json"
            assert (await api.get("/live")).status_code == 200
