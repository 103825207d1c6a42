"""A file a command (or a handful that belong together), each with its rows in COMMANDS (see registry.py)."""
