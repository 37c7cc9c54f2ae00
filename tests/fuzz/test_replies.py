"""What services answer: readers of replies refuse what is none as a fault of the source, and fetching never goes on for ever."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import msgspec
import orjson
import pytest
from aiohttp import web
from hypothesis import given

from backend.ingestion.aoty_page import read_page, read_search
from backend.ingestion.judge import verify
from backend.ingestion.registry import source_types
from backend.ingestion.source import Source
from backend.ingestion.told import told
from backend.ingestion.transport import Transport, open_session
from backend.models.ingestion_models import AlbumQuery, AlbumRecord
from backend.utils.errors import SourceError
from tests.fakes.music import ARTIST, HARBOUR
from tests.fixtures.api import environment
from tests.fuzz.mutations import EXAMPLES, altered, changed, limits, made

PAYLOADS = Path(__file__).parents[1] / "payloads"
SOURCES = {kind().profile.name: kind for kind in source_types()}
SEEDS = {
    name: [orjson.loads(file.read_bytes()) for file in sorted((PAYLOADS / name).glob("*.json"))] for name in SOURCES
}
NETWORKED = [name for name in SOURCES if importlib.util.find_spec(f"tests.fakes.{name}")]
PAGE = SEEDS["aoty"][0]["html"].encode()
TAGS = (
    b"<div class='albumBlock'>",
    b"</div>",
    b"<!--",
    b"<script>",
    b"<table>",
    b"&#x41;",
    b"<svg>",
    b"<a href='/album/1-x.php'>",
)
_MOST_ASKED = 400
QUERY = AlbumQuery(album=HARBOUR.title, artist=ARTIST)
NOWHERE = cast(Transport, None)  # nobody is asked


class Given:
    """A source that has been answered already."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.payload: dict[str, Any] = {}
        self.profile, self.settings = source.profile, source.settings

    def unconfigured(self) -> str | None:
        return None

    async def fetch(self, query: AlbumQuery, transport: Transport) -> dict[str, Any]:
        return self.payload

    def normalise(self, payload: dict[str, Any]) -> AlbumRecord:
        return self._source.normalise(payload)


@pytest.mark.parametrize("name", SOURCES)
def test_a_payload_is_read_or_refused(name: str) -> None:
    source = Given(SOURCES[name]())

    @limits(40)
    @given(payload=made(lambda rng: changed(rng.choice(SEEDS[name]), rng)))
    def run(payload: Any) -> None:
        if not isinstance(payload, dict):
            return  # what `fetch` puts together is an object
        source.payload = payload
        try:
            record = asyncio.run(told(source, QUERY, NOWHERE))
        except SourceError:
            return
        assert msgspec.json.decode(msgspec.json.encode(record), type=AlbumRecord) is not None

    run()


@limits(150)
@given(page=made(lambda rng: altered(PAGE, rng, words=TAGS)))
def test_a_page_is_read_or_refused(page: bytes) -> None:
    html = page.decode("utf-8", "replace")
    read_search(html)
    try:
        read_page(html)
    except SourceError:
        return


@pytest.mark.parametrize("name", NETWORKED)
async def test_fetching_ends_whatever_is_answered(name: str) -> None:
    module = importlib.import_module(f"tests.fakes.{name}")
    query = getattr(module, "QUERY", QUERY)
    fake = module.make()
    usual = fake.answer
    async with fake.running() as base, open_session() as session:
        with environment(**fake.environment(base)):
            for seed in range(EXAMPLES or 8):
                source, rng = SOURCES[name](), random.Random(f"{name}{seed}" if not EXAMPLES else None)
                before = len(fake.asked)

                async def wrong(request: web.BaseRequest, rng: random.Random = rng) -> web.StreamResponse:
                    answer = await usual(request)
                    assert isinstance(answer, web.Response)
                    if rng.random() < 0.5:
                        answer.body = _wrong(bytes(answer.body or b""), rng)  # type: ignore[arg-type]
                    return answer

                fake.answer = wrong
                limits_ = replace(source.profile.limits, backoff=0.0001, attempts=1, rate=10_000.0)
                transport = Transport(name, limits=limits_, session=session)
                try:
                    record = await told(source, query, transport)
                    verify(record, record, source=name, hint=source.profile.hint)
                except SourceError:
                    pass
                assert len(fake.asked) - before < _MOST_ASKED, seed


def _wrong(body: bytes, rng: random.Random) -> bytes:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return altered(body, rng, words=TAGS)
    if rng.random() < 0.1:
        return altered(body, rng)
    return json.dumps(changed(value, rng, most=2)).encode()
