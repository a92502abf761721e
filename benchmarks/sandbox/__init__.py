"""How fast the sandbox is, in ratios measured in one run on one machine."""
