"""What all tests share: each part of the outside world has its fixture file under `tests/fixtures`."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from xdist.scheduler import LoadFileScheduling

from backend.config.settings import ApiSettings, AppSettings, CacheSettings, DatabaseSettings, SettingsGroup

pytest_plugins = [
    "tests.fixtures.api", "tests.fixtures.browser", "tests.fixtures.postgres", "tests.fixtures.twin", "tests.fixtures.valkey",
    "tests.fixtures.studio",  # last: it imports from others
]  # fmt: skip


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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling | None:
    """One worker looks at all pages: a server and a browser for each file would cost more than they spare."""
    return _ByFile(config, log) if config.getoption("dist") == "loadfile" else None


class _ByFile(LoadFileScheduling):  # type: ignore[misc]  # xdist says nothing of its types
    def _split_scope(self, nodeid: str) -> str:
        path: str = super()._split_scope(nodeid)
        return "tests/browser" if path.startswith("tests/browser/") else path
