"""The command line: parse, call the session, show what came of it."""
