"""The libraries scripts may import, pinned, and the virtual environment they are installed into."""
