"""The sources without a key, over real sockets: one test per quirk of theirs."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from backend.ingestion.acousticbrainz_documents import read_documents
from backend.ingestion.acousticbrainz_fetcher import AcousticBrainzSource
from backend.ingestion.barcodes import spellings
from backend.ingestion.deezer_fetcher import DeezerSource
from backend.ingestion.deezer_wire import read_album
from backend.ingestion.listenbrainz_fetcher import ListenBrainzSource
from backend.ingestion.musicbrainz_fetcher import MusicBrainzSource
from backend.ingestion.musicbrainz_wire import escaped, read_candidates, read_release
from backend.ingestion.popularity import LISTENBRAINZ_FULL, from_listeners
from backend.ingestion.reccobeats_fetcher import ReccoBeatsSource
from backend.ingestion.source import Source
from backend.ingestion.transport import Transport, open_session
from backend.models.ingestion_models import AUDIO_FEATURES, AlbumQuery, AlbumRecord, Rights, TrackRecord
from backend.utils.errors import (
    BlockedError,
    HintError,
    RateLimitedError,
    RecordNotFoundError,
    RejectedError,
    ServerFaultError,
    SourceError,
    ThrottledError,
)
from tests.fakes import acousticbrainz, deezer, listenbrainz, musicbrainz, open_music, reccobeats
from tests.fakes.music import ARTIST, ARTIST_ID, DELUXE, HARBOUR, SIXTY, Song
from tests.fakes.server import Answer, Fake, says


@dataclass
class Talk:
    """A source, its fake, and the transport between them."""

    source: Source
    fake: Any
    transport: Transport

    async def ask(self, query: AlbumQuery) -> AlbumRecord:
        return self.source.normalise(await self.source.fetch(query, self.transport))


class Notes:
    """A memory that knows nothing and notes for how long it was to remember what."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    async def recall(self, keys: Iterable[str]) -> dict[str, Any]:
        return {}

    async def remember(self, values: Mapping[str, Any], *, seconds: float) -> None:
        self.seconds |= dict.fromkeys(values, seconds)


def once_at(fake: Fake, path: str, number: int, answer: Answer) -> None:
    """Have the request of this number of those to a path answered so, and all others as usual."""

    async def choose(request: web.BaseRequest) -> web.StreamResponse:
        here = request.path.endswith(path) and len([p for p in fake.paths() if p.endswith(path)]) == number
        return await (answer if here else fake.usual)(request)

    fake.answer = choose


NOT_FOUND = (says('{"message": "Not found"}', 404), says("Not Found", 404, content_type="text/plain"))
DAY = 86_400.0


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as opened:
        yield opened


@pytest.fixture
async def talk(
    request: pytest.FixtureRequest, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Talk]:
    """With the fake and the source that the test's mark names."""
    module, source = request.param
    fake: Fake = module.make()
    async with fake.running() as base:
        for name, value in fake.environment(base).items():
            monkeypatch.setenv(name, value)
        made = source()
        limits = replace(made.profile.limits, backoff=0.001)
        yield Talk(made, fake, Transport(made.profile.name, limits=limits, session=session))


def to(module: Any, source: Any) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("talk", [(module, source)], indirect=True, ids=[source.__name__])


to_musicbrainz = to(musicbrainz, MusicBrainzSource)
to_listenbrainz = to(listenbrainz, ListenBrainzSource)
to_reccobeats = to(reccobeats, ReccoBeatsSource)
to_acousticbrainz = to(acousticbrainz, AcousticBrainzSource)
to_deezer = to(deezer, DeezerSource)
BY_NAME = AlbumQuery(album=HARBOUR.title, artist=ARTIST)

# -- MusicBrainz ---------------------------------------------------------------------------------


@to_musicbrainz
async def test_a_barcode_finds_the_edition_in_two_requests(talk: Talk) -> None:
    record = await talk.ask(open_music.query())
    assert [a.path for a in talk.fake.asked] == ["/ws/2/release", f"/ws/2/release/{record.ids['musicbrainz']}"]
    assert talk.fake.asked[0].query["query"].startswith("barcode:0602445000011 OR barcode:602445000011")
    assert (record.match_method, record.release_date) == ("upc", "1987-10")


@to_musicbrainz
async def test_a_barcode_of_another_album_is_passed_over(talk: Talk) -> None:
    query = open_music.query(SIXTY)
    assert query.known is not None
    record = await talk.ask(replace(query, known=replace(query.known, upc=open_music.UPC[HARBOUR.id])))
    assert (record.title, record.match_method) == (SIXTY.title, "name")
    assert talk.fake.asked[0].query["query"].startswith("barcode:")


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("0602445000011", ("0602445000011", "602445000011")),
        ("602445000011", ("602445000011", "0602445000011")),
        ("7464-93526", ("746493526", "000746493526", "0000746493526")),
        ("000746493526", ("000746493526", "746493526", "0000746493526")),
        ("000000000000", ()),
        ("none", ()),
    ],
)
def test_a_barcode_is_spelt_in_several_ways(code: str, found: tuple[str, ...]) -> None:
    assert spellings(code) == found


@to_musicbrainz
async def test_quotes_within_a_phrase_do_not_end_it(talk: Talk) -> None:
    with pytest.raises(SourceError):
        await talk.ask(AlbumQuery(album='Say "Hi" \\ Low', artist='"Ed"'))
    assert talk.fake.asked[0].query["query"] == r'release:"Say \"Hi\" \\ Low" AND artist:"\"Ed\""'


@to_musicbrainz
async def test_found_by_name_it_has_the_day_on_which_the_album_first_came_out(talk: Talk) -> None:
    record = await talk.ask(BY_NAME)
    assert (record.match_method, record.release_date) == ("name", "1987")


@to_musicbrainz
async def test_a_pseudo_release_is_never_taken_where_there_is_a_real_one(talk: Talk) -> None:
    record = await talk.ask(BY_NAME)
    assert record.ids["musicbrainz"] == open_music.mbid("release", HARBOUR.id)


def test_a_pseudo_release_is_better_than_none() -> None:
    row = {"id": "p", "title": "In Bloom", "status": "Pseudo-Release", "artist-credit": [{"name": "X"}]}
    assert [c.id for c in read_candidates({"releases": [row]})] == ["p"]


@to_musicbrainz
async def test_it_is_told_who_asks_and_says_what_to_do_when_it_refuses(talk: Talk) -> None:
    await talk.ask(BY_NAME)
    assert talk.fake.asked[0].headers["user-agent"].startswith("tensoe/")
    talk.fake.plan(says(json.dumps({"error": musicbrainz.NO_AGENT}), 403))
    with pytest.raises(BlockedError, match="TENSOE_CONTACT"):
        await talk.ask(BY_NAME)


@to_musicbrainz
async def test_a_503_that_says_to_come_at_once_is_tried_again_and_again(talk: Talk) -> None:
    busy = says('{"error": "Your requests are exceeding the allowable rate limit."}', 503, Retry_After="0")
    talk.fake.plan(busy, busy, busy, busy)
    assert (await talk.ask(BY_NAME)).title == HARBOUR.title
    assert len(talk.fake.asked) == 6


def test_one_request_a_second_and_one_at_a_time() -> None:
    limits = MusicBrainzSource().profile.limits
    assert limits.rate <= 1
    assert limits.concurrent == 1
    assert limits.backoff >= 1


@to_musicbrainz
async def test_all_that_one_release_tells_is_read(talk: Talk) -> None:
    record = await talk.ask(open_music.query())
    assert (record.label, record.upc, record.artist) == ("Small Boats", "0602445000011", ARTIST)
    assert record.ids["spotify"] == HARBOUR.id
    assert record.artist_ids == {"musicbrainz": open_music.mbid("artist", ARTIST_ID)}
    assert {(t.name, t.level): t.weight for t in record.tags} == {
        ("indie folk", "album"): 1.0, ("melancholic", "album"): 0.4, ("folk", "artist"): 1.0,
    }  # fmt: skip
    tide, quay, rope, intro, second_intro, way_out = record.tracks
    assert [t.disc_number for t in record.tracks] == [1, 1, 1, 1, 2, 2]
    assert (tide.isrc, tide.duration_ms, tide.tags[0].name) == ("ZZTST0100001", 107_000, "sea shanty")
    assert (quay.isrc, intro.duration_ms, rope.duration_ms) == (None, None, 121_000)
    assert second_intro.ids["musicbrainz"] != intro.ids["musicbrainz"]
    assert (rope.artists, way_out.track_number) == ((ARTIST,), 2)


@to_musicbrainz
async def test_a_wrong_hint_is_the_callers_mistake(talk: Talk) -> None:
    for hint, words in (
        ("no id", "release's id or address"),
        ("0" * 8 + "-0000-0000-0000-" + "0" * 12, "knows no release"),
    ):
        with pytest.raises(HintError, match=words):
            await talk.ask(replace(BY_NAME, hints={"musicbrainz_id": hint}))
    address = f"https://musicbrainz.org/release/{open_music.mbid('release', DELUXE.id)}"
    assert (await talk.ask(replace(BY_NAME, hints={"musicbrainz_id": address}))).title == DELUXE.title


def test_lucene_s_signs_are_taken_for_words() -> None:
    assert escaped('a+b "c" (d) [e] f:g/h\\') == 'a\\+b \\"c\\" \\(d\\) \\[e\\] f\\:g\\/h\\\\'


def test_odd_parts_of_a_release_are_no_harm() -> None:
    release = {
        "id": "r", "title": "Odd", "artist-credit": [{"name": "A", "joinphrase": " feat. "}, {"name": "B"}], "date": "",
        "label-info": [None, {"label": None}, {"label": {"name": "[no label]"}}],
        "media": [
            {
                "position": 1, "pregap": {"position": 0, "title": "Hidden", "recording": {"id": "h"}},
                "tracks": [{"position": 1, "title": "Film", "recording": {"id": "v", "video": True}}],
            },
            {"position": 2, "tracks": None},
        ],
    }  # fmt: skip
    record = read_release({"release": release})
    assert (record.artist, record.release_date, record.label) == ("A feat. B", None, None)
    assert [(t.title, t.track_number) for t in record.tracks] == [("Hidden", 0)]


def test_core_data_are_open_and_tags_are_not() -> None:
    profile = MusicBrainzSource().profile
    assert (profile.rights_to("title"), profile.rights_to("tags")) == (Rights.OPEN, Rights.NONCOMMERCIAL)


# -- ListenBrainz --------------------------------------------------------------------------------


@to_listenbrainz
async def test_one_request_has_the_figures_of_all_recordings(talk: Talk) -> None:
    record = await talk.ask(listenbrainz.QUERY)
    assert len(talk.fake.asked) == 1
    heard = {t.ids["musicbrainz"]: t.listeners for t in record.tracks}
    assert heard == {open_music.mbid("recording", s.id): 500 * s.number for s in HARBOUR.songs if s.number != 3}
    assert record.tracks[0].popularity == round(100 * math.log1p(500) / math.log1p(LISTENBRAINZ_FULL))


@to_listenbrainz
async def test_a_thousand_at_most_are_asked_for_at_once(talk: Talk) -> None:
    tracks = tuple(TrackRecord(title=str(n), ids={"musicbrainz": f"m{n}"}) for n in range(1_001))
    known = AlbumRecord(title="x", artist="y", tracks=tracks)
    with pytest.raises(RecordNotFoundError, match="no listener"):
        await talk.ask(AlbumQuery(album="x", artist="y", known=known))
    assert [len(b) for b in talk.fake.bodies] == [1_000, 1]


@to_listenbrainz
async def test_without_identifiers_nothing_is_asked(talk: Talk) -> None:
    with pytest.raises(RecordNotFoundError, match="nobody knows them"):
        await talk.ask(BY_NAME)
    assert talk.fake.asked == []


def test_popularity_is_logarithmic_and_bounded() -> None:
    counts = [0, 1, 10, 100, 1_000, 10_000, 50_000, 10**9]
    found = [from_listeners(n, full=LISTENBRAINZ_FULL) for n in counts]
    assert found == sorted(found, key=lambda n: n or 0)
    assert (found[0], found[-2], found[-1], from_listeners(None, full=1.0)) == (0, 100, 100, None)


# -- ReccoBeats ----------------------------------------------------------------------------------


@to_reccobeats
async def test_rows_are_told_by_their_address_never_by_their_place(talk: Talk) -> None:
    record = await talk.ask(reccobeats.QUERY)
    found = {t.ids["spotify"]: (t.audio_features.get("tempo"), t.popularity) for t in record.tracks}
    assert found == {
        open_music.spotify_id(s): (None if s.number == reccobeats.UNMEASURED else 100.0 + s.number, 50 + s.number)
        for s in HARBOUR.songs
        if s.number != reccobeats.UNKNOWN
    }


@to_reccobeats
async def test_what_it_leaves_out_is_not_asked_for_again(talk: Talk) -> None:
    await talk.ask(reccobeats.QUERY)
    await talk.ask(reccobeats.QUERY)
    unmeasured = {open_music.spotify_id(s) for s in HARBOUR.songs if s.number == reccobeats.UNMEASURED}
    unknown = {open_music.spotify_id(s) for s in HARBOUR.songs if s.number == reccobeats.UNKNOWN}
    for (first, second), left_out in ((talk.fake.wanted, unknown | unmeasured), (talk.fake.looked_up, unknown)):
        assert set(first) - set(second) == left_out


@to_reccobeats
async def test_what_it_leaves_out_may_be_there_in_a_week(talk: Talk) -> None:
    talk.transport.memory = notes = Notes()
    await talk.ask(reccobeats.QUERY)
    unknown = {open_music.spotify_id(s) for s in HARBOUR.songs if s.number == reccobeats.UNKNOWN}
    assert {key.partition(":")[2] for key in notes.seconds} >= unknown
    assert set(notes.seconds.values()) == {7 * DAY}


@to_reccobeats
@pytest.mark.parametrize("answer", NOT_FOUND)
async def test_a_404_to_one_request_leaves_what_the_others_gave(answer: Answer, talk: Talk) -> None:
    talk.transport.memory = notes = Notes()
    once_at(talk.fake, "/audio-features", 1, answer)
    record = await talk.ask(open_music.query(SIXTY))
    measured = {t.ids["spotify"] for t in record.tracks if t.audio_features}
    assert measured == {open_music.spotify_id(s) for s in SIXTY.songs[40:]}
    # Nobody said that it does not know the others.
    assert notes.seconds.keys() == {f"track:{open_music.spotify_id(SIXTY.songs[1])}"}


@to_reccobeats
@pytest.mark.parametrize("answer", NOT_FOUND)
async def test_features_come_in_where_tracks_are_not_to_be_had(answer: Answer, talk: Talk) -> None:
    once_at(talk.fake, "/track", 1, answer)
    record = await talk.ask(reccobeats.QUERY)
    assert len(talk.fake.paths("/v1/track")) == 1
    assert [t.popularity for t in record.tracks if t.audio_features] == [None] * 3


@to_reccobeats
async def test_tracks_are_looked_up_for_what_nobody_has_said(talk: Talk) -> None:
    def lacking(song: Song) -> bool:
        return song.number in {1, reccobeats.UNMEASURED}

    known = open_music.known(HARBOUR, 70)
    tracks = zip(known.tracks, HARBOUR.songs, strict=True)
    known = replace(known, tracks=tuple(replace(t, isrc=None) if lacking(s) else t for t, s in tracks))
    record = await talk.ask(replace(BY_NAME, known=known))
    # The code of the first came with its features.
    (unmeasured,) = (s for s in HARBOUR.songs if s.number == reccobeats.UNMEASURED)
    assert talk.fake.looked_up == [[open_music.spotify_id(unmeasured)]]
    codes = {t.ids["spotify"]: t.isrc for t in record.tracks}
    assert all(codes[open_music.spotify_id(s)] == open_music.isrc(s) for s in HARBOUR.songs if lacking(s))


@to_reccobeats
async def test_a_popularity_comes_in_where_all_features_are_known(talk: Talk) -> None:
    record = await talk.ask(open_music.query(HARBOUR, None, **dict.fromkeys(AUDIO_FEATURES, 0.5)))
    assert talk.fake.wanted == []
    assert {t.popularity for t in record.tracks} == {51, 53, 54}


def test_an_answer_kept_before_tracks_were_looked_up_is_still_read() -> None:
    row = reccobeats.row(HARBOUR.songs[0])
    (track,) = ReccoBeatsSource().normalise({"features": [row]}).tracks
    assert (track.isrc, track.popularity, track.audio_features["tempo"]) == ("ZZTST0100001", None, 101.0)


@to_reccobeats
async def test_forty_at_most_are_asked_for_at_once(talk: Talk) -> None:
    await talk.ask(open_music.query(SIXTY))
    assert [len(ids) for ids in (*talk.fake.wanted, *talk.fake.looked_up)] == [40, 20, 40, 20]


@to_reccobeats
async def test_tracks_of_which_all_is_known_are_not_asked_for(talk: Talk) -> None:
    every = dict.fromkeys(
        ("acousticness", "danceability", "energy", "instrumentalness", "liveness", "loudness", "speechiness", "tempo",
         "valence", "key", "mode"), 0.5,
    )  # fmt: skip
    with pytest.raises(RecordNotFoundError, match="not needed"):
        await talk.ask(open_music.query(HARBOUR, 70, **every))
    assert talk.fake.asked == []


@to_reccobeats
async def test_the_wait_may_stand_in_the_body(talk: Talk) -> None:
    talk.fake.plan(says('{"error": "Too Many Requests, retry after 1 seconds"}', 429))
    await talk.ask(reccobeats.QUERY)
    first, second, *_ = talk.fake.asked
    assert second.at - first.at >= 0.95


@to_reccobeats
async def test_a_wait_of_hours_in_the_body_is_not_waited_for(talk: Talk) -> None:
    talk.fake.plan(says('{"error": "Too Many Requests, retry after 7200 seconds"}', 429))
    with pytest.raises(ThrottledError):
        await talk.ask(reccobeats.QUERY)
    assert len(talk.fake.asked) == 1


def test_its_values_are_of_unknown_rights_and_its_popularity_stands_last() -> None:
    profile = ReccoBeatsSource().profile
    assert profile.rights is Rights.UNKNOWN
    assert profile.gives["popularity"] < min(
        s().profile.gives["popularity"] for s in (ListenBrainzSource, DeezerSource)
    )


# -- AcousticBrainz ------------------------------------------------------------------------------


@to_acousticbrainz
async def test_submissions_that_disagree_are_settled(talk: Talk) -> None:
    record = await talk.ask(acousticbrainz.QUERY)
    tide = next(t for t in record.tracks if t.ids["musicbrainz"] == open_music.mbid("recording", HARBOUR.songs[0].id))
    assert tide.audio_features == {
        "tempo": 101.0, "key": 9.0, "mode": 0.0, "danceability": 0.5, "acousticness": 0.25, "instrumentalness": 0.1,
        "energy": 0.9, "valence": 0.75,
    }  # fmt: skip
    assert (tide.raw_features["average_loudness"], "loudness" in tide.audio_features) == (0.9, False)


@to_acousticbrainz
async def test_twenty_five_at_most_are_asked_for_at_once(talk: Talk) -> None:
    record = await talk.ask(open_music.query(SIXTY))
    assert [len(ids) for ids in talk.fake.wanted("count")] == [25, 25, 10]
    for level in ("low-level", "high-level"):
        assert [len(items) for items in talk.fake.wanted(level)] == [25] * 7 + [2]
    # A recording's submissions may be in two answers.
    assert len(record.tracks) == 59
    assert {(t.raw_features["submissions_low"], t.raw_features["submissions_high"]) for t in record.tracks} == {(3, 3)}


@to_acousticbrainz
async def test_submissions_are_counted_first_and_five_of_them_asked_for_at_the_most(talk: Talk) -> None:
    for there, read in ((1, 1), (5, 5), (9, 5)):
        talk.fake.submissions = there
        talk.fake.asked.clear()
        record = await talk.ask(acousticbrainz.QUERY)
        assert talk.fake.paths()[0] == "/api/v1/count"
        one = open_music.mbid("recording", HARBOUR.songs[0].id)
        items = [i for part in talk.fake.wanted("low-level") for i in part]
        assert [i for i in items if i.startswith(one)] == [f"{one}:{n}" for n in range(read)]
        assert {t.raw_features["submissions_low"] for t in record.tracks} == {read}


NO_COUNT: dict[str, Any] = {mbid: {"0": {"rhythm": {}}} for mbid in acousticbrainz.SONGS} | {"mbid_mapping": {}}


@to_acousticbrainz
@pytest.mark.parametrize("answer", [*NOT_FOUND, says(json.dumps(NO_COUNT))])
async def test_where_submissions_are_not_counted_the_first_is_asked_for(answer: Answer, talk: Talk) -> None:
    talk.fake.plan(answer)
    record = await talk.ask(acousticbrainz.QUERY)
    assert len(record.tracks) == 5
    assert {(t.raw_features["submissions_low"], t.raw_features["submissions_high"]) for t in record.tracks} == {(1, 1)}


@to_acousticbrainz
@pytest.mark.parametrize("answer", NOT_FOUND)
async def test_a_404_to_one_request_leaves_the_documents_of_the_others(answer: Answer, talk: Talk) -> None:
    talk.fake.submissions = 1
    talk.transport.memory = notes = Notes()
    once_at(talk.fake, "/low-level", 1, answer)
    record = await talk.ask(open_music.query(SIXTY))
    assert len(record.tracks) == 59 - 25
    # Nobody said that it does not know the others.
    assert notes.seconds == {open_music.mbid("recording", SIXTY.songs[2].id): 30 * DAY}
    once_at(talk.fake, "/high-level", len(talk.fake.wanted("high-level")) + 1, answer)
    guessed = [t for t in (await talk.ask(open_music.query(SIXTY))).tracks if "valence" in t.audio_features]
    assert len(guessed) == 59 - 25


@to_acousticbrainz
async def test_the_high_level_is_asked_for_what_has_a_low_level_and_the_unknown_not_again(talk: Talk) -> None:
    await talk.ask(acousticbrainz.QUERY)
    await talk.ask(acousticbrainz.QUERY)
    unknown = {open_music.mbid("recording", s.id) for s in HARBOUR.songs if s.number == 3}
    first, second = map(set, talk.fake.wanted("count"))
    assert first - second == unknown
    assert {i.partition(":")[0] for i in talk.fake.wanted("high-level")[0]} == second


@to_acousticbrainz
async def test_what_is_counted_but_not_there_has_no_high_level(talk: Talk) -> None:
    once_at(talk.fake, "/low-level", 1, says('{"mbid_mapping": {}}'))
    with pytest.raises(RecordNotFoundError, match="none of these"):
        await talk.ask(acousticbrainz.QUERY)
    assert talk.fake.wanted("high-level") == []


def test_documents_of_any_shape_are_read() -> None:
    assert read_documents([], []) == ({}, {})
    assert read_documents([{"rhythm": None, "tonal": "x"}, {"rhythm": {"bpm": 0}}], [{"highlevel": []}]) == (
        {},
        {"submissions_low": 2.0, "submissions_high": 1.0, "bpm": 0.0},
    )
    flat = {"tonal": {"key_key": "Bb", "key_scale": "major"}}
    assert read_documents([flat], [])[0] == {"key": 10.0, "mode": 1.0}


def test_guesses_are_trusted_less_than_measurements() -> None:
    gives = AcousticBrainzSource().profile.gives
    assert max(gives[n] for n in ("energy", "valence", "danceability", "acousticness")) < gives["tempo"]
    assert "audio_features" not in gives


# -- Deezer --------------------------------------------------------------------------------------


@to_deezer
async def test_errors_of_status_200_are_errors(talk: Talk) -> None:
    for answer, kind in (
        (deezer.quota, RateLimitedError),
        (says('{"error": {"type": "Exception", "message": "Service busy", "code": 700}}'), ServerFaultError),
        (says('{"error": {"type": "ParameterException", "message": "Wrong parameter", "code": 500}}'), RejectedError),
        (says('{"error": {"type": "InvalidQueryException", "message": "unknown path", "code": 600}}'), RejectedError),
    ):
        talk.fake.plan(*[answer] * 20)
        with pytest.raises(SourceError) as found:
            await talk.ask(BY_NAME)
        assert type(found.value) is kind
        talk.fake.planned.clear()


@to_deezer
async def test_a_quota_refusal_is_waited_out(talk: Talk) -> None:
    talk.fake.plan(deezer.quota, deezer.quota)
    assert (await talk.ask(BY_NAME)).title == HARBOUR.title


@to_deezer
async def test_a_barcode_finds_the_album_at_once(talk: Talk) -> None:
    record = await talk.ask(open_music.query(tempo=100.0, loudness=-8.0))
    assert [a.path for a in talk.fake.asked] == ["/album/upc:0602445000011"]
    assert (record.match_method, record.label, record.release_date) == ("upc", "Small Boats", "1987-10-01")


@to_deezer
async def test_a_barcode_is_asked_for_as_it_may_be_spelt_and_then_the_name(talk: Talk) -> None:
    query = open_music.query(tempo=100.0, loudness=-8.0)
    assert query.known is not None
    for code, method, found in (
        ("602445000011", "upc", ["602445000011", "0602445000011"]),
        ("0999999999993", "name", ["0999999999993", "999999999993"]),
    ):
        talk.fake.asked.clear()
        record = await talk.ask(replace(query, known=replace(query.known, upc=code)))
        assert (record.title, record.match_method) == (HARBOUR.title, method)
        assert talk.fake.paths("/album/upc:") == [f"/album/upc:{spelt}" for spelt in found]


@to_deezer
async def test_rank_is_popularity_and_lyrics_are_explicit_or_not(talk: Talk) -> None:
    record = await talk.ask(BY_NAME)
    assert [t.popularity for t in record.tracks] == [s.number for s in HARBOUR.songs]
    assert [t.explicit for t in record.tracks] == [s.number == 1 for s in HARBOUR.songs]
    row = {"id": 1, "title": "Tide", "rank": 2_000_000}
    album = {"id": 1, "title": "A", "artist": {"name": "B"}, "tracks": {"data": [row, {**row, "rank": 0}]}}
    assert [(t.popularity, t.explicit) for t in read_album({"album": album}).tracks] == [(100, None), (None, None)]


@to_deezer
async def test_tempo_and_gain_are_asked_for_where_nobody_knows_them(talk: Talk) -> None:
    query = open_music.query(tempo=100.0, loudness=-8.0)
    assert query.known is not None
    first, *rest = query.known.tracks
    lacking = replace(first, audio_features={"tempo": 100.0})
    await talk.ask(replace(query, known=replace(query.known, tracks=(lacking, *rest))))
    assert len(talk.fake.paths("/track/")) == 1


@to_deezer
async def test_no_beats_a_minute_mean_that_nobody_measured(talk: Talk) -> None:
    record = await talk.ask(BY_NAME)
    tide, quay, *_ = record.tracks
    assert (tide.audio_features, tide.raw_features) == ({"tempo": 91.5, "loudness": -8.0}, {"bpm": 91.5, "gain": -10.0})
    assert (quay.audio_features, quay.raw_features) == ({"loudness": -8.0}, {"gain": -10.0})


@to_deezer
async def test_codes_stand_in_the_track_list_alone_and_are_fetched_when_needed(talk: Talk) -> None:
    record = await talk.ask(BY_NAME)
    assert [t.isrc for t in record.tracks] == [open_music.isrc(s) for s in HARBOUR.songs]
    assert len([p for p in talk.fake.paths("/album/") if p.endswith("/tracks")]) == 1


@to_deezer
async def test_a_list_longer_than_the_albums_entry_is_read_to_its_end(talk: Talk) -> None:
    record = await talk.ask(AlbumQuery(album=SIXTY.title, artist=ARTIST))
    assert len(record.tracks) == 60


@to_deezer
async def test_a_list_of_more_than_a_hundred_comes_in_pages(talk: Talk) -> None:
    query = replace(
        open_music.query(deezer.LONG, tempo=100.0, loudness=-8.0), hints={"deezer_id": str(deezer.number(deezer.LONG))}
    )
    record = await talk.ask(query)
    assert [t.title for t in record.tracks] == [s.title for s in deezer.LONG.songs]
    pages = [a.query for a in talk.fake.asked if a.path.endswith("/tracks")]
    assert [(p["index"], p["limit"]) for p in pages] == [("0", "100"), ("100", "100")]


@to_deezer
async def test_a_hint_may_be_an_address_and_a_wrong_one_is_said(talk: Talk) -> None:
    address = f"https://www.deezer.com/en/album/{deezer.number(DELUXE)}"
    assert (await talk.ask(replace(BY_NAME, hints={"deezer_id": address}))).title == DELUXE.title
    for hint in ("Paper Harbour", "999999"):
        with pytest.raises(HintError, match="deezer_id"):
            await talk.ask(replace(BY_NAME, hints={"deezer_id": hint}))


def test_numbers_of_another_album_are_not_this_ones() -> None:
    row = {"id": 11, "title": "Tide", "isrc": "ZZTST0100001"}
    album = {"id": 1, "title": "A", "artist": {"name": "B"}, "tracks": {"data": [row]}}
    numbers = {"track_position": 17, "disk_number": 3, "bpm": 100}
    for key, found in ((99, (1, 1)), (11, (3, 17))):
        (track,) = read_album({"album": album, "details": {"11": {"id": key, **numbers}}}).tracks
        assert (track.disc_number, track.track_number) == found
        assert track.audio_features == {"tempo": 100.0}
