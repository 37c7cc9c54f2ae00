"""Requests made up from /openapi.json, fitting and not: none gets a 5xx, and every answer has the form described."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from backend.config.settings import Settings
from backend.routes.application import build_app
from tests.acceptance.test_startup import STARTUP, answer_of, process
from tests.fakes.lastfm import FakeLastfm
from tests.fakes.listenbrainz import FakeListenBrainz
from tests.fakes.server import in_a_thread
from tests.fixtures.api import ALBUMS
from tests.fixtures.twin import free_port

_KEY = {"X-API-Key": "may-everything-0123456789abcdef"}

_LONGEST = 60_000  # bytes of an address


@pytest.fixture(scope="module")
def server(postgres_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port, home = free_port(), tmp_path_factory.mktemp("home")
    variables = {
        "API_KEYS": _KEY["X-API-Key"],
        "DATABASE_URL": postgres_dsn,
        "TENSOE_DEMO": "on",
        "RATE_LIMIT": "off",
        "LOG_LEVEL": "ERROR",
    }
    lastfm, listenbrainz = FakeLastfm(), FakeListenBrainz()
    with (
        in_a_thread(lastfm) as service,
        in_a_thread(listenbrainz) as other,
        process(
            STARTUP, home, port, **variables, **lastfm.environment(service), **listenbrainz.environment(other)
        ) as running,
    ):
        answer_of(port, running)
        base = f"http://127.0.0.1:{port}"
        for album, artist in ALBUMS:
            httpx.post(
                f"{base}/ml/ingest/album", json={"album_name": album, "artist_name": artist}, headers=_KEY, timeout=60
            )
        while httpx.get(f"{base}/ml/map", timeout=60).status_code == 202:  # while it is drawn, its parts answer 503
            time.sleep(0.2)
        yield base


def _operations() -> list[Any]:
    # The document comes from the code, not from the running server, so that every endpoint is a test of its own.
    document = build_app(Settings()).openapi()
    results: Iterable[Any] = schemathesis.openapi.from_dict(document).get_all_operations()
    found = [result.ok() for result in results]  # raises when the document is wrong
    return sorted(found, key=lambda operation: str(operation.label))


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", _operations(), ids=lambda operation: operation.label)
def test_no_request_breaks_the_server(server: str, operation: Any, mode: GenerationMode) -> None:
    @settings(max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Case[Any]) -> None:
        # With the first key that is made the server is open no more: all ask with one that may everything.
        answer = case.call(base_url=server, headers=_KEY, timeout=30)
        if answer.status_code == 400 and len(str(answer.request.url)) > _LONGEST:
            return  # by what reads HTTP, where an address comes in several pieces; the app never sees it
        checks = [not_a_server_error, content_type_conformance, status_code_conformance, response_schema_conformance]
        case.validate_response(answer, checks=checks)

    try:
        run()
    except Unsatisfiable:
        pytest.skip("nothing about this request can be wrong")
