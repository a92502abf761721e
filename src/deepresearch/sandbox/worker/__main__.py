"""Lets the folder itself be run: `python -I -B FOLDER`, under whatever name the folder has."""

import importlib
import os
import sys

_folder = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib would slow a cold start
sys.path[0] = os.path.dirname(_folder)  # noqa: PTH120
_program = importlib.import_module(f"{os.path.basename(_folder)}.main")  # noqa: PTH119
del sys.path[0]
_program.main()
