"""How well and how fast passages are found: `python -m benchmarks.retrieval`."""
