"""What a worker has ready before its script comes: imports done, fonts known, one picture drawn in each format."""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import os
import shutil

from . import fonts

#: Threads in the parent would not survive the fork, and one run has one processor by default.
ENVIRONMENT = {
    "HOME": "/tmp/home",  # noqa: S108 - inside the sandbox
    "XDG_CACHE_HOME": "/tmp/.cache",  # noqa: S108
    "XDG_CONFIG_HOME": "/tmp/.config",  # noqa: S108
    "MPLCONFIGDIR": "/tmp/.matplotlib",  # noqa: S108
    "MPLBACKEND": "Agg",
    "TMPDIR": "/tmp",  # noqa: S108
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "2",
    "RAYON_NUM_THREADS": "2",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONIOENCODING": "utf-8:backslashreplace",
    "PYTHONUTF8": "1",
    "PYTHONHASHSEED": "0",
    "SOURCE_DATE_EPOCH": "315532800",
}

MODULES = (
    "json",
    "csv",
    "math",
    "random",
    "statistics",
    "datetime",
    "decimal",
    "collections",
    "itertools",
    "subprocess",
    "pathlib",
    "textwrap",
    "numpy",
    "numpy.random",
    "pandas",
    "pandas.plotting._matplotlib",
    "matplotlib",
    "matplotlib.pyplot",
    "matplotlib.animation",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "matplotlib.backends.backend_pdf",
    "mpl_toolkits.mplot3d",
    "PIL.Image",
    "PIL.PngImagePlugin",
    "networkx",
    "scipy",
    "graphviz",
    "pydot",
)


def settle(cache: str | None) -> None:
    """Set the environment and lay out the home folder.

    `cache` is a folder with baked caches. Matplotlib refuses a cache it cannot write to, hence the copy.
    """
    os.environ.update(ENVIRONMENT)
    for folder in ("/tmp/home", "/tmp/.cache", "/tmp/.config"):  # noqa: S108
        os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103
    folder = ENVIRONMENT["MPLCONFIGDIR"]
    if cache is not None:
        with contextlib.suppress(OSError):
            shutil.copytree(os.path.join(cache, "matplotlib"), folder)  # noqa: PTH118
    os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103
    with open(os.path.join(folder, "matplotlibrc"), "a", encoding="utf-8") as settings:  # noqa: PTH118, PTH123
        # The same script draws the same bytes: names inside an SVG would be random otherwise.
        settings.write("\nsvg.hashsalt: deepresearch\n")


def warm_up() -> list[str]:
    """Import and draw once. Returns the names that were imported."""
    imported = []
    for name in MODULES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
            imported.append(name)
    fonts.remember_choices()
    draw_once()
    return imported


def draw_once() -> None:
    """Draw one picture without pyplot, so that no figure number is used up: fills font, path and memory caches.

    No font file stays open: a descriptor would reach the script, and closed behind its font it would break the next
    picture. Without Matplotlib nothing is drawn.
    """
    try:
        from matplotlib import font_manager  # type: ignore[import-not-found, unused-ignore]
        from matplotlib.figure import Figure  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return
    figure = Figure()
    axes = figure.subplots()
    axes.plot(range(100), range(100), label="$x^2$")
    axes.set_title("warm")
    axes.legend()
    for form in ("png", "svg", "pdf"):
        figure.savefig(io.BytesIO(), format=form)
    del figure, axes
    # The cache that Matplotlib itself clears in every forked process, under the same name.
    font_manager._get_font.cache_clear()
    gc.collect()
