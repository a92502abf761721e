"""Remembers which font files a choice of fonts leads to.

So that no script ends in empty boxes, the image names a dozen families one after the other, and Matplotlib looks each
of them up for every piece of text it measures: a quarter of the time of a small plot. Runs in the worker, before the
script's process is forked.
"""

from __future__ import annotations

import sys
from typing import Any

_GENERIC = ("font.serif", "font.sans-serif", "font.cursive", "font.fantasy", "font.monospace")
_MOST = 1000


def remember_choices() -> None:
    """Let Matplotlib answer a question for fonts that it has answered before from memory.

    Only where every family was found: for the others it has to warn each time. Does nothing without Matplotlib, or
    with one that looks fonts up in another way.
    """
    module = sys.modules.get("matplotlib.font_manager")
    manager = getattr(module, "FontManager", None)
    look_up = getattr(manager, "_find_fonts_by_props", None)
    if module is None or manager is None or look_up is None:
        return
    settings = sys.modules["matplotlib"].rcParams
    known: dict[Any, list[Any]] = {}

    def find(self: Any, prop: Any, *rest: Any, **named: Any) -> list[Any]:
        wanted = module.FontProperties._from_any(prop)
        generic = tuple(tuple(settings[name]) for name in _GENERIC)
        # The object is part of the key, and not its hash alone, so it has to be one that nobody changes.
        key = (wanted.copy(), rest, tuple(sorted(named.items())), generic, id(self), len(self.ttflist))
        found = known.get(key)
        if found is None:
            found = look_up(self, wanted, *rest, **named)
            if len(found) == len(wanted.get_family()) and len(known) < _MOST:
                known[key] = found
        return list(found)

    manager._find_fonts_by_props = find
