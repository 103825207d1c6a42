"""Serving: the lab at an address until it is interrupted. A port that is taken is passed over; who exposes it to others is told so.

Not in here: what it answers (app.py).
"""

from __future__ import annotations

import logging
import socket as sockets
import sys
import threading
import webbrowser
from collections.abc import Sequence
from pathlib import Path

import flask.cli

from lessons.shelf import Shelf
from sim.errors import UsageError
from sim.ruleset.collecting import collect_seldom
from sim.ruleset.nft import tables as nft_tables
from web.app import LOOPBACK, create_app
from web.store import Store, default_path

EXPOSED = "ctlab: whoever reaches this machine over the network can use this lab, under any host name, without a password."


def serve(
    host: str = "127.0.0.1",
    port: int = 8080,
    *,
    data: Path | None = None,
    open_browser: bool = True,
    lessons: Sequence[Path] = (),
    preview: str | None = None,
) -> None:
    """Run the lab until interrupted. A port that is taken is passed over for the next free one. Raises UsageError.

    `lessons`: folders and zips of lessons besides ctlab's own; `preview`: the lesson to open at once, as it is being written.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    flask.cli.show_server_banner = lambda *_: None  # its lines are for developers of Flask programs
    store = Store(data or default_path())
    local = host in LOOPBACK
    shelf = Shelf(lessons)
    app, socket = create_app(store, shelf=shelf, hosts=LOOPBACK if local else None, preview=preview)
    wanted, port = port, _free_port(host, port)
    for lack in shelf.lacking():
        print(f"ctlab: {lack}", file=sys.stderr, flush=True)
    address = f"http://{'localhost' if local else host}:{port}/" + ("preview" if preview else "")
    collect_seldom()
    ended = app.extensions["renewal"].begin(shelf.course)
    if wanted not in (0, port):
        print(f"ctlab: port {wanted} is taken; this is on port {port} instead.", file=sys.stderr, flush=True)
    print(f"ctlab is at {address}   (Ctrl-C ends it)", flush=True)
    if not local:
        print(EXPOSED, file=sys.stderr, flush=True)
    threading.Thread(
        target=nft_tables.table, daemon=True
    ).start()  # a third of a second that the first learner need not wait
    if open_browser:
        threading.Timer(0.5, webbrowser.open, (address,)).start()
    try:
        socket.run(app, host=host, port=port, allow_unsafe_werkzeug=True, log_output=False)
    except KeyboardInterrupt:
        pass
    finally:
        ended.set()
        shelf.close()
        store.close()


def _free_port(host: str, port: int) -> int:
    family = sockets.AF_INET6 if ":" in host else sockets.AF_INET
    for candidate in range(port, port + 20):
        with sockets.socket(family, sockets.SOCK_STREAM) as probe:
            probe.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except OverflowError as error:
                raise UsageError(f"port {candidate} is not between 1 and 65535") from error
            except OSError as error:
                if error.errno in (13, 98):
                    continue
                raise UsageError(f"cannot listen on {host}: {error.strerror}") from error
            return int(probe.getsockname()[1])
    raise UsageError(f"ports {port} to {port + 19} on {host} are all taken: choose one with --port")
