"""A trace from the API's request through the job's steps to HTTP and SQL, received over a real socket as OTLP; and log lines."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from backend.repositories.database import Database
from backend.utils import tracing
from backend.utils.logging import configure_logging
from tests.fakes.lastfm import KEY, FakeLastfm
from tests.fakes.music import ALBUMS, ARTIST
from tests.fakes.server import Fake
from tests.fakes.spotify import SECRET, FakeSpotify
from tests.fixtures.api import opened

ROOT = Path(__file__).resolve().parents[2]
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@dataclass
class Collected:
    """A span as it was received."""

    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]
    failed: bool


@dataclass
class Collector(Fake):
    """A collector of OTLP over HTTP."""

    spans: list[Collected] = field(default_factory=list)

    def children(self, of: Collected, name: str = "") -> list[Collected]:
        return [s for s in self.spans if s.parent == of.id and s.name.startswith(name)]

    def named(self, name: str) -> list[Collected]:
        return [s for s in self.spans if s.name == name]


def collector() -> Collector:
    async def take(request: web.BaseRequest) -> web.StreamResponse:
        body = ExportTraceServiceRequest.FromString(await request.read())
        for resource in body.resource_spans:
            for scope in resource.scope_spans:
                for s in scope.spans:
                    values = {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in s.attributes}
                    ids = s.trace_id.hex(), s.span_id.hex(), s.parent_span_id.hex()
                    found.spans.append(Collected(s.name, *ids, values, s.status.code == 2))
        return web.Response(content_type="application/x-protobuf")

    found = Collector(take)
    return found


@contextlib.asynccontextmanager
async def traced(**variables: str) -> AsyncIterator[Collector]:
    """What is done in here is traced to a collector; all of it is there afterwards."""
    found = collector()
    async with found.running() as base:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", base)
            for name, value in variables.items():
                patch.setenv(name, value)
            assert tracing.start() == ""
            try:
                yield found
            finally:
                await asyncio.to_thread(tracing.stop)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged, as in production."""
    stream = io.StringIO()
    configure_logging(level="INFO", machine_readable=True, secrets=[KEY, SECRET], stream=stream)
    yield stream
    configure_logging(level="WARNING")


async def test_one_trace_from_the_request_to_the_database(
    database: Database, tmp_path: Path, lines: io.StringIO
) -> None:
    album = ALBUMS[0]
    spotify, lastfm = FakeSpotify(), FakeLastfm()
    async with traced() as found, spotify.running() as at, lastfm.running() as also:
        usual = {"DATABASE_URL": database.dsn, "TENSOE_HOME": str(tmp_path), "TENSOE_DEMO": "off", "RATE_LIMIT": "off"}
        sources = spotify.environment(at) | lastfm.environment(also)
        async with opened(worker=True, **usual, **sources) as (client, container):
            answer = await client.post(
                "/ml/ingest/batch",
                json={"albums": [{"album_name": album.title, "artist_name": ARTIST}]},
                headers={"traceparent": f"00-{TRACE}-{PARENT}-01"},
            )
            assert answer.status_code == 202, answer.text
            job_id = answer.json()["job_id"]
            async with asyncio.timeout(60):
                while (await container.ingestion.status(job_id)).finished_at is None:
                    await asyncio.sleep(0.05)
    (request,) = found.named("POST /ml/ingest/batch")
    assert (request.trace, request.parent) == (TRACE, PARENT)
    assert request.attributes["http.response.status_code"] == 202
    (job,) = found.children(request, "job")
    assert job.attributes["job"] == job_id
    assert found.children(job, "sql transaction")
    steps = {s.attributes["source"]: s for s in found.children(job, "step")}
    assert {"spotify", "lastfm"} <= steps.keys()
    asked = found.children(steps["spotify"], "HTTP")
    assert {s.name for s in asked} == {"HTTP GET", "HTTP POST"}
    assert {s.attributes["http.response.status_code"] for s in asked} == {200}
    assert steps["spotify"].attributes["outcome"] == "ok"
    assert found.children(steps["spotify"], "sql transaction")
    (store, *_) = found.children(job, "store")
    assert found.children(store, "sql transaction")
    assert {s.trace for s in found.spans if s.attributes.get("job") == job_id} == {TRACE}
    # Addresses hold keys; nothing that was received does.
    urls = [s.attributes["url.full"] for s in found.children(steps["lastfm"], "HTTP")]
    assert urls
    assert all("api_key=********" in url for url in urls)
    everything = str(found.spans)
    assert KEY not in everything
    assert SECRET not in everything
    assert "token-1" not in everything

    logged = [json.loads(line) for line in lines.getvalue().splitlines()]
    said = [line for line in logged if line["event"] == "step"]
    assert {(x["source"], x["job"], x["position"], x["album"], x["trace_id"]) for x in said} >= {
        (name, job_id, 1, album.title, TRACE) for name in ("spotify", "lastfm")
    }
    assert {line["trace_id"] for line in logged if line.get("request")} == {TRACE}
    assert KEY not in lines.getvalue()


async def test_lines_of_a_source_say_of_which_step_they_are(
    database: Database, tmp_path: Path, lines: io.StringIO
) -> None:
    spotify = FakeSpotify()
    async with spotify.running() as at:
        usual = {"DATABASE_URL": database.dsn, "TENSOE_HOME": str(tmp_path), "TENSOE_DEMO": "off"}
        async with opened(worker=True, **usual, **spotify.environment(at)) as (client, container):
            albums = [{"album_name": "No Such Album", "artist_name": "Nobody At All"}]
            job_id = (await client.post("/ml/ingest/batch", json={"albums": albums})).json()["job_id"]
            async with asyncio.timeout(60):
                while (await container.ingestion.status(job_id)).finished_at is None:
                    await asyncio.sleep(0.05)
    logged = [json.loads(line) for line in lines.getvalue().splitlines()]
    # Said by what asks a source, which knows nothing of jobs.
    (nothing,) = [x for x in logged if x["event"] == "source gave nothing" and x["source"] == "spotify"]
    assert (nothing["job"], nothing["position"]) == (job_id, 1)
    assert "trace_id" not in nothing  # nothing is traced here


async def test_what_fails_is_marked_by_its_kind_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async with traced() as found:
        with pytest.raises(ValueError, match="planted"), tracing.span("outer", password="planted-1", note="a"):  # noqa: PT012
            with tracing.child("inner", url="https://x.org/?api_key=planted-2"):
                assert tracing.ids()["trace_id"] == str(tracing.traceparent())[3:35]
            raise ValueError("planted-3")
        with tracing.child("alone"):
            assert tracing.traceparent() is None
    (inner, outer) = found.spans
    assert inner.parent == outer.id
    assert outer.failed
    assert not inner.failed
    assert outer.attributes == {"password": "********", "note": "a", "error.type": "ValueError"}
    assert "planted" not in str(found.spans)


def test_nothing_is_traced_unless_the_environment_asks_for_it() -> None:
    assert not tracing.is_wanted({})
    assert tracing.is_wanted({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"})
    assert tracing.is_wanted({"OTEL_TRACES_EXPORTER": "console"})
    assert not tracing.is_wanted(
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}
    )
    assert not tracing.is_wanted({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "true"})
    assert tracing.span("x") is tracing.child("y", a=1)  # nothing at all
    with tracing.span("x") as span:
        span.set(a=1)
        span.rename("y")
        tracing.note(a=1)
        assert (tracing.ids(), tracing.traceparent(), tracing.is_on()) == ({}, None, False)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "zipkin is not known"),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "http/protobuf"),
    ],
)
def test_what_cannot_be_is_said(variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert said in tracing.start()
    assert not tracing.is_on()


def test_without_the_packages_tensoe_says_so_and_works() -> None:
    program = (
        "import sys; sys.modules['opentelemetry.sdk'] = None\n"
        "from backend.startup import configure\nfrom backend.config.settings import Settings\n"
        "configure(Settings(), level='WARNING')\n"
        "from backend.utils import tracing\n"
        "with tracing.span('x'): print('works')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "works\n"
    assert "requirements-telemetry.txt" in done.stderr
