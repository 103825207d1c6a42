"""Branches that no packet of a fuzzed case can take, each with its reason: the measured share counts the others alone.

A line names file and function, the condition (how it begins) and the way: `true`, `false`, or `ever` for both; the condition `*` is
every one of the function. The way is the condition's own, without a `not` ahead of it; of `x is (not) None` it is true for None.
The test of the branches finds a line that names no branch any longer, and one whose branch was taken after all.
"""

from __future__ import annotations

from typing import Final

UNREACHABLE: Final[dict[str, str]] = {
    "the trace is built where somebody watches, and a measured firewall has no watcher": """
        conntrack/entries.py _insert | self.emit is not None | false
        conntrack/entries.py destroy | self.emit is not None | false
        conntrack/entries.py made | self.emit is not None | false
        conntrack/entries.py expire | self.emit is not None | false
        conntrack/entries.py _deliver | self.emit is not None | false
        conntrack/expect.py _expected_source | * | ever
        conntrack/tcp.py _judge | tracker.emit is not None | false
        conntrack/tcp_window.py judge | tracker.emit is not None | false
        conntrack/tracker.py _resolve | self.emit is None | false
        netfilter/nat/engine.py _put | self._emit is not None | false
    """,
    "programs ask for it": """
        conntrack/entries.py __init__ | settings or Settings() | true
        conntrack/zones.py words | if zone & ORIGINAL_ONLY | true
        conntrack/zones.py words | ("", f"zone-reply{name}" | false
        netfilter/nat/engine.py __init__ | tracker or Tracker() | false
        conntrack/expect.py _insert | if new.timeout | false
        conntrack/expect.py _make_room | if new.limit | false
        netfilter/nat/choice.py is_free | * | ever
    """,
    "no device of a fuzzed case goes down: tests/netfilter": """
        netfilter/nat/engine.py addresses_gone | gone is None or | true
    """,
    "only the replay's quick lane goes there": """
        conntrack/tracker.py enter_again | * | ever
        conntrack/tracker.py _resolve | conn is None else conn | false
        conntrack/entries.py confirm | reason or why.CONFIRMED | false
    """,
    "compiled modules alone run it": """
        conntrack/checksums.py ones_sum | if not COMPILED | true
        conntrack/checksums.py ones_sum | at < stop | ever
        conntrack/checksums.py ones_sum | at + 1 < end | ever
        conntrack/checksums.py ones_sum | at < end | ever
    """,
    "the limits are the machine's, no namespace's: tests/kernel/test_full_tables_against_kernel.py": """
        conntrack/tracker.py _make | if settings.max | false
        conntrack/tracker.py _make | len(self.table) >= settings.max | true
        conntrack/table.py add | self._buckets is not None | false
        conntrack/table.py remove | self._buckets is not None | false
        conntrack/table.py remove | for key in (conn.there, conn.back) | ever
        conntrack/entries.py expire | elif isinstance(ended, Collector) | true
        conntrack/expect.py related | if not self._make_room(new) | false
        conntrack/helpers/pptp.py _expect_tunnel | if help.related(back | true
        conntrack/expect.py _make_room | self.count >= self._tracker.settings.expect_max | true
        netfilter/nat/helpers/irc.py nat_irc | if not port | false
        netfilter/nat/helpers/sip.py nat_expect | if not port | false
    """,
    "two packets of one connection are never on their way at once, and what ends leaves the table in the same step": """
        conntrack/entries.py _insert | if conn.status & DYING | true
        conntrack/entries.py _in_the_way | table.default.get(conn.there) | true
        conntrack/entries.py _in_the_way | table.standing(conn.there | true
        conntrack/entries.py _resolve_clash | other is None | true
        conntrack/entries.py _resolve_clash | held is not None and | true
        conntrack/entries.py _same | mine == ends or | true
        conntrack/table.py _step_forward | key not in | false
        conntrack/entries.py destroy | if conn.status & CONFIRMED | false
        conntrack/expect.py find | one.master.status & CONFIRMED | false
        conntrack/expect.py find | one if alive | false
        conntrack/table.py add | if not hidden | true
        netfilter/nat/choice.py _taken | in_original(other.zone) == in_original(conn.zone) | true
        netfilter/nat/choice.py _taken | other is conn | true
        netfilter/nat/choice.py _used_new | self._table.find(tuple_, conn.zone) | true
    """,
    "time passes ahead of every packet": """
        conntrack/entries.py confirm | now >= self.timers.due | true
        conntrack/tracker.py _begin | now >= self.timers.due | true
    """,
    "the table of expectations is asked for one destination and its protocol": """
        conntrack/expect.py matches | key[1] != mine.dst | true
        conntrack/expect.py matches | key[3] != mine.dport | true
        conntrack/expect.py matches | key[4] != mine.protonum | true
        conntrack/expect.py matches | len(key[0]) != len(mine.src) | true
        conntrack/expect.py clashes | mine.dst != theirs.dst | true
        conntrack/expect.py clashes | mine.dport != theirs.dport | true
        conntrack/expect.py clashes | mine.protonum != theirs.protonum | true
    """,
    "the caller has looked: the type allows what is not there": """
        conntrack/entries.py destroy | self.unbound is not None | true
        conntrack/entries.py expire | elif isinstance(ended, Expectation) | false
        conntrack/helpers/sip.py _response | len(message.data) < SHORTEST | true
        conntrack/seqadj.py adjusted | len(data) < at + 20 | true
        conntrack/entries.py refused | self.why is None else self.why | true
        conntrack/entries.py _helper_ends | conn.helper is not None | true
        conntrack/entries.py _helper_ends | helper is not None | true
        conntrack/expect.py _make_room | len(of_kind) - 1 >= new.limit | true
        conntrack/expect.py remove | one not in held | true
        conntrack/gre.py complete | key[4] != GRE | true
        conntrack/helpers/help.py broadcast_mask | tracker.netmask is not None | true
        conntrack/helpers/pptp.py _end | if isinstance(tunnel, GreConn) | false
        conntrack/icmp.py _judge_v4 | GO_ON if packet.fragment | true
        conntrack/seqadj.py shift | conn.seqadj is None | true
        conntrack/seqadj.py _sack | end > len(out) | true
        conntrack/helpers/help.py segment | packet.data[packet.payload :] if packet.complete | false
        netfilter/nat/engine.py translation | if not conn.status & _NAT | false
        conntrack/tracker.py help | conn.helper or "" | false
        conntrack/tracker.py help | helper is not None | true
        netfilter/nat/rewrite.py writable | skip_extensions(data, at + 40, data[at + 6]) or | false
        conntrack/tuples.py key_of | protonum in PORTED | true
        netfilter/nat/choice.py _used_new | other is None | true
        netfilter/nat/engine.py _unbind | held is not None | true
        netfilter/nat/engine.py _unbind | conn in held | false
        netfilter/nat/engine.py redirect | skb.conn is None | true
        netfilter/nat/engine.py netmap | skb.conn is None | true
        netfilter/nat/ranges.py jhash2 | if not rest | false
        netfilter/nat/rewrite.py _ipv6 | len(out) < at + 40 | true
    """,
    "what an entry's tuples invert has an inverse": """
        netfilter/nat/choice.py _keep | outward is None | true
        netfilter/nat/choice.py used | reply is not None | false
        netfilter/nat/choice.py _used_new | reply is not None | true
        netfilter/nat/choice.py _used_harder | reply is None | true
        netfilter/nat/engine.py bind | now is not None | true
        netfilter/nat/engine.py bind | invert(new) or conn.reply | false
        netfilter/nat/engine.py _translate | target is None | true
    """,
    "no packet of 1500 bytes becomes longer than IP allows": """
        netfilter/nat/helpers/mangle.py mangle | len(packet.data) + more > LARGEST | true
        netfilter/nat/helpers/amanda.py nat_amanda | if not mangle | false
        netfilter/nat/helpers/ftp.py nat_ftp | if not mangle | false
        netfilter/nat/helpers/irc.py nat_irc | if not mangle | false
        netfilter/nat/helpers/pptp.py nat_pptp | if mangle | false
        netfilter/nat/helpers/sip.py put | if not mangle | false
        netfilter/nat/helpers/sip.py nat_message | verdict != ACCEPT | true
        netfilter/nat/helpers/sip.py nat_message | if not _contacts | false
        netfilter/nat/helpers/sip.py _contacts | if not _map | false
        netfilter/nat/helpers/sip.py _via | if not _map | false
        netfilter/nat/helpers/sip.py _via | if not put | false
        netfilter/nat/helpers/sdp.py nat_address | bool(_line | false
        netfilter/nat/helpers/sdp.py nat_port | put(help | false
        netfilter/nat/helpers/sdp.py nat_session | written is not False | false
    """,
    "both devices have one address of each family, and none for broadcasts (the kernel's judge gives them none)": """
        conntrack/helpers/broadcast.py help_broadcast | mask is not None | false
        netfilter/nat/addresses.py _select4 | first or address | true
        netfilter/nat/addresses.py _primary | address[0] == 127 | true
        netfilter/nat/engine.py masquerade | own is None | true
        netfilter/nat/engine.py masquerade | skb.packet.version == 4 | ever
        netfilter/nat/engine.py redirect | own is None or skb.conn is None | true
    """,
    "what was measured as an address or a number can be read as one": """
        conntrack/helpers/sip_uri.py header_uri | place is None | true
        conntrack/helpers/sip.py _end | behind == found.at or | true
        conntrack/helpers/numbers.py digit | size >= 16 | true
        conntrack/helpers/sip.py _register | if isinstance(contact, Wrong) | true
        conntrack/helpers/sip.py _accepted | if isinstance(contact, Wrong) | true
        conntrack/helpers/sip_media.py _sdp_address | read[0] if read | false
        conntrack/helpers/sip_media.py session | end == at | true
    """,
    "rules name ports with a protocol that has them, the lower one first: the tools refuse others": """
        netfilter/nat/choice.py _ports_in_range | tuple_.protonum in ICMPS | true
        netfilter/nat/choice.py _ports_in_range | tuple_.protonum != GRE | true
        netfilter/nat/choice.py _ports_in_range | ports[0] <= tuple_.sport | ever
        netfilter/nat/choice.py _ports_to_try | high < low | true
        netfilter/nat/choice.py _address | wanted.high is None | true
        netfilter/nat/choice.py _in_range | wanted.high is not None | true
    """,
    "it takes 65,536 entries, more than a case has packets": """
        conntrack/table.py add | self._count >= self._large | true
    """,
    "it takes 4096 time-outs that were moved ahead, more than a case has packets": """
        conntrack/timers.py set | self._places > 2 * self._waiting + FEW | true
        conntrack/timers.py _sweep | * | ever
    """,
    "TCP's grid: in SYN_SENT only an ACK of the answering side is ignored; a SYN of that side never is; LAST_ACK ends by an ACK alone": """
        conntrack/tcp_special.py _ignore | direction == ORIGINAL: | false
        conntrack/tcp_special.py _ignore | index == ACK and direction == REPLY | false
        conntrack/tcp_special.py _ignore | direction == REPLY: | false
        conntrack/tcp_special.py _ignore | conn.last_direction != direction and | false
        conntrack/tcp_special.py _challenge | index == ACK and conn.last_direction | false
        conntrack/tcp_special.py _reset | conn.last_direction == REPLY and packet.seq | false
    """,
    "TCP's grid: an answered connection becomes ESTABLISHED from SYN_RECV, or is it already": """
        conntrack/tcp.py _take | old in (ESTABLISHED, SYN_RECV)) | false
    """,
    "windows of both sides are forgotten when tracking begins anew, which is a rule's loading": """
        conntrack/tcp_window.py _pick_up | receiver.maxwin == 0 | true
    """,
    "routes and devices stay as they are in a case": """
        netfilter/nat/engine.py _inet | conn.nat != skb.outdev | true
    """,
    "where two expectations of a stream meet they are equal: what comes from anybody comes over TCP": """
        conntrack/helpers/sip_media.py _expect_both | error not in | true
        conntrack/helpers/sip_media.py _expect_both | for earlier in made | ever
        conntrack/helpers/sip_media.py _expect_media | where if _expect_both | false
        netfilter/nat/helpers/expected.py find_port | error != "EBUSY" or | true
        netfilter/nat/helpers/sdp.py nat_media | port != rtp.saved_port | true
        netfilter/nat/helpers/sdp.py _find_pair | for port in range | false
        netfilter/nat/helpers/sdp.py _find_pair | error == "EBUSY" | true
        netfilter/nat/helpers/sdp.py _find_pair | error != "EBUSY" | false
        netfilter/nat/helpers/sip.py _source | came.src == mine.src else None | false
        netfilter/nat/helpers/sip.py expected | source is not None | true
    """,
    "INIT is alone in its packet: the checks of SCTP's chunks see to it": """
        conntrack/sctp.py _walk | ignore or (kind == INIT | true
    """,
    "two entries at most bear one tuple in one zone: one as their original, one as their reply": """
        conntrack/table.py _step_forward | if not held | true
    """,
    "a call has two ids: where the one way's key is new, so is the other's; and NAT tells tunnels apart by the ports of their sessions": """
        conntrack/helpers/pptp.py _expect_tunnel | if tracker.keymaps.add(conn, 1 | false
        netfilter/nat/choice.py _ports_to_try | tuple_.protonum == GRE | true
    """,
}
"""Reason -> its branches."""


def rows() -> list[tuple[str, str, str, str]]:
    """(file, function, how the condition begins, the way) of every line."""
    found = []
    for text in UNREACHABLE.values():
        for line in text.strip().splitlines():
            place, condition, way = (part.strip() for part in line.split(" | "))
            file, function = place.split()
            found.append((file, function, condition, way))
    return found
