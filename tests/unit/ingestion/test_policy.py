"""Who is believed on what: what sources declare, what the settings change, what rights permit."""

from __future__ import annotations

from typing import Any

import pytest

from backend.config.settings import IngestionSettings
from backend.ingestion.policy import MergePolicy
from backend.ingestion.source import SourceProfile
from backend.models.ingestion_models import Rights, RightsLevel
from backend.utils.errors import ConfigurationError

ANY, OPEN, FREE = RightsLevel.ANY, RightsLevel.OPEN, RightsLevel.NONCOMMERCIAL
LIBRARY = SourceProfile(
    name="library", rights=Rights.OPEN, rights_of={"tags": Rights.NONCOMMERCIAL},
    gives={"title": 0.8, "tags": 0.7, "audio_features": 0.4, "tempo": 0.9},
)  # fmt: skip


def policy(**order: list[str]) -> MergePolicy:
    return MergePolicy.of(IngestionSettings(merge_policy=order), ["library", "shop"])


def test_what_a_source_declares_counts_and_a_feature_s_own_name_goes_first() -> None:
    plain = policy()
    assert [plain.trust(LIBRARY, f, ANY) for f in ("title", "label", "energy", "tempo")] == [0.8, 0.0, 0.4, 0.9]


def test_rights_are_those_of_the_field() -> None:
    plain = policy()
    assert [plain.trust(LIBRARY, "tags", level) for level in (ANY, FREE, OPEN)] == [0.7, 0.7, 0.0]
    assert plain.trust(LIBRARY, "title", OPEN) == 0.8


def test_settings_put_sources_before_all_others_or_out() -> None:
    changed = policy(tempo=["shop", "library"], audio_features=["-library"], title=["library"])
    assert changed.trust(LIBRARY, "tempo", ANY) == 2.0
    assert changed.trust(LIBRARY, "title", ANY) == 2.0
    assert changed.trust(LIBRARY, "energy", ANY) == 0.0
    # A setting gives nobody a say that he does not have, nor rights.
    assert policy(label=["library"]).trust(LIBRARY, "label", ANY) == 0.0
    assert policy(tags=["library"]).trust(LIBRARY, "tags", OPEN) == 0.0


def test_estimates_can_be_left_out() -> None:
    assert policy().estimates("energy")
    assert not policy(energy=["-estimate"]).estimates("energy")
    chosen = policy(audio_features=["-estimate"], tempo=[])
    assert (chosen.estimates("energy"), chosen.estimates("tempo")) == (False, True)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"tempoo": ["shop"]}, "the field 'tempoo'"),
        ({"tempo": ["shopp"]}, "the source 'shopp' for tempo; there are estimate, library, shop"),
        ({"tempo": ["-shopp"]}, "the source '-shopp'"),
    ],
)
def test_names_that_there_are_not_are_refused(order: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        policy(**order)


def test_the_fingerprint_changes_with_all_that_rows_depend_on() -> None:
    profiles = {"library": LIBRARY}
    other = SourceProfile(name="library", rights=Rights.UNKNOWN, rights_of=LIBRARY.rights_of, gives=LIBRARY.gives)
    prints = {
        policy().fingerprint(profiles),
        policy(title=["library"]).fingerprint(profiles),
        policy().fingerprint({"library": other}),
        MergePolicy(max_genres=3).fingerprint(profiles),
    }
    assert len(prints) == 4
    assert policy().fingerprint(profiles) == policy().fingerprint(dict(profiles))
