"""Keeps what a script only shows: open figures become PNG files and running animations GIF files.

There is no screen in here. `plt.show()` therefore does what it does on a screen once its windows are closed: every
open figure has been seen (it is written to the working folder, unless the script saved it itself) and is gone.
Runs in the script's process.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import os
import sys
import warnings
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_PYPLOT = "matplotlib.pyplot"

_last_shown: Any = None
_animations: list[Any] = []


def install() -> None:
    """Hook into Matplotlib: now where the worker has imported it already, else as soon as the script does."""
    if _PYPLOT in sys.modules:
        _hook(sys.modules[_PYPLOT])
    else:
        sys.meta_path.insert(0, _Watcher())


class _Watcher(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands before the other finders until pyplot is imported, then hooks into it and goes."""

    _loader: Any = None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _PYPLOT or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None:
            self._loader, spec.loader = spec.loader, self
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        _hook(module)


def _hook(pyplot: Any) -> None:
    import matplotlib  # type: ignore[import-not-found, unused-ignore]
    import matplotlib.figure  # type: ignore[import-not-found, unused-ignore]

    figure_class: Any = matplotlib.figure.Figure
    save_figure = figure_class.savefig
    save_current = pyplot.savefig
    use = matplotlib.use
    switch_backend = pyplot.switch_backend

    def savefig(self: Any, *args: Any, **keywords: Any) -> Any:
        result = save_figure(self, *args, **keywords)
        self._sandbox_saved = True
        return result

    def savefig_current(*args: Any, **keywords: Any) -> Any:
        # `plt.show()` before `plt.savefig()` would save an empty page: the figure is gone. Save the one just shown.
        if not pyplot.get_fignums() and _last_shown is not None:
            return _last_shown.savefig(*args, **keywords)
        return save_current(*args, **keywords)

    def show(*_args: Any, **_keywords: Any) -> None:
        capture()
        pyplot.close("all")

    def use_without_screen(backend: str, **keywords: Any) -> None:
        try:
            use(backend, **keywords)
        except ImportError:
            use("Agg")

    def switch_without_screen(backend: str) -> None:
        try:
            switch_backend(backend)
        except ImportError:
            switch_backend("Agg")

    figure_class.savefig = savefig
    figure_class.show = lambda self, warn=True: None
    pyplot.savefig = savefig_current
    pyplot.show = show
    pyplot.switch_backend = switch_without_screen
    matplotlib.use = use_without_screen
    _watch_animations()
    _chain_fonts(matplotlib)


def _chain_fonts(matplotlib: Any) -> None:
    """Let every font fall back on the chain of the settings the runtime was built with.

    Matplotlib looks for missing glyphs only in the families a text names itself. A style that names one, as most do,
    would bring back the empty boxes.
    """
    import matplotlib.font_manager as fonts  # type: ignore[import-not-found, unused-ignore]

    manager: Any = fonts.fontManager
    find = manager._find_fonts_by_props
    families = list(matplotlib.rcParamsOrig["font.family"][1:])
    if not families:
        return

    def find_with_chain(prop: Any, fontext: str = "ttf", directory: Any = None, *more: Any, **keywords: Any) -> Any:
        found = find(prop, fontext, directory, *more, **keywords)
        if fontext != "ttf" or directory is not None:
            return found
        chained = fonts.FontProperties._from_any(prop).copy()
        chained.set_family(families)
        return list(dict.fromkeys([*found, *find(chained)]))

    manager._find_fonts_by_props = find_with_chain


def _watch_animations() -> None:
    import matplotlib.animation  # type: ignore[import-not-found, unused-ignore]

    animation_class: Any = matplotlib.animation.Animation

    start = animation_class.__init__
    save = animation_class.save

    def remember(self: Any, *args: Any, **keywords: Any) -> None:
        start(self, *args, **keywords)
        _animations.append(self)

    def save_and_mark(self: Any, *args: Any, **keywords: Any) -> Any:
        result = save(self, *args, **keywords)
        self._fig._sandbox_saved = True
        return result

    animation_class.__init__ = remember
    animation_class.save = save_and_mark


def capture() -> None:
    """Write every open figure that the script has not saved itself."""
    global _last_shown  # noqa: PLW0603 - one script per process
    pyplot: Any = sys.modules.get(_PYPLOT)
    if pyplot is None:
        return
    animated = {id(animation._fig): animation for animation in _animations}
    for number in pyplot.get_fignums():
        figure = pyplot.figure(number)
        _last_shown = figure
        if getattr(figure, "_sandbox_saved", False):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if id(figure) in animated:
                animated[id(figure)].save(_free_name("animation", "gif"), writer="pillow")
            else:
                figure.savefig(_free_name("figure", "png"))


def _free_name(stem: str, suffix: str) -> str:
    number = 1
    while os.path.lexists(f"/workspace/{stem}-{number}.{suffix}"):
        number += 1
    return f"/workspace/{stem}-{number}.{suffix}"
