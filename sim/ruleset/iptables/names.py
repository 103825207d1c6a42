"""Names of protocols and services, as a Debian 12 machine's /etc/protocols and /etc/services have them (IANA's numbers).

iptables lists ports by name unless `-n` is given, and takes names where a number is wanted.
"""

from __future__ import annotations

_PROTOCOLS = """
ip=0 hopopt=0 icmp=1 igmp=2 ggp=3 ipencap=4 st=5 tcp=6 egp=8 igp=9 pup=12 udp=17 hmp=20 xns-idp=22 rdp=27 iso-tp4=29 dccp=33
xtp=36 ddp=37 idpr-cmtp=38 ipv6=41 ipv6-route=43 ipv6-frag=44 idrp=45 rsvp=46 gre=47 esp=50 ah=51 skip=57 ipv6-icmp=58
ipv6-nonxt=59 ipv6-opts=60 rspf=73 vmtp=81 eigrp=88 ospf=89 ax.25=93 ipip=94 etherip=97 encap=98 pim=103 ipcomp=108 vrrp=112
l2tp=115 isis=124 sctp=132 fc=133 mobility-header=135 udplite=136 mpls-in-ip=137 manet=138 hip=139 shim6=140 wesp=141 rohc=142
ethernet=143 mptcp=262
"""

# name=port, /protocols unless it is tcp and udp, |aliases; the first name of a port is the one that is listed.
_SERVICES = """
tcpmux=1/tcp echo=7 discard=9|sink|null systat=11/tcp|users daytime=13 netstat=15/tcp qotd=17/tcp|quote chargen=19|ttytst|source
ftp-data=20/tcp ftp=21/tcp fsp=21/udp|fspd ssh=22/tcp telnet=23/tcp smtp=25/tcp|mail time=37|timserver whois=43/tcp|nicname
tacacs=49 domain=53 bootps=67/udp bootpc=68/udp tftp=69/udp gopher=70/tcp finger=79/tcp http=80/tcp|www
kerberos=88|kerberos5|krb5|kerberos-sec iso-tsap=102/tcp|tsap acr-nema=104/tcp|dicom pop3=110/tcp|pop-3 sunrpc=111|portmapper
auth=113/tcp|authentication|tap|ident nntp=119/tcp|readnews|untp ntp=123/udp epmap=135/tcp|loc-srv netbios-ns=137/udp
netbios-dgm=138/udp netbios-ssn=139/tcp imap2=143/tcp|imap snmp=161 snmp-trap=162|snmptrap cmip-man=163 cmip-agent=164
mailq=174/tcp xdmcp=177/udp bgp=179/tcp smux=199/tcp qmtp=209/tcp z3950=210/tcp|wais ipx=213/udp ptp-event=319/udp
ptp-general=320/udp pawserv=345/tcp zserv=346/tcp rpc2portmap=369 codaauth2=370 clearcase=371/udp|Clearcase ldap=389 svrloc=427
https=443 snpp=444/tcp microsoft-ds=445/tcp kpasswd=464 submissions=465/tcp|ssmtp|smtps|urd saft=487/tcp isakmp=500/udp rtsp=554
nqs=607/tcp asf-rmcp=623/udp qmqp=628/tcp ipp=631/tcp ldp=646 exec=512/tcp biff=512/udp|comsat login=513/tcp who=513/udp|whod
shell=514/tcp|cmd|syslog syslog=514/udp printer=515/tcp|spooler talk=517/udp ntalk=518/udp route=520/udp|router|routed gdomap=538
uucp=540/tcp|uucpd klogin=543/tcp kshell=544/tcp|krcmd dhcpv6-client=546/udp dhcpv6-server=547/udp afpovertcp=548/tcp
nntps=563/tcp|snntp submission=587/tcp ldaps=636 tinc=655 silc=706/tcp kerberos-adm=749/tcp domain-s=853 rsync=873/tcp
ftps-data=989/tcp ftps=990/tcp telnets=992/tcp imaps=993/tcp pop3s=995/tcp socks=1080/tcp proofd=1093/tcp rootd=1094/tcp
openvpn=1194 rmiregistry=1099/tcp lotusnote=1352/tcp|lotusnotes ms-sql-s=1433/tcp ms-sql-m=1434/udp ingreslock=1524/tcp
datametrics=1645|old-radius sa-msg-port=1646|old-radacct kermit=1649/tcp groupwise=1677/tcp l2f=1701/udp|l2tp radius=1812
radius-acct=1813|radacct cisco-sccp=2000/tcp nfs=2049 gnunet=2086 rtcm-sc104=2101 gsigatekeeper=2119/tcp gris=2135/tcp
cvspserver=2401/tcp venus=2430 venus-se=2431 codasrv=2432 codasrv-se=2433 mon=2583 dict=2628/tcp f5-globalsite=2792/tcp
gsiftp=2811/tcp gpsd=2947/tcp gds-db=3050/tcp|gds_db icpv2=3130/udp|icp isns=3205 iscsi-target=3260/tcp mysql=3306/tcp
ms-wbt-server=3389/tcp nut=3493 distcc=3632/tcp daap=3689/tcp svn=3690/tcp|subversion suucp=4031/tcp sysrqd=4094/tcp
sieve=4190/tcp epmd=4369/tcp remctl=4373/tcp f5-iquery=4353/tcp ntske=4460/tcp ipsec-nat-t=4500/udp iax=4569/udp mtn=4691/tcp
radmin-port=4899/tcp sip=5060 sip-tls=5061 xmpp-client=5222/tcp|jabber-client xmpp-server=5269/tcp|jabber-server cfengine=5308/tcp
mdns=5353/udp postgresql=5432/tcp|postgres freeciv=5556/tcp|rptp amqps=5671/tcp amqp=5672/tcp+sctp x11=6000/tcp|x11-0
x11-1=6001/tcp x11-2=6002/tcp x11-3=6003/tcp x11-4=6004/tcp x11-5=6005/tcp x11-6=6006/tcp x11-7=6007/tcp gnutella-svc=6346
gnutella-rtr=6347 redis=6379/tcp sge-qmaster=6444/tcp|sge_qmaster sge-execd=6445/tcp|sge_execd mysql-proxy=6446/tcp babel=6696/udp
ircs-u=6697/tcp bbs=7000/tcp afs3-fileserver=7000/udp afs3-callback=7001/udp afs3-prserver=7002/udp afs3-vlserver=7003/udp
afs3-kaserver=7004/udp afs3-volser=7005/udp afs3-bos=7007/udp afs3-update=7008/udp afs3-rmtsys=7009/udp font-service=7100/tcp|xfs
http-alt=8080/tcp|webcache puppet=8140/tcp bacula-dir=9101/tcp bacula-fd=9102/tcp bacula-sd=9103/tcp xmms2=9667/tcp nbd=10809/tcp
zabbix-agent=10050/tcp zabbix-trapper=10051/tcp amanda=10080/tcp dicom=11112/tcp hkp=11371/tcp db-lsp=17500/tcp dcap=22125/tcp
gsidcap=22128/tcp wnn6=22273/tcp rtmp=1/ddp nbp=2/ddp echo=4/ddp zip=6/ddp kerberos4=750|kerberos-iv|kdc
kerberos-master=751/udp|kerberos_master kerberos-master=751/tcp passwd-server=752/udp|passwd_server
krb-prop=754/tcp|krb_prop|krb5_prop|hprop zephyr-srv=2102/udp zephyr-clt=2103/udp zephyr-hm=2104/udp iprop=2121/tcp
supfilesrv=871/tcp supfiledbg=1127/tcp poppassd=106/tcp moira-db=775/tcp|moira_db moira-update=777/tcp|moira_update
moira-ureg=779/udp|moira_ureg spamd=783/tcp skkserv=1178/tcp predict=1210/udp rmtcfg=1236/tcp xtel=1313/tcp xtelw=1314/tcp
zebrasrv=2600/tcp zebra=2601/tcp ripd=2602/tcp ripngd=2603/tcp ospfd=2604/tcp bgpd=2605/tcp ospf6d=2606/tcp ospfapi=2607/tcp
isisd=2608/tcp fax=4557/tcp hylafax=4559/tcp munin=4949/tcp|lrrd rplay=5555/udp nrpe=5666/tcp nsca=5667/tcp canna=5680/tcp
syslog-tls=6514/tcp sane-port=6566/tcp|sane|saned ircd=6667/tcp zope-ftp=8021/tcp tproxy=8081/tcp omniorb=8088/tcp
clc-build-daemon=8990/tcp xinetd=9098/tcp git=9418/tcp zope=9673/tcp webmin=10000/tcp kamanda=10081/tcp amandaidx=10082/tcp
amidxtape=10083/tcp sgi-cmsd=17001/udp sgi-crsd=17002/udp sgi-gcd=17003/udp sgi-cad=17004/tcp binkp=24554/tcp asp=27374
csync2=30865/tcp dircproxy=57000/tcp tfido=60177/tcp fido=60179/tcp
"""

# The names iptables itself knows, ahead of /etc/protocols (xtables_chain_protos, libxtables/xtables.c, 1.8.9).
_CHAIN_PROTOCOLS = (
    ("tcp", 6), ("sctp", 132), ("udp", 17), ("udplite", 136), ("icmp", 1), ("icmpv6", 58), ("ipv6-icmp", 58), ("esp", 50), ("ah", 51),
    ("ipv6-mh", 135), ("mh", 135), ("all", 0),
)  # fmt: skip

PROTOCOL_NUMBERS = {name: int(number) for name, number in (word.split("=") for word in _PROTOCOLS.split())}
PROTOCOL_NAMES = {number: name for name, number in reversed(PROTOCOL_NUMBERS.items())} | {6: "tcp", 17: "udp", 1: "icmp", 58: "ipv6-icmp"}

# The accounts of a Debian 12 machine (base-passwd's), and the one that a scenario's person has.
USERS = {"root": 0, "daemon": 1, "bin": 2, "sys": 3, "sync": 4, "games": 5, "man": 6, "lp": 7, "mail": 8, "news": 9, "uucp": 10,
         "proxy": 13, "www-data": 33, "backup": 34, "list": 38, "irc": 39, "_apt": 42, "bind": 110,
         "nobody": 65534, "admin": 1000}  # fmt: skip
GROUPS = {"root": 0, "daemon": 1, "bin": 2, "sys": 3, "adm": 4, "tty": 5, "disk": 6, "lp": 7, "mail": 8, "news": 9, "uucp": 10, "man": 12,
          "proxy": 13, "kmem": 15, "dialout": 20, "fax": 21, "voice": 22, "cdrom": 24, "floppy": 25, "tape": 26, "sudo": 27, "audio": 29,
          "dip": 30, "www-data": 33, "backup": 34, "operator": 37, "list": 38, "irc": 39, "src": 40, "shadow": 42, "utmp": 43, "bind": 118,
          "video": 44, "sasl": 45, "plugdev": 46, "staff": 50, "games": 60, "users": 100, "nogroup": 65534, "admin": 1000}  # fmt: skip
FIRST_USER = 1000
"""The number of a person's account, whatever its name."""


def _services() -> tuple[dict[tuple[str, str], int], dict[tuple[int, str], str]]:
    """(name, protocol) -> port, and (port, protocol) -> name."""
    numbers: dict[tuple[str, str], int] = {}
    names: dict[tuple[int, str], str] = {}
    for word in _SERVICES.split():
        entry, *aliases = word.split("|")
        name, _, place = entry.partition("=")
        port, _, protocols = place.partition("/")
        for protocol in protocols.split("+") if protocols else ("tcp", "udp"):
            names.setdefault((int(port), protocol), name)
            for each in (name, *aliases):
                numbers.setdefault((each, protocol), int(port))
    return numbers, names


_SERVICE_NUMBERS, _SERVICE_NAMES = _services()


def protocol_number(name: str) -> int | None:
    """The number of a protocol's name (any case, as xtables_parse_protocol), or None; 0 for "all"."""
    lower = name.lower()
    known = dict(_CHAIN_PROTOCOLS)
    return PROTOCOL_NUMBERS.get(lower, known.get(lower))


def protocol_text(number: int) -> str:
    """How `-p` prints a protocol: its name, else its number."""
    return PROTOCOL_NAMES.get(number, str(number))


def service_port(name: str, protocol: str | None) -> int | None:
    """The port of a service's name; with protocol None any protocol's."""
    if protocol is not None:
        return _SERVICE_NUMBERS.get((name, protocol))
    return next((_SERVICE_NUMBERS[name, each] for each in ("tcp", "udp", "sctp", "dccp") if (name, each) in _SERVICE_NUMBERS), None)


def service_name(port: int, protocol: str) -> str:
    """The name of a port, else the port as text."""
    return _SERVICE_NAMES.get((port, protocol), str(port))
