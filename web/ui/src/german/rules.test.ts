import { expect, test } from 'vitest'
import { ruleInGerman } from './rules'

test.each([
  ['Accept every packet.', 'Jedes Paket annehmen.'],
  ['Accept packets that came in on lan to TCP port 80 or 443 with label NEW or ESTABLISHED.', 'Pakete annehmen: herein über lan, an TCP-Port 80 oder 443, mit Label NEW oder ESTABLISHED.'],
  ['Reject packets to TCP port 22 from 10.0.0.1 with a TCP reset.', 'Pakete mit einem TCP-Reset ablehnen: an TCP-Port 22, von 10.0.0.1.'],
  ['Send packets that did not come in on docker0 to TCP port 8080 to 172.17.0.2, port 80.', 'Pakete an 172.17.0.2 schicken, Port 80: nicht herein über docker0, an TCP-Port 8080.'],
  ['Send packets whose destination is local through chain DOCKER.', 'Pakete durch die Kette DOCKER schicken: das Ziel ist die Maschine selbst.'],
  ['Give packets that leave by wan the address of the device they leave by as their source.', 'Paketen die Adresse des Geräts, über das sie hinausgehen, als Quelle geben: hinaus über wan.'],
  ['Log packets with label INVALID at no more than 3 packets a minute, then drop them.', 'Pakete protokollieren, dann verwerfen: mit Label INVALID, höchstens 3 Pakete je Minute.'],
  ['Count packets to TCP port 22 whose source was seen 6 times in the last 30 seconds (list SSH).', 'Pakete zählen: an TCP-Port 22, die Quelle in den letzten 30 Sekunden 6-mal gesehen (Liste SSH).'],
  ['Accept packets to TCP port 443 from 08:00:00 to 17:00:00 UTC, on Monday, Friday.', 'Pakete annehmen: an TCP-Port 443, von 08:00:00 bis 17:00:00 UTC, am Montag, Freitag.'],
  ['Put the source address of packets to TCP port 7000 into the set candidates.', 'Von Paketen die Quelladresse in die Menge candidates aufnehmen: an TCP-Port 7000.'],
  ['Set the packet mark of packets that came in on cali… to 0x40000 in the bits 0x40000, the others as they are.', 'Bei Paketen die Bits 0x40000 der Paketmarke auf 0x40000 setzen: herein über cali….'],
  ['Drop packets beyond 5 packets a second for each source.', 'Pakete verwerfen: jenseits von 5 Paketen je Sekunde und Quelle.'],
  ['Accept packets of connections whose original destination port is 80.', 'Pakete annehmen: Verbindungen, ursprünglicher Zielport ist 80.'],
  ['Drop packets whose fib saddr . mark oif is 3.', 'Pakete verwerfen: fib saddr . mark oif ist 3.'],
  ['Send packets that came in on docker0 and that do not leave by docker0 to chain isolated, without coming back here.', 'Pakete in die Kette isolated schicken, ohne Rückkehr hierher: herein über docker0, nicht hinaus über docker0.'],
  ['Decide by the destination address, protocol and destination port what becomes of every packet.', 'Nach Zieladresse, Protokoll und Zielport entscheiden, was geschieht.'],
  ['Have the helper ftp read the new connections of packets to TCP port 21.', 'Neue Verbindungen von Paketen vom Helfer ftp lesen lassen: an TCP-Port 21.'],
  ['Accept packets to a TCP port in @open at no more than 1 packet an hour.', 'Pakete annehmen: an einen TCP-Port in @open, höchstens 1 Paket je Stunde.'],
  ['Drop packets with any mark but 0x1 and with any mark but 0x2 whose source has more than 20 connections.', 'Pakete verwerfen: mit jeder Marke außer 0x1, mit jeder Marke außer 0x2, die Quelle hat mehr als 20 Verbindungen.'],
  ['Drop packets with none of the TCP flags FIN SYN to whose source there is no route.', 'Pakete verwerfen: mit keinem der TCP-Flags FIN SYN, keine Route zur Quelle.'],
  ['Hand every packet to the counter c, then give them the traffic class 1:10.', 'Jedes Paket an counter c geben, dann ihm die Verkehrsklasse 1:10 geben.'],
  ['Reject packets of protocol TCP while there are more than 5 connections with a TCP reset.', 'Pakete mit einem TCP-Reset ablehnen: Protokoll TCP, bei mehr als 5 Verbindungen.'],
  ['Accept packets of TCP connections.', 'Pakete annehmen: Verbindungen über TCP.'],
  ['Set the packet mark of every packet to 0x4000.', 'Jedem Paket die Paketmarke 0x4000 geben.'],
])('%s', (english, german) => expect(ruleInGerman(english)).toBe(german))

test('a sentence with a part that is not known stays as it is, whole', () => {
  for (const one of ['Accept packets whose moon is full.', 'Paint packets to TCP port 22.']) expect(ruleInGerman(one)).toBe(one)
})
