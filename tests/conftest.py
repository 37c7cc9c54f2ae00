"""What all tests share: each part of the outside world has its fixture file under `tests/fixtures`."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from backend.config.settings import ApiSettings, AppSettings, CacheSettings, DatabaseSettings, SettingsGroup

pytest_plugins = ["tests.fixtures.api", "tests.fixtures.postgres", "tests.fixtures.twin", "tests.fixtures.valkey"]


OPEN = ("MUSICBRAINZ_", "LISTENBRAINZ_", "RECCOBEATS_", "ACOUSTICBRAINZ_", "DEEZER_")


@pytest.fixture(autouse=True, scope="session")
def _only_our_settings() -> Iterator[None]:
    """Tests depend on no setting of the person who runs them."""
    groups: list[type[SettingsGroup]] = [ApiSettings, AppSettings, CacheSettings, DatabaseSettings]
    names = {name.upper() for group in groups for name in group.model_fields}
    taken = {
        k: os.environ.pop(k)
        for k in list(os.environ)
        if k.upper() in names or k.startswith(("SPOTIFY_", "LASTFM_", "AOTY_", "TENSOE_", *OPEN))
    }
    # Sources without a key would be asked for real: a test that means them points them at a stand-in.
    os.environ.update({f"{name}ENABLED": "false" for name in OPEN})
    # A developer's .env must not reach the tests either.
    SettingsGroup.model_config["env_file"] = None
    for group in _all_groups(SettingsGroup):
        group.model_config["env_file"] = None
    yield
    for name in OPEN:
        del os.environ[f"{name}ENABLED"]
    os.environ.update(taken)


def _all_groups(group: type[SettingsGroup]) -> Iterator[type[SettingsGroup]]:
    for child in group.__subclasses__():
        yield child
        yield from _all_groups(child)
