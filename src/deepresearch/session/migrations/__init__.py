"""Schema changes, oldest first. Each is a file in `versions/`; none is ever edited after a release."""
