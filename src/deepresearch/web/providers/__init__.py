"""One file for each search service."""
