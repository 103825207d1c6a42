"""Command lines for the real conntrack and ours, one after the other on one table. For test_conntrack_tool_prints_the_same.py."""

from __future__ import annotations

_FIRST = "conntrack -I -s 1.1.1.1 -d 2.2.2.2"
MAKING = f"""
{_FIRST} -p tcp --dport 20 --state LISTEN -t 50
{_FIRST} -p tcp --sport 10 --dport 20 -t 50
{_FIRST} -p tcp --sport 10 --reply-port-src 20 --state LISTEN -t 50
{_FIRST} -p tcp --reply-port-src 20 --state LISTEN -t 50
{_FIRST} -p udp -t 50
{_FIRST} -p icmp -t 50
{_FIRST} -p icmp --icmp-type 8 --icmp-code 0 -t 50
{_FIRST} -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 7 -t 50
{_FIRST} -p icmp --icmp-type 3 --icmp-code 0 --icmp-id 7 -t 50
conntrack -I -s ::1 -d ::2 -p icmpv6 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 7 -t 50
{_FIRST} -p gre -t 50
{_FIRST} -p gre --srckey 0x10 --dstkey 32 -t 50
{_FIRST} -p sctp --sport 1 --dport 2 --state ESTABLISHED -t 50
{_FIRST} -p sctp --sport 1 --dport 2 --state ESTABLISHED -t 50 --orig-vtag 5 --reply-vtag 6
{_FIRST} -p dccp --sport 1 --dport 2 --state OPEN -t 50
{_FIRST} -p dccp --sport 1 --dport 2 --state OPEN --role client -t 50
{_FIRST} -p udplite --sport 1 --dport 2 -t 50
{_FIRST} -p esp -t 50
{_FIRST} -p 200 -t 50
{_FIRST} -p udp --sport 1 --dport 2 -t 50 -n 9.9.9.9
{_FIRST} -p udp --sport 3 --dport 2 -t 50 -n 9.9.9.9:77
{_FIRST} -p udp --sport 4 --dport 2 -t 50 -g 9.9.9.9:77
{_FIRST} -p udp --sport 5 --dport 2 -t 50 -n 9.9.9.9 -g 8.8.8.8
{_FIRST} -p udp --sport 6 --dport 2 -t 50 -w 5
{_FIRST} -p udp --sport 6 --dport 2 -t 50
conntrack -I -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -q 3.3.3.3 -p udp --sport 8 --dport 2 -t 50
{_FIRST} -r 2.2.2.2 -q 3.3.3.3 -p udp --sport 8 --dport 2 --reply-port-src 2 --reply-port-dst 9 -t 50 -u ASSURED,SEEN_REPLY
conntrack -I -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -q 1.1.1.1 -p 2 -t 50
conntrack -U -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -q 1.1.1.1 -p igmp -t 60
conntrack -I -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -p 200 -t 50
conntrack -D -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -q 1.1.1.1 -p 2
conntrack -I -r 2.2.2.2 -q 3.3.3.3 -p udp --reply-port-src 2 --reply-port-dst 99 -t 50
{_FIRST} -p udp --sport 9 --dport 2 -t 50 -u EXPECTED
{_FIRST} -p udp --sport 10 --dport 2 -t 50 -u FIXED_TIMEOUT
{_FIRST} -p udp --sport 11 --dport 2 -t 50 -m 0x10/3
{_FIRST} -p udp --sport 13 --dport 2 -t -5
{_FIRST} -p udp --sport 15 --dport 2 -t 99999999999
{_FIRST} -p udp --sport 70000 --dport x -t 9
{_FIRST} -p udp --sport 16 --dport 2 -t 9 -j 1.1.1.1
{_FIRST} -p tcp --sport 16 --dport 2 -t 9 --state ESTABLISHED -u SEEN_REPLY,ASSURED -m 4
{_FIRST} -p tcp --sport 16 --dport 2 -t 9 --state ESTABLISHED
conntrack -A -s 1.1.1.1 -d 2.2.2.2 -p tcp --sport 16 --dport 2 -t 99 --state CLOSE
conntrack -A -s 1.1.1.1 -d 2.2.2.2 -p tcp --sport 17 --dport 2 -t 99 --state CLOSE
conntrack -I -s 1.1.1.1 -d ::2 -p udp --sport 1 --dport 2 -t 5
conntrack -I -f ipv4 -s 1.1.1.1 -d 1.1.1.2 -p udp --sport 1 --dport 2 -t 5
conntrack -L
conntrack -L -o save
conntrack -L -o xml
conntrack -L -o extended,id
conntrack -L -f ipv6 -o xml
conntrack -L -f ipv6 -o save
conntrack -L -p gre
conntrack -L -p gre --srckey 16
conntrack -L -p gre --srckey 17
conntrack -L -p sctp --state ESTABLISHED
conntrack -L -p tcp --state CLOSE
conntrack -L -n
conntrack -L -n 9.9.9.9
conntrack -L -n 9.9.9.9:77
conntrack -L -n 9.9.9.9:78
conntrack -L -n 9.9.9.8
conntrack -L -g
conntrack -L -g 9.9.9.9
conntrack -L -j
conntrack -L -j 9.9.9.9
conntrack -L -n -g
conntrack -L -n 9.9.9.9 -g 8.8.8.8
conntrack -L -n ::1
conntrack -L -w 5
conntrack -L -w 0
conntrack -L -w 70000
conntrack -L -w x
conntrack -L --orig-zone 5
conntrack -L --orig-zone 0
conntrack -L -s 1.1.1.0/24 -d 2.2.2.2/8
conntrack -L -s 1.1.1.1 --mask-src 255.255.0.255
conntrack -L -s 1.1.9.1 --mask-src 255.255.0.255
conntrack -L -s 1.1
conntrack -L -p icmp --icmp-type 8
conntrack -L -p icmp --icmp-id 7
conntrack -L -p icmpv6 --icmpv6-id 7
conntrack -L -p tcp --reply-port-dst 16
conntrack -L -u FIXED_TIMEOUT
conntrack -L -u EXPECTED
conntrack -L -u !SEEN_REPLY
conntrack -L -u UNSET
conntrack -L -u ASSURED,UNREPLIED
conntrack -L -u ASSURED,SEEN_REPLY
conntrack -L -u SRC_NAT
conntrack -L -u !
conntrack -L -u ASSURED,
conntrack -L -m 0x10/0x10
conntrack -L -m 0x10/3
conntrack -L -m x
conntrack -L -c 5
conntrack -L -z
conntrack -L -z -p udp
conntrack -L -l red
conntrack -L -o labels
conntrack -L -o save,id
conntrack -C
conntrack -G -p tcp -s 1.1.1.1 -d 2.2.2.2 --sport 16 --dport 2 -o xml
conntrack -G -p tcp -s 1.1.1.1 -d 2.2.2.2 --sport 16 --dport 2 -o save
conntrack -G -p tcp -r 2.2.2.2 -q 1.1.1.1 --reply-port-src 2 --reply-port-dst 16
conntrack -G -p udp -s 1.1.1.1 -d 2.2.2.2 --sport 6 --dport 2
conntrack -G -p udp -s 1.1.1.1 -d 2.2.2.2 --sport 6
conntrack -G -p icmp -s 1.1.1.1 -d 2.2.2.2 --icmp-type 8 --icmp-code 0 --icmp-id 7
conntrack -G -p esp -s 1.1.1.1 -d 2.2.2.2
conntrack -D -p udp --sport 11 -o save
conntrack -D -p udp -u FIXED_TIMEOUT -o extended
conntrack -D -w 5
conntrack -D -m 4 -o xml
conntrack -D -t 3 -p udplite
conntrack -D -n 9.9.9.9
conntrack -D -s 2.2.2.2 -p tcp --sport 10 --dport 20
conntrack -D -f ipv6
conntrack -L
conntrack -F -f ipv6
conntrack -C
"""
CHANGING = f"""
{_FIRST} -p udp --sport 1 --dport 2 -t 50
conntrack -U -p udp -m 5
conntrack -U -m 5
conntrack -U -f ipv4 -m 5
conntrack -U -s 1.1.1.1 -m 5
conntrack -U -s 1.1.1.1 -m 6/4
conntrack -U -s 1.1.1.1 --label-add red -m 3
conntrack -U -s 1.1.1.1 -u EXPECTED
conntrack -U -s 1.1.1.1 -u ASSURED
conntrack -U -s 1.1.1.1 -u ASSURED -t 5
conntrack -U -s 1.1.1.1 -u SEEN_REPLY,ASSURED
conntrack -U -s 1.1.1.1 -n 1.2.3.4
conntrack -U -s 1.1.1.1 -u FIXED_TIMEOUT
conntrack -U -s 1.1.1.1 -t 40
conntrack -U -s 1.1.1.1 -p udp --sport 1
conntrack -U -s 1.1.1.1 -p udp --sport 2 -m 7
conntrack -U -s 9.1.1.1 -m 7
conntrack -U -s 1.1.1.1 -p tcp --state ESTABLISHED
conntrack -L
conntrack -F
{_FIRST} -p tcp --sport 1 --dport 2 -t 50 --state LISTEN
conntrack -U -s 1.1.1.1 -p tcp --state ESTABLISHED -o extended
conntrack -U -s 1.1.1.1 -p tcp --state ESTABLISHED -o id
conntrack -U -s 1.1.1.1 -p tcp -t 100 -o save
conntrack -U -s 1.1.1.1 -p tcp -t 90 -o xml
conntrack -U -s 1.1.1.1 -p tcp -z
conntrack -U expect -s 1.1.1.1
conntrack -L
"""
MANY = "\n".join([
    *(f"{_FIRST} -p udp --sport {port} --dport 2 -t 50" for port in range(1, 10)), "conntrack -U -s 1.1.1.1 -m 9", "conntrack -L -m 9",
])  # fmt: skip
WORDS = """
conntrack
conntrack -h
conntrack -h -p tcp
conntrack -h -p icmpv6
conntrack -h -p esp
conntrack -h -p gre
conntrack -V
conntrack -p tcp
conntrack -R
conntrack -R /nonexist
conntrack -L -i 5
conntrack -L -a 1.1.1.1
conntrack -L -n 1.2.3.4:x
conntrack -L -n 1.2.3.4:
conntrack -L -n [::1
conntrack -L -n []
conntrack -L -n 1.1.1.1/8
conntrack -L -r 1.1.1.1/8
conntrack -L -s 1.1.1.1/33
conntrack -L -s 1.1.1.1/x
conntrack -L -s 1.1.1.256
conntrack -L --tuple-src 1.1.1.1/8
conntrack -L -p dccp --role x
conntrack -L -p tcp --state FOO
conntrack -L -j -n 1.1.1.1
conntrack -L exp
conntrack -L con
conntrack -Lz
conntrack -E dying
conntrack -E -u ASSURED
conntrack -A expect -s 1.1.1.1
conntrack -S expect -p tcp
conntrack -L -p tcp --mask-port-src 3
conntrack -D -p tcp --tuple-port-src 3
conntrack -I expect -s 1.1.1.1
conntrack -I expect -s 1.1.1.1 -d 1.1.1.2 -p udp -t 5
conntrack -I expect -s 1.1.1.1 -d 1.1.1.2 -p udp -t 5 --tuple-src 1.1.1.1/8 --tuple-dst 1.1.1.2/8
conntrack -D expect -s 1.1.1.1 -d 1.1.1.2 -p udp --sport 1 --dport 2 --reply-port-src 3 --reply-port-dst 4
conntrack -G expect -s 1.1.1.1 -d 1.1.1.2 -p tcp --sport 1 --dport 2 --reply-port-src 3
conntrack -C expect
conntrack -L -s 1.1.1.1 -d ::1
conntrack -L --mask-src 255.0.0.0
conntrack -L -o
conntrack -L -s
conntrack -L --src
conntrack -L --zero=3
conntrack --dump --src=1.1.1.1
conntrack --du
conntrack -L -D
"""
ZONES = f"""
{_FIRST} -p udp --sport 1 --dport 2 -t 500 --orig-zone 2
{_FIRST} -p udp --sport 1 --dport 2 -t 500 --reply-zone 3 -u SEEN_REPLY
{_FIRST} -p udp --sport 1 --dport 2 -t 500 --reply-zone 3 --orig-zone 3
{_FIRST} -p udp --sport 1 --dport 2 -t 500 --reply-zone 3 -w 7
{_FIRST} -p udp --sport 1 --dport 2 -t 500
{_FIRST} -p udp --sport 1 --dport 2 -t 500 -w 2
{_FIRST} -p udp --sport 1 --dport 2 -t 500 -w 9
{_FIRST} -p tcp --sport 1 --dport 2 -t 500 --orig-zone 9 --state ESTABLISHED
{_FIRST} -p tcp --sport 1 --dport 2 -t 500 --orig-zone 0 --state ESTABLISHED
conntrack -L
conntrack -L -o id,extended
conntrack -L -o xml
conntrack -L -o save
conntrack -L --orig-zone 2
conntrack -L --reply-zone 3
conntrack -L --orig-zone 0
conntrack -L -w 2
conntrack -L -w 0
conntrack -U -s 1.1.1.1 --orig-zone 2 -m 5
conntrack -D --reply-zone 3
conntrack -D -p tcp
conntrack -D -p udp -s 1.1.1.1
conntrack -L
"""
SESSIONS = {"entries made": MAKING, "entries changed": CHANGING, "words": WORDS, "zones of one direction": ZONES}
BATCHES = (
    f"""# a file as -o save writes it
{_FIRST[10:]} -p tcp --sport 10 --dport 20 --state LISTEN -u SEEN_REPLY -t 50

\t -I -r 2.2.2.2 -q 1.1.1.1 -p tcp --reply-port-src 11 --reply-port-dst 21 --state LISTEN -u SEEN_REPLY -t 50
-I -s 2001:DB8::1.1.1.1 -d 2001:DB8::2.2.2.2 -p tcp --sport 10 --dport 20 --state LISTEN -u SEEN_REPLY -t 50
-I -t 29 -u SEEN_REPLY -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -q 1.1.1.1 -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 1226
-A -t 49 -u UNSET -w 5 -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -q 1.1.1.1 -p udp --sport 6 --dport 2 --reply-port-src 2 --reply-port-dst 6
""",
    f"{_FIRST[10:]} -p tcp --sport 10 --dport 20 --state LISTEN -t 50\n",
    "-D -s 1.1.1.1 -p tcp --sport 10\n-D -w 123\n-I -w 123 -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 1 --dport 2 -t 50\n",
    "-D -w 123\n-L\n",
    "-D -w 123\n-D expect -s 1.1.1.1 -d 1.1.1.2 -p udp --sport 1 --dport 2 --reply-port-src 3 --reply-port-dst 4\n",
    "-U -s 1.1.1.1 -p udp --sport 6 -m 3\n",
    "-F\n",
    "bogus\n",
    "-L bogus\n",
)
