"""What two JSON documents say otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from backend.features.changes.change_report import Told

_LONGEST: Final = 200


def differences(before: Any, after: Any, path: str = "") -> Iterator[Told]:
    """Every place that differs, by its path; long lists of numbers as a whole.

    >>> [(t.path, t.before, t.after) for t in differences({"a": {"b": 1}, "c": [1]}, {"a": {"b": 2}, "c": [1]})]
    [('a.b', '1', '2')]
    """
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            at = f"{path}.{key}" if path else str(key)
            if key in before and key in after:
                yield from differences(before[key], after[key], at)
            else:
                yield Told(path=at, before=_shown(before, key), after=_shown(after, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after) and _is_rich(before):
        for i, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{path}[{i}]")
    else:
        yield Told(path=path, before=_text(before), after=_text(after))


def _is_rich(values: list[Any]) -> bool:
    return any(isinstance(v, Mapping) for v in values)


def _shown(values: Mapping[str, Any], key: str) -> str | None:
    return _text(values[key]) if key in values else None


def _text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"
