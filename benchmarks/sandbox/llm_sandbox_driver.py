"""Runs scripts with the library llm-sandbox; started with the interpreter of an environment that has it.

    python llm_sandbox_driver.py IMAGE session|pool

Reads one script a line (as a Python literal), prints the seconds each took. The image's own entry point is replaced by
a sleep, which is what that library expects of an image.
"""

from __future__ import annotations

import ast
import sys
import time
from contextlib import suppress
from typing import Any

from llm_sandbox import SandboxSession  # type: ignore[import-not-found, unused-ignore]

IMAGE, WAY = sys.argv[1:3]
#: Its pool looks for an interpreter at this place, whatever it was told about the image.
PREPARE = (
    "mkdir -p /sandbox/.sandbox-venv/bin && cd /sandbox/.sandbox-venv/bin && "
    "printf '#!/bin/sh\\nexec /opt/sandbox/venv/bin/python \"$@\"' > python && chmod +x python && exec sleep infinity"
)
OPTIONS: dict[str, Any] = {
    "lang": "python",
    "image": IMAGE,
    "keep_template": True,
    "skip_environment_setup": True,
    "workdir": "/tmp",
    "runtime_configs": {
        "entrypoint": ["sh", "-c", PREPARE],
        "user": "root",
        "network_mode": "none",
        "environment": {"MPLBACKEND": "Agg"},
    },
}


def main() -> None:
    """Serve until the input ends."""
    manager = None
    if WAY == "pool":
        from llm_sandbox.pool import PoolConfig, create_pool_manager  # type: ignore[import-not-found, unused-ignore]

        configuration = PoolConfig(min_pool_size=1, max_pool_size=2)
        manager = create_pool_manager(backend="docker", config=configuration, **OPTIONS)
    _time("print(1)", manager)
    print("ready", flush=True)
    for line in sys.stdin:
        print(_time(ast.literal_eval(line), manager), flush=True)
    if manager is not None:
        with suppress(Exception):
            manager.close()


def _time(script: str, manager: Any) -> float:
    begin = time.perf_counter()
    options = {"lang": "python", "pool": manager} if manager is not None else OPTIONS
    with SandboxSession(**options) as session:
        result = session.run(script)
    taken = time.perf_counter() - begin
    if result.exit_code != 0:
        raise RuntimeError(result.stderr + result.stdout)
    return taken


if __name__ == "__main__":
    main()
