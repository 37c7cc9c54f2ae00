"""Each source with its fake and a transport between them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import aiohttp
import pytest

from backend.ingestion.source import Source
from backend.ingestion.transport import Transport, open_session
from backend.models.ingestion_models import AlbumQuery, AlbumRecord
from tests.fakes.server import Fake

F = TypeVar("F", bound=Fake)


@dataclass
class Wired(Generic[F]):
    source: Source
    fake: F
    transport: Transport
    base: str

    async def album(self, album: str, artist: str, **more: object) -> AlbumRecord:
        query = replace(AlbumQuery(album=album, artist=artist), **more)  # type: ignore[arg-type]  # passed on
        return self.source.normalise(await self.source.fetch(query, self.transport))


Wire = Callable[[F, Callable[[], Source]], AbstractAsyncContextManager[Wired[F]]]


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as opened:
        yield opened


@pytest.fixture
def wire(session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> Wire[F]:
    @contextlib.asynccontextmanager
    async def start(fake: F, build: Callable[[], Source]) -> AsyncIterator[Wired[F]]:
        async with fake.running() as base:
            for name, value in fake.environment(base).items():
                monkeypatch.setenv(name, value)
            source = build()
            limits = replace(source.profile.limits, backoff=0.001)
            yield Wired(source, fake, Transport(source.profile.name, limits=limits, session=session), base)

    return start
