// German for what is said of helpers, expectations and entries made by programs. As reasons.ts.

export const HELPERS = `
A program made this entry (conntrack -I).
= Ein Programm hat diesen Eintrag gemacht (conntrack -I).
A program made this expectation (conntrack -I expect).
= Ein Programm hat diese Erwartung gemacht (conntrack -I expect).
The client says CONNECT {}: the server will open a connection to that port.
= Der Client sagt CONNECT {}: der Server wird eine Verbindung zu diesem Port öffnen.
A question to everybody ({}): any machine of that network may answer from port {}.
= Eine Frage an alle ({}): jede Maschine dieses Netzes mag von Port {} antworten.
The server's answer {} names {}: the client will open the data connection to it.
= Die Antwort {} des Servers nennt {}: dorthin wird der Client die Datenverbindung öffnen.
The client's {} names {}: the server will open the data connection to it.
= Das {} des Clients nennt {}: dorthin wird der Server die Datenverbindung öffnen.
The line begins with {} but what should follow is not all there: the sender must say it again in one piece.
= Die Zeile beginnt mit {}, doch was folgen sollte, ist nicht ganz da: der Absender muss es noch einmal in einem Stück sagen.
{} But it cannot be expected now, so the helper drops the packet.
= {} Doch es kann jetzt nicht erwartet werden, darum verwirft der Helper das Paket.
The client offers a direct connection (DCC) on port {}: anybody may come.
= Der Client bietet eine direkte Verbindung (DCC) auf Port {} an: jeder darf kommen.
The PPTP call is over: its tunnel ends with it.
= Der PPTP-Ruf ist vorbei: mit ihm endet sein Tunnel.
The call is up: the client's call id is {}, the server's {}. GRE packets with them are its tunnel.
= Der Ruf steht: die Kennung des Clients ist {}, die des Servers {}. GRE-Pakete mit ihnen sind sein Tunnel.
The scanner's server has the picture ready on port {}: the client will fetch it there.
= Der Server des Scanners hält das Bild auf Port {} bereit: dort wird der Client es holen.
The registrar says that the client is not registered: calls to it are no longer expected.
= Der Registrar sagt, der Client sei nicht angemeldet: Anrufe bei ihm werden nicht mehr erwartet.
The registrar has accepted the registration: from now on calls may come.
= Der Registrar hat die Anmeldung angenommen: von nun an dürfen Anrufe kommen.
The client registers for calls to port {}: if the registrar says yes, they will come from it.
= Der Client meldet sich für Anrufe auf Port {} an: sagt der Registrar ja, so kommen sie von ihm.
NAT cannot put the other addresses into this message.
= NAT kann die anderen Adressen nicht in diese Nachricht schreiben.
The Contact of this REGISTER cannot be read.
= Der Contact dieses REGISTER ist nicht zu lesen.
The time for which this REGISTER asks cannot be read.
= Die Zeit, um die dieses REGISTER bittet, ist nicht zu lesen.
The message has no CSeq that can be read.
= Die Nachricht hat kein lesbares CSeq.
The message's CSeq is no number.
= Das CSeq der Nachricht ist keine Zahl.
The answer's status is no number.
= Der Status der Antwort ist keine Zahl.
A Contact in the registrar's answer cannot be read.
= Ein Contact in der Antwort des Registrars ist nicht zu lesen.
The time that the registrar allows cannot be read.
= Die Zeit, die der Registrar gewährt, ist nicht zu lesen.
The call is over, refused or asked for anew: its media streams are no longer expected.
= Der Anruf ist vorbei, abgelehnt oder neu gestellt: seine Medienströme werden nicht mehr erwartet.
The second of the two streams cannot be expected.
= Der zweite der beiden Ströme kann nicht erwartet werden.
The session description names {} port {}: the other party's stream will come there.
= Die Sitzungsbeschreibung nennt {} Port {}: dort wird der Strom der anderen Seite ankommen.
NAT cannot write the other address into the session description: it has no owner's or no Content-Length line.
= NAT kann die andere Adresse nicht in die Sitzungsbeschreibung schreiben: ihr fehlt die Zeile des Eigners oder Content-Length.
The session description names port {}: no stream may be there.
= Die Sitzungsbeschreibung nennt Port {}: dort darf kein Strom sein.
The session description names a port but no address.
= Die Sitzungsbeschreibung nennt einen Port, aber keine Adresse.
The streams to port {} cannot be expected now.
= Die Ströme zu Port {} können jetzt nicht erwartet werden.
NAT cannot write the other address into the session description.
= NAT kann die andere Adresse nicht in die Sitzungsbeschreibung schreiben.
A TFTP {} request: the server will answer port {} from a port that nobody knows yet.
= Eine TFTP-Anfrage ({}): der Server wird Port {} antworten, von einem Port, den noch niemand kennt.
The helper read in this connection that another one will follow: it is expected now.
= Der Helper hat in dieser Verbindung gelesen, dass eine weitere folgt: sie wird nun erwartet.
The expected connection has come.
= Die erwartete Verbindung ist gekommen.
The expected connection did not come in time.
= Die erwartete Verbindung kam nicht zur rechten Zeit.
The same was expected again: the newer expectation takes its place.
= Dasselbe wurde noch einmal erwartet: die neuere Erwartung nimmt den Platz ein.
The helper may expect no more than this many at once: the oldest makes way.
= Mehr als so viele darf der Helper nicht zugleich erwarten: die älteste macht Platz.
The connection that announced it is gone.
= Die Verbindung, die sie angekündigt hat, ist fort.
Somebody deleted the expectation.
= Jemand hat die Erwartung gelöscht.
`
