// German for the reasons and remarks of the simulation: an English sentence with {} where a value stands, and under it, behind =, the German
// one, whose {} stand in the same order. Of two that fit the one with more words of its own is taken. tests/web/test_german.py holds it complete.

export const REASONS = `
There is nothing in this packet by which a connection could be known: its headers are cut short or end in none.
= In diesem Paket ist nichts, woran man eine Verbindung erkennen könnte: seine Header sind abgeschnitten oder enden in keinem.
This ICMP type neither asks nor answers, so no connection can start with it or be continued by it.
= Dieser ICMP-Typ fragt nicht und antwortet nicht: keine Verbindung kann damit beginnen oder weitergehen.
The checksum is wrong: the packet was damaged on its way, and no host would take it.
= Die Prüfsumme ist falsch: das Paket wurde unterwegs beschädigt, und keine Maschine nähme es an.
The connection table is full (nf_conntrack_max): no entry could be made, so the packet is dropped.
= Die Verbindungstabelle ist voll (nf_conntrack_max): kein Eintrag war zu machen, darum wird das Paket verworfen.
A rule said NOTRACK: connection tracking leaves this packet alone.
= Eine Regel sagte NOTRACK: die Verbindungsverfolgung lässt dieses Paket in Ruhe.
NAT has changed the length of what was said in this connection, and this segment's header is cut short or its options make no sense: its sequence numbers cannot be shifted.
= NAT hat die Länge des Gesagten in dieser Verbindung geändert, und der Header dieses Segments ist abgeschnitten oder seine Optionen ergeben keinen Sinn: seine Sequenznummern sind nicht zu verschieben.
Another packet has just opened the same connection: this one's entry could not be put into the table.
= Ein anderes Paket hat eben dieselbe Verbindung geöffnet: der Eintrag von diesem kam nicht mehr in die Tabelle.
No entry knows this packet: it begins a connection.
= Kein Eintrag kennt dieses Paket: es beginnt eine Verbindung.
A packet in the direction that began the connection; no answer was seen yet, so it is still NEW.
= Ein Paket in der Richtung, die die Verbindung begann; noch kam keine Antwort, darum ist es noch NEW.
The first packet back: now both ends have spoken, the connection is ESTABLISHED.
= Das erste Paket zurück: nun haben beide Seiten gesprochen, die Verbindung ist ESTABLISHED.
The entry has seen packets both ways: this one belongs to it.
= Der Eintrag hat Pakete in beiden Richtungen gesehen: dieses gehört dazu.
This machine made it to refuse a packet: it is RELATED to that packet's connection.
= Diese Maschine hat es gemacht, um ein Paket abzulehnen: es ist RELATED zu dessen Verbindung.
An expectation foretold this connection: it is RELATED to the one that announced it.
= Eine Erwartung hat diese Verbindung angekündigt: sie ist RELATED zu der, aus der die Ankündigung kam.
No packet came for as long as the time-out allows: the entry is forgotten.
= So lange, wie der Timeout erlaubt, kam kein Paket: der Eintrag ist vergessen.
Somebody deleted the entry: what comes next is judged as if nothing had been before.
= Jemand hat den Eintrag gelöscht: was nun kommt, wird beurteilt, als wäre vorher nichts gewesen.
The whole table was emptied: every connection is unknown now.
= Die ganze Tabelle wurde geleert: nun ist jede Verbindung unbekannt.
The table was full: this entry, not ASSURED, made room for a new one.
= Die Tabelle war voll: dieser Eintrag, der nicht ASSURED war, machte einem neuen Platz.
The table was full, and more than 95 % of it is still taken: entries that are closing or not ASSURED make room.
= Die Tabelle war voll, und mehr als 95 % sind noch belegt: Einträge, die enden oder nicht ASSURED sind, machen Platz.
The entry was only there to see one reply through a clash.
= Der Eintrag war nur da, um bei einem Zusammenstoß eine Antwort durchzubringen.
A rule changed the entry's mark.
= Eine Regel hat die Marke des Eintrags geändert.
The first packet left the machine, or reached it: now its entry stands in the table.
= Das erste Paket hat die Maschine verlassen oder erreicht: nun steht sein Eintrag in der Tabelle.
The packet ends inside its TCP header.
= Das Paket endet in seinem TCP-Header.
The TCP header claims a length that cannot be: below 20 bytes, or longer than the packet.
= Der TCP-Header behauptet eine Länge, die nicht sein kann: unter 20 Bytes, oder länger als das Paket.
This combination of flags makes no sense: no TCP sends it, scanners do.
= Diese Flags ergeben zusammen keinen Sinn: kein TCP sendet sie, Scanner schon.
The middle of a connection that we did not see begin, and tcp_loose = 0 forbids to pick it up.
= Mitten aus einer Verbindung, deren Anfang wir nicht sahen, und tcp_loose = 0 verbietet, sie aufzunehmen.
A SYN on a closed connection begins a new one: the old entry makes way.
= Ein SYN auf einer geschlossenen Verbindung beginnt eine neue: der alte Eintrag macht Platz.
A RST before any real answer: there is no connection, so its entry is removed at once.
= Ein RST vor jeder echten Antwort: es gibt keine Verbindung, darum verschwindet ihr Eintrag sofort.
A rule here has answered with a reset: both ends will take the connection for closed.
= Eine Regel hat hier mit einem Reset geantwortet: beide Seiten werden die Verbindung für geschlossen halten.
This SYN/ACK answers a SYN that we had ignored: both ends agree, so we follow them.
= Dieses SYN/ACK beantwortet ein SYN, das wir übergangen hatten: beide Seiten sind sich einig, wir folgen ihnen.
An ACK in answer to a stray SYN (RFC 5961), not the last ACK: it is let through and closes nothing.
= Ein ACK als Antwort auf ein verirrtes SYN (RFC 5961), nicht das letzte ACK: es wird durchgelassen und schließt nichts.
Both ends sent SYN and SYN/ACK: this ACK ends their handshake, the connection is established.
= Beide Seiten haben SYN und SYN/ACK gesendet: dieses ACK beendet ihren Handshake, die Verbindung besteht.
A RST in the window but not at the exact number: its receiver will not believe it (RFC 5961), so neither do we.
= Ein RST im Fenster, doch nicht bei der genauen Nummer: sein Empfänger wird ihm nicht glauben (RFC 5961), also auch wir nicht.
The RST's sequence number {} is below {}, which its receiver has already acknowledged: too old to be believed.
= Die Sequenznummer {} des RST liegt unter {}, was sein Empfänger schon bestätigt hat: zu alt, um geglaubt zu werden.
The segment reaches {} bytes further than the receiver has allowed: it is let through, and remembered in case its acknowledgement comes, but moves nothing.
= Das Segment reicht {} Bytes weiter, als der Empfänger erlaubt hat: es wird durchgelassen und gemerkt, falls seine Bestätigung kommt, bewegt aber nichts.
The segment starts beyond the receiver's window: sequence number {} is not below {}. The sender cannot have sent it yet.
= Das Segment beginnt jenseits des Fensters des Empfängers: Sequenznummer {} liegt nicht unter {}. Der Absender kann es noch nicht gesendet haben.
The segment acknowledges {}, but the far end has sent nothing from {} on: nobody acknowledges what was never sent.
= Das Segment bestätigt {}, doch die andere Seite hat ab {} nichts gesendet: niemand bestätigt, was nie gesendet wurde.
The segment ends at {}, a whole window below what was already sent (bound {}): old data again. It is let through and moves nothing.
= Das Segment endet bei {}, ein ganzes Fenster unter dem schon Gesendeten (Grenze {}): alte Daten noch einmal. Es wird durchgelassen und bewegt nichts.
The acknowledgement {} is older than {}: overly delayed. It is let through and moves nothing.
= Die Bestätigung {} ist älter als {}: allzu verspätet. Sie wird durchgelassen und bewegt nichts.
The packet ends inside its UDP header.
= Das Paket endet in seinem UDP-Header.
The UDP length field is below 8 or larger than the packet.
= Das Längenfeld von UDP liegt unter 8 oder ist größer als das Paket.
The checksum coverage is below 8 or larger than the packet.
= Die Prüfsumme deckt weniger als 8 Bytes oder mehr als das Paket.
UDP-Lite must have a checksum, and this has none.
= UDP-Lite muss eine Prüfsumme haben, und hier ist keine.
UDP has no handshake: the first datagram between two ports begins a conversation.
= UDP hat keinen Handshake: das erste Datagramm zwischen zwei Ports beginnt ein Gespräch.
Another datagram the same way. No answer was seen yet, so it has the label of the first, however many are sent.
= Noch ein Datagramm in derselben Richtung. Noch kam keine Antwort, darum hat es das Label des ersten, wie viele auch gesendet werden.
The first datagram back: both ends have spoken, so it is ESTABLISHED.
= Das erste Datagramm zurück: beide Seiten haben gesprochen, darum ist es ESTABLISHED.
Both ends have spoken; it is still younger than two seconds, so it keeps the short time-out.
= Beide Seiten haben gesprochen; noch ist es jünger als zwei Sekunden, darum behält es den kurzen Timeout.
Both ends have spoken and are still speaking after two seconds: a stream, which gets the long time-out.
= Beide Seiten haben gesprochen und sprechen nach zwei Sekunden immer noch: ein Strom, der den langen Timeout bekommt.
The packet ends inside its ICMP header.
= Das Paket endet in seinem ICMP-Header.
There is no such ICMP type; a host would ignore it.
= Einen solchen ICMP-Typ gibt es nicht; eine Maschine würde ihn übergehen.
An answer to a question that nobody asked: only a query can begin something.
= Eine Antwort auf eine Frage, die niemand gestellt hat: nur eine Frage kann etwas beginnen.
ICMP belongs to IPv4, ICMPv6 to IPv6; this is the one in the other.
= ICMP gehört zu IPv4, ICMPv6 zu IPv6; dies ist das eine im anderen.
A question (echo request or the like): its answer will come with the same identifier.
= Eine Frage (Echo Request oder Ähnliches): ihre Antwort wird mit derselben Kennung kommen.
The same question again; no answer was seen yet, so it is still NEW.
= Dieselbe Frage noch einmal; noch kam keine Antwort, darum ist sie noch NEW.
The answer to a question that we saw: same identifier, the other way.
= Die Antwort auf eine Frage, die wir sahen: dieselbe Kennung, die andere Richtung.
An ICMP error that quotes a packet of a known connection: it is RELATED to that connection.
= Ein ICMP-Fehler, der ein Paket einer bekannten Verbindung zitiert: er ist RELATED zu dieser Verbindung.
An ICMP error about a packet of no connection that we know: nothing it could be related to.
= Ein ICMP-Fehler über ein Paket aus keiner Verbindung, die wir kennen: nichts, wozu er gehören könnte.
An ICMP error must quote the packet it is about; what it quotes cannot be read.
= Ein ICMP-Fehler muss das Paket zitieren, um das es geht; was er zitiert, ist nicht zu lesen.
The error goes to {} but quotes a packet between others ({}): nobody honest sends that.
= Der Fehler geht an {}, zitiert aber ein Paket zwischen anderen ({}): kein Ehrlicher sendet das.
Neighbour discovery, router discovery and multicast listener messages keep IPv6 alive: they are never tracked.
= Nachrichten der Nachbar- und Routersuche und der Multicast-Hörer halten IPv6 am Leben: sie werden nie verfolgt.
The packet ends inside the redirect message.
= Das Paket endet in der Redirect-Nachricht.
A redirect must come from a link-local address of this very link (hop limit 255).
= Ein Redirect muss von einer link-lokalen Adresse eben dieser Leitung kommen (Hop Limit 255).
The redirect does not say what it redirects.
= Das Redirect sagt nicht, was es umleitet.
The packet ends inside its SCTP header.
= Das Paket endet in seinem SCTP-Header.
These chunks cannot stand together in one packet, or there is none.
= Diese Chunks können nicht zusammen in einem Paket stehen, oder es ist keiner da.
No association knows this packet, and what it carries cannot begin one (RFC 9260 section 8.4).
= Keine Assoziation kennt dieses Paket, und was es trägt, kann keine beginnen (RFC 9260, Abschnitt 8.4).
The verification tag is not the one the two ends agreed on.
= Das Verification Tag ist nicht das, worauf sich beide Seiten geeinigt haben.
This chunk cannot come in the association's present state.
= Dieser Chunk kann im jetzigen Zustand der Assoziation nicht kommen.
The chunks and the verification tag fit the association.
= Die Chunks und das Verification Tag passen zur Assoziation.
A fragment that contradicts those that came before it.
= Ein Fragment, das denen vor ihm widerspricht.
NAT has to change a header that is cut short, so the packet is dropped.
= NAT muss einen Header ändern, der abgeschnitten ist, darum wird das Paket verworfen.
Masqueraded connections belong to the device they left by, and this packet leaves by another.
= Maskierte Verbindungen gehören zu dem Gerät, über das sie hinausgingen, und dieses Paket nimmt ein anderes.
The device has no address to put in its place.
= Das Gerät hat keine Adresse, die man einsetzen könnte.
No port was free, and this finished connection had one: it makes way.
= Kein Port war frei, und diese beendete Verbindung hatte einen: sie macht Platz.
It was masqueraded with an address that the device has no longer.
= Sie war mit einer Adresse maskiert, die das Gerät nicht mehr hat.
An ICMP error with a wrong checksum, or a redirect: NAT lets none through.
= Ein ICMP-Fehler mit falscher Prüfsumme, oder ein Redirect: NAT lässt keinen durch.
No port is left on which the announced connection could be expected, so the helper drops the packet.
= Kein Port ist übrig, auf dem die angekündigte Verbindung erwartet werden könnte, darum verwirft der Helper das Paket.
With the other address in it the packet would be larger than IP allows, so the helper drops it.
= Mit der anderen Adresse darin wäre das Paket größer, als IP erlaubt, darum verwirft es der Helper.
What announced it could not be translated: it is no longer expected.
= Was sie angekündigt hat, war nicht zu übersetzen: sie wird nicht mehr erwartet.
The client's call id could not be written anew, so the helper drops the packet.
= Die Kennung des Clients war nicht neu zu schreiben, darum verwirft der Helper das Paket.
No pair of ports is left on which the streams could be expected.
= Kein Paar von Ports ist übrig, auf dem die Ströme erwartet werden könnten.
NAT cannot write the other port into the session description.
= NAT kann den anderen Port nicht in die Sitzungsbeschreibung schreiben.
No port is left on which calls could be expected, so the helper drops the packet.
= Kein Port ist übrig, auf dem Anrufe erwartet werden könnten, darum verwirft der Helper das Paket.
The UDP header's length is not the packet's: the helper drops it.
= Die Länge im UDP-Header ist nicht die des Pakets: der Helper verwirft es.
This is no SNMP message of version 1 or 2 that NAT could translate: the helper drops it.
= Dies ist keine SNMP-Nachricht der Version 1 oder 2, die NAT übersetzen könnte: der Helper verwirft sie.
No protocol here has the number {}. It is answered with an ICMP error.
= Kein Protokoll hat hier die Nummer {}. Die Antwort ist ein ICMP-Fehler.
{} bytes do not fit into {}'s MTU of {}, and it must not be cut.
= {} Bytes passen nicht in {} (MTU {}), und es darf nicht zerteilt werden.
A fragment of {} bytes does not fit into {}'s MTU of {}.
= Ein Fragment von {} Bytes passt nicht in {} (MTU {}).
The packet's {} bytes do not fit into {}'s MTU of {}.
= Die {} Bytes des Pakets passen nicht in {} (MTU {}).
There is no way to {}.
= Kein Weg führt zu {}.
There is no way to {}. It is not for this machine.
= Kein Weg führt zu {}. Es ist nicht für diese Maschine.
{} is not an address of this machine, and it forwards nothing (ip_forward is 0).
= {} ist keine Adresse dieser Maschine, und sie leitet nichts weiter (ip_forward ist 0).
Its IP options make no sense at byte {}.
= Seine IP-Optionen ergeben bei Byte {} keinen Sinn.
Its {} of {} allows no further hop.
= Sein {} von {} erlaubt keinen weiteren Schritt.
{} means something on its own link only.
= {} bedeutet nur auf der eigenen Leitung etwas.
A packet from nobody (::) is not passed on.
= Ein Paket von niemandem (::) wird nicht weitergeleitet.
It wants a way of its own choice (source routing): refused.
= Es will seinen Weg selbst bestimmen (Source Routing): abgelehnt.
Its ICMP header is cut short.
= Sein ICMP-Header ist abgeschnitten.
Its ICMP checksum is wrong.
= Seine ICMP-Prüfsumme ist falsch.
This machine is not in the group {}.
= Diese Maschine ist nicht in der Gruppe {}.
127.0.0.0/8 never comes in from a wire (martian destination).
= 127.0.0.0/8 kommt nie aus einer Leitung (Marsziel).
A function in {} dropped it.
= Eine Funktion in {} hat es verworfen.
{} is not connected to anything.
= {} ist mit nichts verbunden.
Its hop-by-hop options are malformed, or ask whoever does not know them to drop it.
= Seine Hop-by-Hop-Optionen sind verstümmelt, oder sie verlangen, dass es verwirft, wer sie nicht kennt.
127.0.0.0/8 never comes in from a wire (martian source).
= 127.0.0.0/8 kommt nie aus einer Leitung (Marsquelle).
A source address is one machine's, never a group's (martian source).
= Eine Quelladresse gehört einer Maschine, nie einer Gruppe (Marsquelle).
0.0.0.0 is nobody's address (martian source).
= 0.0.0.0 ist niemandes Adresse (Marsquelle).
It bears this machine's own address as its source, but came from outside (martian source).
= Es trägt als Quelle die Adresse dieser Maschine selbst, kam aber von außen (Marsquelle).
::1 never comes in from a wire.
= ::1 kommt nie aus einer Leitung.
A source address is one machine's, never a group's.
= Eine Quelladresse gehört einer Maschine, nie einer Gruppe.
A group of this scope never comes in from a wire.
= Eine Gruppe dieser Reichweite kommt nie aus einer Leitung.
The machine lost its power, and its memory with it: nothing is known any more.
= Der Maschine fehlt der Strom, und mit ihm ihr Gedächtnis: nichts ist mehr bekannt.
{}: There was nothing to keep: no rules are on trial.
= {}: Es gab nichts zu behalten: keine Regeln sind auf Probe.
{}: Nobody kept the new rules within {}: the old ones are back.
= {}: Niemand hat die neuen Regeln in {} behalten: die alten sind zurück.
0.0.0.0 is nobody's address (martian destination).
= 0.0.0.0 ist niemandes Adresse (Marsziel).
rp_filter: the way to the source {} leads nowhere.
= rp_filter: der Weg zur Quelle {} führt nirgendwohin.
rp_filter: the way to the source {} leads to {}, not back to {}.
= rp_filter: der Weg zur Quelle {} führt zu {}, nicht zurück zu {}.
Its TCP header is cut short.
= Sein TCP-Header ist abgeschnitten.
Its TCP checksum is wrong.
= Seine TCP-Prüfsumme ist falsch.
No socket is at {}.
= Kein Socket ist bei {}.
No socket is at {}. It is answered with a reset.
= Kein Socket ist bei {}. Die Antwort ist ein Reset.
No socket is at {}. It is answered with ICMP port unreachable.
= Kein Socket ist bei {}. Die Antwort ist ICMP Port Unreachable.
There is no way to {}, where NAT sends it.
= Kein Weg führt zu {}, wohin NAT es schickt.
Its UDP length is wrong.
= Seine UDP-Länge ist falsch.
Its UDP checksum is wrong.
= Seine UDP-Prüfsumme ist falsch.
The socket's queue is full: its program does not read.
= Die Schlange des Sockets ist voll: sein Programm liest nicht.
The link {} is cut.
= Die Leitung {} ist getrennt.
The link {} lost it: it loses {} of all packets.
= Die Leitung {} hat es verloren: sie verliert {} aller Pakete.
{} has no power: nobody takes it.
= {} hat keinen Strom: niemand nimmt es an.
{} boots: it is up in {}.
= {} startet: in {} läuft es.
{} is running already.
= {} läuft schon.
{} has no power: what was in its memory is gone, connection table and all.
= {} hat keinen Strom: was im Gedächtnis war, ist fort, samt der Verbindungstabelle.
{} is up again: no connection is known, and {}.
= {} läuft wieder: keine Verbindung ist bekannt. Regeln: {}.
{} has no power: nothing comes of it.
= {} hat keinen Strom: daraus wird nichts.
It answered.
= Es kam eine Antwort.
Nothing came back: somebody dropped it, or the answer to it.
= Nichts kam zurück: jemand hat es verworfen, oder die Antwort darauf.
The handshake went through, but what was sent then was never acknowledged.
= Der Handshake gelang, doch was dann gesendet wurde, hat nie jemand bestätigt.
It was refused.
= Es wurde abgelehnt.
Nothing was acknowledged for so long that the connection was given up.
= So lange wurde nichts bestätigt, dass die Verbindung aufgegeben wurde.
Somebody sits at this terminal now ({}).
= An diesem Terminal sitzt nun jemand ({}).
Somebody is on the way to this terminal ({}): it takes {}.
= Jemand ist auf dem Weg zu diesem Terminal ({}): das dauert {}.
No rule decided, so the policy does: this packet is gone, and nobody is told.
= Keine Regel hat entschieden, also tut es die Policy: dieses Paket ist fort, und niemand erfährt es.
Rule {} of {} decided: {}. This packet is gone, and nobody is told.
= Regel {} von {} hat entschieden: {}. Dieses Paket ist fort, und niemand erfährt es.
Rule {} of {} decided: {}. This packet is gone, and the sender is told.
= Regel {} von {} hat entschieden: {}. Dieses Paket ist fort, und der Absender erfährt es.
no rules were saved, so there are none
= keine waren gespeichert, darum sind keine da
the rules of {} are those that were saved
= die von {} sind die gespeicherten
{} refuses the rules it finds ({})
= {} lehnt die vorgefundenen ab ({})
A rule has called it a packet to many: such are not forwarded, and TCP does not hear them.
= Eine Regel hat es ein Paket an viele genannt: solche werden nicht weitergeleitet, und TCP hört sie nicht.
`
