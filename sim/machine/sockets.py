"""What `ss` lists: one row a socket, from the stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sim.machine.tcp.connection import Connection, show_end
from sim.machine.tcp.listener import Listener

if TYPE_CHECKING:
    from sim.machine.machine import Machine


class SocketRow(NamedTuple):
    """A socket. `timer` is what `ss -o` shows: (name, µs until it fires, tries), None without one."""

    id: int
    protocol: str
    state: str
    recv_q: int
    send_q: int
    local: str
    remote: str
    program: str
    timer: tuple[str, int, int] | None = None


def rows(machine: Machine) -> list[SocketRow]:
    """All rows: UDP first, as ss prints them."""
    found = [
        SocketRow(sock.id, "udp", sock.state, sock.queued, 0, *machine.udp.ends(sock), sock.program) for sock in machine.udp.sockets
    ]  # fmt: skip
    for one in machine.tcp.rows():
        found.append(_listener(machine, one) if isinstance(one, Listener) else _connection(one))
    return found


def _listener(machine: Machine, one: Listener) -> SocketRow:
    local = f"{machine.tcp.show_local(one.address)}:{one.port}"
    return SocketRow(one.id, "tcp", "LISTEN", len(one.waiting), one.backlog, local, "0.0.0.0:*", one.program)


def _connection(conn: Connection) -> SocketRow:
    sender = conn.sender
    unacked = sum(len(chunk.data) for chunk in sender.sent) + sender.unsent.size + sum(chunk.flags & 2 > 0 for chunk in sender.sent)
    row = SocketRow(
        conn.id, "tcp", conn.state, len(conn.receiver.buffer), unacked, show_end(conn.local), show_end(conn.remote), conn.program
    )
    return row._replace(timer=_timer(conn))


def _timer(conn: Connection) -> tuple[str, int, int] | None:
    """The timers of tcp_diag_get_info: on (something is to be sent again), persist, timewait, keepalive."""
    sender = conn.sender
    if sender.retry.timer.at is not None:
        name = "persist" if not sender.sent else "on"
        return name, sender.retry.timer.at - conn.now, sender.retry.retransmits if sender.sent else sender.retry.probes
    for name, timer in (("timewait", conn.lifetime), ("keepalive", conn.idle)):
        if timer.at is not None:
            return name, timer.at - conn.now, 0
    return None
