"""Whether a source can be reached: told apart by what keeps it from answering, with one request at most."""

from __future__ import annotations

import json
from collections.abc import Callable
from email.utils import formatdate
from time import time

import pytest

from backend.ingestion.aoty_scraper import AotySource
from backend.ingestion.budget import ProcessBudget
from backend.ingestion.deezer_fetcher import DeezerSource
from backend.ingestion.demo_fetcher import DemoSource
from backend.ingestion.lastfm_fetcher import LastfmSource
from backend.ingestion.musicbrainz_fetcher import MusicBrainzSource
from backend.ingestion.probe import Reached, address_of, reach
from backend.ingestion.reccobeats_fetcher import ReccoBeatsSettings, ReccoBeatsSource
from backend.ingestion.source import Source
from backend.ingestion.spotify_fetcher import SpotifySource
from tests.fakes.aoty import FakeAoty
from tests.fakes.deezer import FakeDeezer
from tests.fakes.lastfm import FakeLastfm
from tests.fakes.musicbrainz import FakeMusicBrainz
from tests.fakes.reccobeats import FakeReccoBeats
from tests.fakes.server import Answer, Fake, fault, reset, says, silent, too_many
from tests.fakes.spotify import FakeSpotify
from tests.fixtures.twin import free_port

CHALLENGE = says("<title>Just a moment...</title>", 403, content_type="text/html")
CHALLENGED = says("<html>", 503, content_type="text/html", cf_mitigated="challenge")
KEY_REFUSED = says(json.dumps({"error": 10, "message": "Invalid API key"}), 403)
ELSEWHERE = says("", 302, Location="https://developers.example.org/")


async def asked(source: Source, *, seconds: float = 5.0) -> Reached:
    found = await reach(source, budget=ProcessBudget(source.profile.name, source.profile.limits), seconds=seconds)
    assert found is not None
    return found


async def probed(
    fake: Fake, build: Callable[[], Source], patch: pytest.MonkeyPatch, *answers: Answer, seconds: float = 5.0
) -> Reached:
    async with fake.running() as base:
        for name, value in fake.environment(base).items():
            patch.setenv(name, value)
        fake.plan(*answers)
        return await asked(build(), seconds=seconds)


@pytest.mark.parametrize(
    ("fake", "build"),
    [
        (FakeSpotify, SpotifySource),
        (FakeLastfm, LastfmSource),
        (FakeAoty, AotySource),
        (FakeMusicBrainz, MusicBrainzSource),
        (FakeDeezer, DeezerSource),
        (FakeReccoBeats, ReccoBeatsSource),
    ],
)
async def test_each_source_is_reached_with_one_request(
    fake: Callable[[], Fake], build: Callable[[], Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = fake()
    found = await probed(server, build, monkeypatch)
    assert (found.way, found.detail) == ("answers", "")
    assert len(server.asked) == 1
    assert found.seconds > 0


@pytest.mark.parametrize(
    ("answer", "way"),
    [
        (CHALLENGE, "blocked"),
        (CHALLENGED, "blocked"),
        (says("", 403), "blocked"),
        (says("", 401), "key"),
        (says("", 404), "answers"),
        (ELSEWHERE, "answers"),
        (fault(500), "faulty"),
        (too_many(), "throttled"),
    ],
)
async def test_a_source_that_says_nothing_of_its_own_is_asked_for_its_address(
    answer: Answer, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeReccoBeats()
    found = await probed(fake, ReccoBeatsSource, monkeypatch, answer)
    assert found.way == way, found
    assert len(fake.asked) == 1  # nobody who looks for faults asks again


async def test_a_refused_key_is_told_from_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    found = await probed(FakeLastfm(), LastfmSource, monkeypatch, KEY_REFUSED)
    assert found.way == "key"
    assert "LASTFM_API_KEY" in found.detail
    refused = says(json.dumps({"error": "invalid_client"}), 400)
    found = await probed(FakeSpotify(), SpotifySource, monkeypatch, refused)
    assert found.way == "key"
    assert "SPOTIFY_CLIENT_ID" in found.detail


async def test_a_challenge_before_an_api_is_seen_though_its_own_check_does_not_know_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = await probed(FakeDeezer(), DeezerSource, monkeypatch, CHALLENGED)
    assert found.way == "blocked"
    assert "challenge" in found.detail
    found = await probed(FakeReccoBeats(), ReccoBeatsSource, monkeypatch, CHALLENGE)
    assert "challenge" in found.detail


async def test_a_fault_is_not_asked_for_again_whatever_the_source_does_else(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeMusicBrainz()
    found = await probed(fake, MusicBrainzSource, monkeypatch, fault(500), fault(500))
    assert found.way == "faulty"
    assert len(fake.asked) == 1


async def test_a_throttled_source_says_until_when_and_is_then_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeReccoBeats()
    async with fake.running() as base:
        for name, value in fake.environment(base).items():
            monkeypatch.setenv(name, value)
        fake.plan(too_many("3600"))
        source = ReccoBeatsSource()
        budget = ProcessBudget("reccobeats", source.profile.limits)
        first = await reach(source, budget=budget)
        again = await reach(source, budget=budget)
    assert first is not None
    assert again is not None
    assert first.way == again.way == "throttled"
    assert first.until is not None
    assert first.until == again.until
    assert 3590 < first.until.timestamp() - time() < 3610
    assert len(fake.asked) == 1


async def test_no_host_is_told_from_nobody_there_and_from_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    def at(address: str) -> Source:
        return ReccoBeatsSource(ReccoBeatsSettings(reccobeats_enabled=True, reccobeats_api_url=address))

    assert (await asked(at("http://no-such-host.invalid/v1"))).way == "offline"
    nobody = await asked(at(f"http://127.0.0.1:{free_port()}/v1"))
    assert nobody.way == "unreachable"
    assert "no connection" in nobody.detail
    # Of its own accord aiohttp sends a GET once more after a connection that broke before any answer.
    broken = await probed(FakeReccoBeats(), ReccoBeatsSource, monkeypatch, reset, reset)
    assert broken.way == "unreachable"
    assert "broke" in broken.detail
    quiet = await probed(FakeReccoBeats(), ReccoBeatsSource, monkeypatch, silent, seconds=0.2)
    assert quiet.way == "unreachable"
    assert "did not answer within 0.2 s" in quiet.detail


async def test_a_turn_that_never_comes_ends_the_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeReccoBeats()
    async with fake.running() as base:
        monkeypatch.setenv("RECCOBEATS_API_URL", base)
        monkeypatch.setenv("RECCOBEATS_ENABLED", "true")
        source = ReccoBeatsSource()
        budget = ProcessBudget("reccobeats", source.profile.limits)
        await budget.slow_down(60)
        found = await reach(source, budget=budget, seconds=0.1)
    assert found is not None
    assert found.way == "busy"
    assert fake.asked == []


async def test_the_clock_of_the_answer_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    late = says("{}", Date=formatdate(time() - 100, usegmt=True))
    found = await probed(FakeReccoBeats(), ReccoBeatsSource, monkeypatch, late)
    assert found.ahead is not None
    assert -102 < found.ahead < -98
    found = await probed(FakeReccoBeats(), ReccoBeatsSource, monkeypatch, says("{}", Date="yesterday"))
    assert found.ahead is None


async def test_a_source_without_an_address_is_not_asked() -> None:
    source = DemoSource()
    assert await reach(source, budget=ProcessBudget("demo", source.profile.limits)) is None
    assert address_of(source.settings) is None
    assert address_of(SpotifySource().settings) == "https://api.spotify.com/v1"
