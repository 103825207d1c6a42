"""curl, dig, nc and ping against services that answer, are slow, refuse, or are behind a wall."""

from __future__ import annotations

import pytest

from sim.apps.services import SERVICES, check_service
from sim.errors import UsageError
from sim.units import SECOND
from tests.apps.lab import Lab


@pytest.fixture
def lab() -> Lab:
    return Lab(
        http={"pages": {"/": "hello\n"}}, dns={"zone": {"www.example.test": "192.168.1.20", "al.test": {"CNAME": "www.example.test"}}},
        echo={}, sink={}, tcp={"port": 81, "answer": "ok"},
    )  # fmt: skip


SLOW_HTTP = {"delay": "3s"}

# ---- curl ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "printed", "status"),
    [
        ("curl http://server/", "hello\n", 0),
        ("curl server", "hello\n", 0),
        ("curl -s http://192.168.1.20:80/", "hello\n", 0),
        ("curl http://server/nothing", "/nothing: not found\n", 0),
        ("curl -f http://server/nothing", "curl: (22) The requested URL returned error: 404\n", 22),
        (
            "curl http://server:82/",
            "curl: (7) Failed to connect to server port 82 after 10 ms: Couldn't connect to server\n",
            7,
        ),
        ("curl -s http://server:82/", "", 7),
        (
            "curl -sS http://server:82/",
            "curl: (7) Failed to connect to server port 82 after 10 ms: Couldn't connect to server\n",
            7,
        ),
        ("curl http://nosuch/", "curl: (6) Could not resolve host: nosuch\n", 6),
        (
            "curl http://10.9.9.9/",
            "curl: (7) Failed to connect to 10.9.9.9 port 80 after 0 ms: Couldn't connect to server\n",
            7,
        ),
        ("curl https://server/", 'curl: (1) Protocol "https" not supported or disabled in libcurl\n', 1),
        (
            "curl -m 1 http://server:9/",
            "curl: (28) Operation timed out after 1000 milliseconds with 0 bytes received\n",
            28,
        ),
        ("curl", "curl: try 'curl --help' or 'curl --manual' for more information\n", 2),
        (
            "curl --bogus",
            "curl: option --bogus: is unknown\ncurl: try 'curl --help' or 'curl --manual' for more information\n",
            2,
        ),
        (
            "curl -m",
            "curl: option -m: requires parameter\ncurl: try 'curl --help' or 'curl --manual' for more information\n",
            2,
        ),
    ],
)
def test_curl_prints_the_page_or_what_went_wrong(lab: Lab, line: str, printed: str, status: int) -> None:
    assert lab.type(line, 2 * SECOND) == printed
    assert lab.type("echo $?") == f"{status}\n"


def test_curl_behind_a_wall_gives_up_when_it_was_told_to(lab: Lab) -> None:
    lab.root("iptables -P INPUT DROP")
    said = "curl: (28) Failed to connect to server port 80 after 2000 ms: Timeout was reached\n"
    assert lab.type("curl --connect-timeout 2 http://server/", 3 * SECOND) == said
    assert (
        lab.type("curl -m 2 http://server/", 3 * SECOND) == "curl: (28) Connection timed out after 2000 milliseconds\n"
    )
    late = lab.type("curl http://server/", 200 * SECOND)
    assert late.startswith("curl: (28) Failed to connect to server port 80 after 1")


def test_curl_v_tells_each_step(lab: Lab) -> None:
    lines = lab.type("curl -v http://server/").splitlines()
    assert lines[:5] == [
        "*   Trying 192.168.1.20:80...", "* Connected to server (192.168.1.20) port 80 (#0)", "> GET / HTTP/1.1", "> Host: server",
        "> User-Agent: curl/7.88.1",
    ]  # fmt: skip
    assert lines[-2:] == ["hello", "* Connection #0 to host server left intact"]


def test_a_slow_page_comes_late_and_a_big_one_in_several_segments() -> None:
    lab = Lab(http={"delay": "3s", "size": 5000, "pages": {"/": "begin\n"}})
    assert lab.type("curl http://server/ | wc -c", 2 * SECOND) == ""
    lab.run(2 * SECOND)
    assert lab.screen().endswith("5000\n")
    assert sum(len(event.data) // 2 > 1000 for event in lab.sent()) >= 3


def test_curl_writes_into_a_file(lab: Lab) -> None:
    assert lab.type("curl -s -o page http://server/; cat page") == "hello\n"


# ---- dig ----------------------------------------------------------------------------------------------------------


def test_dig_prints_an_answer_in_dig_s_layout(lab: Lab) -> None:
    lines = lab.type("dig @192.168.1.20 www.example.test").splitlines()
    assert lines[1].endswith("<<>> @192.168.1.20 www.example.test")
    assert lines[2:5] == ["; (1 server found)", ";; global options: +cmd", ";; Got answer:"]
    assert lines[6] == ";; flags: qr aa rd ra; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1"
    at = lines.index(";; QUESTION SECTION:")
    assert lines[at + 1 :][:4] == [
        ";www.example.test.\t\tIN\tA",
        "",
        ";; ANSWER SECTION:",
        "www.example.test.\t300\tIN\tA\t192.168.1.20",
    ]
    assert lines[-5:] == [
        ";; Query time: 10 msec", ";; SERVER: 192.168.1.20#53(192.168.1.20) (UDP)", ";; WHEN: Mon Nov 23 09:00:00 UTC 2026",
        ";; MSG SIZE  rcvd: 77", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("dig +short www.example.test", "192.168.1.20\n"),
        ("dig +short al.test", "www.example.test.\n192.168.1.20\n"),
        ("dig +short www.example.test TXT", ""),
        (
            "dig +noall +answer al.test",
            "al.test.\t\t300\tIN\tCNAME\twww.example.test.\nwww.example.test.\t300\tIN\tA\t192.168.1.20\n",
        ),
        ("dig @nosuch a.test", "dig: couldn't get address for 'nosuch': failure\n"),
        (
            "dig +short -p 54 +tries=1 a.test",
            ";; communications error to 192.168.1.20#54: connection refused\n;; no servers could be reached\n",
        ),
    ],
)
def test_dig_in_short(lab: Lab, line: str, printed: str) -> None:
    assert lab.type(line) == printed


def test_dig_says_nxdomain(lab: Lab) -> None:
    assert "status: NXDOMAIN" in lab.type("dig nobody.test")


def test_dig_gives_up_after_its_tries_and_each_has_a_port_of_its_own(lab: Lab) -> None:
    lab.root("iptables -A INPUT -p udp --dport 53 -j DROP")
    printed = lab.type("dig +timeout=1 +tries=2 www.example.test", 3 * SECOND)
    once = ";; communications error to 192.168.1.20#53: timed out\n"
    assert printed.startswith(2 * once + "\n; <<>> DiG")
    assert printed.endswith(";; global options: +cmd\n;; no servers could be reached\n")
    assert lab.type("echo $?") == "9\n"
    queries = [event.headers["sport"] for event in lab.sent() if event.headers.get("dport") == 53]
    assert len(queries) == len(set(queries)) == 2


def test_an_answer_that_is_late_meets_nobody() -> None:
    lab = Lab(dns={"zone": {"a.test": "10.0.0.1"}, "delay": "3s"})
    assert "timed out" in lab.type("dig +timeout=1 +tries=1 a.test", 5 * SECOND)
    assert lab.labels()[-2:] == ["s DNS answer", "l port unreachable"]


# ---- nc -----------------------------------------------------------------------------------------------------------


def test_nc_carries_lines_both_ways(lab: Lab) -> None:
    lab.root("nc -l 9000")
    lab.type("nc -v server 9000")
    assert lab.screen().endswith("Connection to server (192.168.1.20) 9000 port [tcp/*] succeeded!\n")
    lab.type("from the laptop")
    assert lab.screen("server").endswith("from the laptop\n")
    lab.root("from the server")
    lab.run(SECOND)
    assert lab.screen().endswith("from the server\n")
    lab.key("^C")
    assert lab.state("server").prompt == "root@server:~# "


def test_nc_over_udp_answers_the_first_who_writes(lab: Lab) -> None:
    lab.root("nc -ulv 9000")
    lab.type("nc -u server 9000")
    lab.type("hello")
    assert "Connection received on 192.168.1.10" in lab.screen("server")
    assert lab.screen("server").endswith("hello\n")
    lab.root("back")
    lab.run(SECOND)
    assert lab.screen().endswith("back\n")


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("nc -zv server 80", "Connection to server (192.168.1.20) 80 port [tcp/http] succeeded!\n"),
        ("nc -zv server 82", "nc: connect to server (192.168.1.20) port 82 (tcp) failed: Connection refused\n"),
        ("nc -z server 82; echo $?", "1\n"),
        ("nc -zv 10.9.9.9 80", "nc: connect to 10.9.9.9 port 80 (tcp) failed: Network is unreachable\n"),
        ("nc -zvu 10.9.9.9 80", "nc: connect to 10.9.9.9 port 80 (udp) failed: Network is unreachable\n"),
        ("nc -zvu server 82; echo $?", "1\n"),
        ("nc -zvu server 53", "Connection to server (192.168.1.20) 53 port [udp/domain] succeeded!\n"),
        ("nc nosuch 80", 'nc: getaddrinfo for host "nosuch" port 80: Name or service not known\n'),
        ("nc server", "nc: missing port number\n"),
        ("nc server abc", "nc: port number invalid: abc\n"),
        ("nc -w x server 80", "nc: timeout invalid: x\n"),
        ("nc -l 80", "nc: Permission denied\n"),
        ("echo hi | nc -N server 7", "hi\n"),
        ("nc -p 9 -z server 80; nc -p 9 -z server 80", "nc: bind failed: Address already in use\n"),
        ("echo hi | nc -w 1 server 81", "ok"),
    ],
)
def test_nc_says_what_netcat_says(lab: Lab, line: str, printed: str) -> None:
    printed_now = lab.type(line, 5 * SECOND)
    assert printed_now + lab.state().prompt.removesuffix("admin@laptop:~$ ") == printed


def test_nc_waits_no_longer_than_it_was_told(lab: Lab) -> None:
    lab.root("iptables -P INPUT DROP")
    said = "nc: connect to server (192.168.1.20) port 80 (tcp) timed out: Operation now in progress\n"
    assert lab.type("nc -v -w 2 server 80", 3 * SECOND) == said


# ---- ping ---------------------------------------------------------------------------------------------------------


def test_ping_prints_replies_and_statistics_as_iputils_does(lab: Lab) -> None:
    assert lab.type("ping -c 2 192.168.1.20", 3 * SECOND) == (
        "PING 192.168.1.20 (192.168.1.20) 56(84) bytes of data.\n"
        "64 bytes from 192.168.1.20: icmp_seq=1 ttl=64 time=10.0 ms\n"
        "64 bytes from 192.168.1.20: icmp_seq=2 ttl=64 time=10.0 ms\n\n"
        "--- 192.168.1.20 ping statistics ---\n"
        "2 packets transmitted, 2 received, 0% packet loss, time 1000ms\n"
        "rtt min/avg/max/mdev = 10.000/10.000/10.000/0.000 ms\n"
    )


def test_ping_goes_on_until_control_c(lab: Lab) -> None:
    assert lab.type("ping server", 3 * SECOND + SECOND // 2).count("time=10.0 ms") == 4
    assert "4 packets transmitted, 4 received, 0% packet loss" in lab.key("^C")
    assert lab.type("echo $?") == "0\n"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("-j REJECT", "Destination Port Unreachable"),
        ("-j REJECT --reject-with icmp-host-prohibited", "Destination Host Prohibited"),
        ("-j REJECT --reject-with icmp-admin-prohibited", "Packet filtered"),
    ],
)
def test_ping_words_the_icmp_errors_that_come_back(lab: Lab, rule: str, words: str) -> None:
    lab.root(f"iptables -A INPUT -p icmp {rule}")
    printed = lab.type("ping -c 2 server", 3 * SECOND)
    assert f"From 192.168.1.20 icmp_seq=1 {words}\nFrom 192.168.1.20 icmp_seq=2 {words}\n" in printed
    assert "2 packets transmitted, 0 received, +2 errors, 100% packet loss, time 1000ms\n\n" in printed


def test_ping_into_silence_counts_what_was_lost(lab: Lab) -> None:
    lab.root("iptables -A INPUT -p icmp -j DROP")
    printed = lab.type("ping -c 2 -W 1 server", 5 * SECOND)
    assert printed.endswith("2 packets transmitted, 0 received, 100% packet loss, time 1000ms\n\n")
    assert lab.type("echo $?") == "1\n"


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("ping", "ping: usage error: Destination address required\n"),
        ("ping nosuch", "ping: nosuch: Name or service not known\n"),
        ("ping 10.9.9.9", "ping: connect: Network is unreachable\n"),
        ("ping -c 0 server", "ping: invalid argument: '0': out of range: 1 <= value <= 9223372036854775807\n"),
        ("ping -t 300 server", "ping: invalid argument: '300': out of range: 0 <= value <= 255\n"),
    ],
)
def test_ping_refuses_what_makes_no_sense(lab: Lab, line: str, printed: str) -> None:
    assert lab.type(line) == printed


def test_ping_speaks_ipv6(lab: Lab) -> None:
    assert "64 bytes from fd00::20: icmp_seq=1 ttl=64 time=10.0 ms" in lab.type("ping -c 1 fd00::20")


# ---- services -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("htpp", {}, "there is no service 'htpp'. did you mean 'http'?"),
        ("http", {"prot": 80}, "http: there is no option 'prot'; did you mean 'port'?"),
        ("http", {"port": 0}, "http: port: a number from 1 to 65535 is wanted"),
        ("tcp", {}, "tcp: port: a number from 1 to 65535 is wanted"),
        ("dns", {"zone": {"a": "b"}}, "dns: 'b' does not appear to be an IPv4 or IPv6 address"),
        ("dns", {"zone": {"a": {"SOA": "b"}}}, "dns: a: records of type SOA are not served here"),
        ("http", {"delay": "soon"}, "'soon' is no time: write for example 30s, 200ms, 5m, 1h30m or 5d"),
    ],
)
def test_a_wrong_service_is_refused_with_what_is_wrong(name: str, options: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_service(name, options)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_starts_and_listens(name: str) -> None:
    lab = Lab(**{name.replace("-", "_"): {"port": 4000}})
    assert lab.machines["server"].services[0].text == f"{name} :4000"
    assert ":4000" in lab.root("ss -ltun")


def test_a_web_server_with_patience_closes_a_silent_connection() -> None:
    lab = Lab(http={"idle": "5s"})
    lab.type("nc server 80", 4 * SECOND)
    assert "s FIN" not in lab.labels()
    lab.run(2 * SECOND)
    assert "s FIN" in lab.labels()


def test_a_file_goes_out_over_udp_as_one_datagram(lab: Lab) -> None:
    lab.type("echo one > f; echo two >> f")
    since = len(lab.sent())
    lab.type("nc -u -w 1 server 7 < f")
    assert [packet.headers["payload"] for packet in lab.sent()[since:] if packet.headers["protocol"] == "udp"] == [8]
    since = len(lab.sent())
    lab.type("nc -C -u -w 1 server 7 < f")
    assert lab.sent()[since].data.endswith(b"one\r\ntwo\r\n".hex())


@pytest.mark.parametrize(
    "line, words",
    [
        ("curl http://server:99999/", "curl: (3) URL using bad/illegal format or missing URL\n"),
        ("dig -p 65536 @server x", "invalid port number '65536': out of range\ndig: Couldn't parse port number\n"),
        ("ping -s 65508 -c 1 server", "ping: local error: message too long, mtu=1500\n"),
        ("ping -s 999999999 -c 1 server", "1 packets transmitted, 0 received, 100% packet loss, time 0ms\n"),
    ],
)
def test_what_no_header_has_room_for_is_refused_as_the_real_tool_does(lab: Lab, line: str, words: str) -> None:
    since = len(lab.sent())
    assert words in lab.type(line, 15 * SECOND)
    assert lab.sent()[since:] == []
