"""The lab in the browser: the server, the session store, and the `ctlab` command. README.md is the map."""
