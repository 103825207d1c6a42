// German for what TCP's grid says of each cell (sim/conntrack/tcp_why.py): an English sentence, and under it, behind =, the German one.
// tests/web/test_german.py holds it complete.

export const TCP = `
A SYN on a pair of ports that nobody is using: a new connection may begin here.
= Ein SYN zwischen Ports, die niemand benutzt: hier mag eine neue Verbindung beginnen.
The client's SYN again: no answer came to the first, so it asks once more. The entry keeps its old time-out.
= Noch einmal das SYN des Clients: auf das erste kam keine Antwort, so fragt er erneut. Der Eintrag behält seinen alten Timeout.
A SYN, but the server has already answered one. Let through; if it starts something new, the server's answer will show it.
= Ein SYN, doch der Server hat schon eines beantwortet. Durchgelassen; ob etwas Neues beginnt, zeigt die Antwort des Servers.
A SYN inside an established connection: the client starts over, or it is forged. The server's answer will tell.
= Ein SYN mitten in einer bestehenden Verbindung: der Client fängt neu an, oder es ist gefälscht. Die Antwort des Servers wird es zeigen.
A SYN while the connection is closing. Let through; the server knows better than we do whether it is stray.
= Ein SYN, während die Verbindung endet. Durchgelassen; der Server weiß besser als wir, ob es sich verirrt hat.
A SYN while the connection is half closed. Let through; the server's answer will tell.
= Ein SYN, während die Verbindung halb geschlossen ist. Durchgelassen; die Antwort des Servers wird es zeigen.
A SYN while only the last ACK is missing. Let through; the ACK that may answer it is not taken for that last ACK.
= Ein SYN, während nur das letzte ACK fehlt. Durchgelassen; ein ACK als Antwort darauf gilt nicht als jenes letzte ACK.
The connection had closed: this SYN may open a new one with the same ports.
= Die Verbindung war geschlossen: dieses SYN mag eine neue mit denselben Ports öffnen.
The connection was reset or closed: this SYN may open a new one with the same ports.
= Die Verbindung war abgebrochen oder geschlossen: dieses SYN mag eine neue mit denselben Ports öffnen.
The client's SYN again, while both ends are trying to open the connection at once.
= Noch einmal das SYN des Clients, während beide Seiten die Verbindung zugleich zu öffnen versuchen.
A SYN/ACK answers a SYN, but nobody sent one: it belongs to no connection.
= Ein SYN/ACK beantwortet ein SYN, doch niemand hat eines gesendet: es gehört zu keiner Verbindung.
The client sent a SYN; it cannot now answer one. Only the server's SYN/ACK fits here.
= Der Client hat ein SYN gesendet; nun kann er keines beantworten. Hierher passt nur das SYN/ACK des Servers.
The client's SYN/ACK again, late, in a simultaneous open.
= Noch einmal das SYN/ACK des Clients, verspätet, bei gleichzeitigem Öffnen.
The connection is established: a SYN/ACK from the client has no place in it.
= Die Verbindung besteht: ein SYN/ACK des Clients hat darin keinen Platz.
The connection is closing: a SYN/ACK from the client has no place in it.
= Die Verbindung endet: ein SYN/ACK des Clients hat darin keinen Platz.
The connection is half closed: a SYN/ACK from the client has no place in it.
= Die Verbindung ist halb geschlossen: ein SYN/ACK des Clients hat darin keinen Platz.
Only the last ACK is missing: a SYN/ACK from the client has no place here.
= Nur das letzte ACK fehlt: ein SYN/ACK des Clients hat hier keinen Platz.
The connection has closed: the client cannot answer a SYN that nobody sent.
= Die Verbindung ist geschlossen: der Client kann kein SYN beantworten, das niemand gesendet hat.
The connection was reset: the client cannot answer a SYN that nobody sent.
= Die Verbindung wurde abgebrochen: der Client kann kein SYN beantworten, das niemand gesendet hat.
Both ends sent a SYN at once, and the client answers the server's: simultaneous open, half way.
= Beide Seiten haben zugleich ein SYN gesendet, und der Client beantwortet das des Servers: gleichzeitiges Öffnen, zur Hälfte.
A FIN closes a connection, but there is none between these ports: too late, or a scan.
= Ein FIN schließt eine Verbindung, doch zwischen diesen Ports ist keine: zu spät, oder ein Scan.
The client says goodbye before the server has said hello: a real one would wait for the SYN/ACK.
= Der Client verabschiedet sich, ehe der Server gegrüßt hat: ein echter würde auf das SYN/ACK warten.
The client closes at once: it has nothing (more) to send.
= Der Client schließt sofort: er hat nichts (mehr) zu senden.
The client has nothing more to send and begins to close.
= Der Client hat nichts mehr zu senden und beginnt zu schließen.
Now a FIN was seen again while closing: both ends have said goodbye, or one repeats it; the last ACK is missing.
= Beim Schließen kam noch ein FIN: beide Seiten haben sich verabschiedet, oder eine wiederholt es; das letzte ACK fehlt.
The other half closes too: now only the last ACK is missing.
= Auch die andere Hälfte schließt: nun fehlt nur das letzte ACK.
The FIN again: the last ACK has not arrived yet.
= Noch einmal das FIN: das letzte ACK ist noch nicht angekommen.
The FIN again after the close: its ACK was lost, and will be sent once more.
= Noch einmal das FIN nach dem Schließen: sein ACK ging verloren und wird erneut gesendet.
A FIN after the reset: an echo of a connection that is gone.
= Ein FIN nach dem Abbruch: das Echo einer Verbindung, die fort ist.
A FIN while both ends still try to open the connection: nothing is open that could be closed.
= Ein FIN, während beide Seiten die Verbindung noch zu öffnen versuchen: nichts ist offen, das geschlossen werden könnte.
An ACK from the middle of a connection whose beginning we did not see: picked up, as tcp_loose allows.
= Ein ACK mitten aus einer Verbindung, deren Anfang wir nicht gesehen haben: aufgenommen, wie es tcp_loose erlaubt.
The client acknowledges, but no SYN/ACK has come that it could acknowledge.
= Der Client bestätigt, doch es kam kein SYN/ACK, das er bestätigen könnte.
The client acknowledges the SYN/ACK: step three of the handshake, the connection is established.
= Der Client bestätigt das SYN/ACK: Schritt drei des Handshakes, die Verbindung besteht.
A segment of the established connection, inside the window.
= Ein Segment der bestehenden Verbindung, innerhalb des Fensters.
The FIN is acknowledged: one half of the connection is closed.
= Das FIN ist bestätigt: eine Hälfte der Verbindung ist geschlossen.
A segment in a half-closed connection: the half that is still open goes on.
= Ein Segment in einer halb geschlossenen Verbindung: die noch offene Hälfte geht weiter.
The last ACK: both halves are closed. The entry lingers for stragglers.
= Das letzte ACK: beide Hälften sind geschlossen. Der Eintrag bleibt noch für Nachzügler.
The last ACK again: the first one was lost.
= Noch einmal das letzte ACK: das erste ging verloren.
An ACK after the reset: an echo of a connection that is gone.
= Ein ACK nach dem Abbruch: das Echo einer Verbindung, die fort ist.
An ACK while both ends try to open at once: there is no SYN/ACK yet that it could acknowledge.
= Ein ACK, während beide Seiten zugleich öffnen: noch gibt es kein SYN/ACK, das es bestätigen könnte.
A RST aborts a connection, but there is none between these ports.
= Ein RST bricht eine Verbindung ab, doch zwischen diesen Ports ist keine.
The client takes its SYN back: the connection is aborted before it began.
= Der Client nimmt sein SYN zurück: die Verbindung ist abgebrochen, ehe sie begann.
The client does not want the answer that came: the connection is aborted.
= Der Client will die Antwort nicht, die kam: die Verbindung ist abgebrochen.
The client aborts the connection.
= Der Client bricht die Verbindung ab.
The client aborts what was closing.
= Der Client bricht ab, was am Schließen war.
The client aborts the half-closed connection.
= Der Client bricht die halb geschlossene Verbindung ab.
The client aborts, the last ACK will not come.
= Der Client bricht ab, das letzte ACK wird nicht kommen.
A RST after the close: nothing is left, the entry can go soon.
= Ein RST nach dem Schließen: nichts ist übrig, der Eintrag kann bald gehen.
Another RST: the connection is gone already.
= Noch ein RST: die Verbindung ist schon fort.
The client aborts the simultaneous open.
= Der Client bricht das gleichzeitige Öffnen ab.
Neither SYN nor ACK nor FIN nor RST: no TCP sends that.
= Weder SYN noch ACK noch FIN noch RST: kein TCP sendet das.
Neither SYN nor ACK nor FIN nor RST: no TCP sends that, least of all after a SYN.
= Weder SYN noch ACK noch FIN noch RST: kein TCP sendet das, am wenigsten nach einem SYN.
Neither SYN nor ACK nor FIN nor RST: no TCP sends that during a handshake.
= Weder SYN noch ACK noch FIN noch RST: kein TCP sendet das während eines Handshakes.
Neither SYN nor ACK nor FIN nor RST: in an established connection every segment has ACK.
= Weder SYN noch ACK noch FIN noch RST: in einer bestehenden Verbindung hat jedes Segment ACK.
Neither SYN nor ACK nor FIN nor RST: while closing, too, every segment has ACK.
= Weder SYN noch ACK noch FIN noch RST: auch beim Schließen hat jedes Segment ACK.
Neither SYN nor ACK nor FIN nor RST: a half-closed connection still acknowledges.
= Weder SYN noch ACK noch FIN noch RST: auch eine halb geschlossene Verbindung bestätigt noch.
Neither SYN nor ACK nor FIN nor RST: what is missing here is an ACK.
= Weder SYN noch ACK noch FIN noch RST: was hier fehlt, ist ein ACK.
Neither SYN nor ACK nor FIN nor RST: no TCP sends that after the close.
= Weder SYN noch ACK noch FIN noch RST: kein TCP sendet das nach dem Schließen.
Neither SYN nor ACK nor FIN nor RST: no TCP sends that after a reset.
= Weder SYN noch ACK noch FIN noch RST: kein TCP sendet das nach einem Abbruch.
Neither SYN nor ACK nor FIN nor RST: no TCP sends that while opening.
= Weder SYN noch ACK noch FIN noch RST: kein TCP sendet das beim Öffnen.
An entry is made by a packet in the original direction: an answer cannot come first.
= Einen Eintrag macht ein Paket in der ursprünglichen Richtung: eine Antwort kann nicht zuerst kommen.
The server sends a SYN of its own instead of an answer: both ends open at once (simultaneous open).
= Der Server sendet statt einer Antwort ein eigenes SYN: beide Seiten öffnen zugleich.
The server has answered already; it does not send a bare SYN after that.
= Der Server hat schon geantwortet; danach sendet er kein bloßes SYN.
The connection is established: the server does not open it again.
= Die Verbindung besteht: der Server öffnet sie nicht noch einmal.
The connection is closing: the server does not open it again.
= Die Verbindung endet: der Server öffnet sie nicht noch einmal.
The connection is half closed: the server does not open it again.
= Die Verbindung ist halb geschlossen: der Server öffnet sie nicht noch einmal.
Only the last ACK is missing: the server does not open it again.
= Nur das letzte ACK fehlt: der Server öffnet sie nicht noch einmal.
The connection had closed, and the server now opens one the other way, with the same ports.
= Die Verbindung war geschlossen, und der Server öffnet nun eine in die andere Richtung, mit denselben Ports.
The connection was reset: a SYN from the server's side does not bring it back.
= Die Verbindung wurde abgebrochen: ein SYN von der Seite des Servers bringt sie nicht zurück.
The server's SYN again, while both ends are trying to open at once.
= Noch einmal das SYN des Servers, während beide Seiten zugleich öffnen.
The server answered: step two of the handshake.
= Der Server hat geantwortet: Schritt zwei des Handshakes.
The server's SYN/ACK again: the client's ACK has not reached it yet. Let through, nothing changes.
= Noch einmal das SYN/ACK des Servers: das ACK des Clients hat ihn noch nicht erreicht. Durchgelassen, nichts ändert sich.
A late SYN/ACK in an established connection. Let through; the client will acknowledge it again.
= Ein spätes SYN/ACK in einer bestehenden Verbindung. Durchgelassen; der Client wird es noch einmal bestätigen.
A SYN/ACK while the connection closes: perhaps the answer to a SYN that we ignored. Let through.
= Ein SYN/ACK, während die Verbindung endet: vielleicht die Antwort auf ein SYN, das wir übergangen haben. Durchgelassen.
A SYN/ACK in a half-closed connection: perhaps the answer to a SYN that we ignored. Let through.
= Ein SYN/ACK in einer halb geschlossenen Verbindung: vielleicht die Antwort auf ein SYN, das wir übergangen haben. Durchgelassen.
A SYN/ACK while the last ACK is missing: perhaps the answer to a SYN that we ignored. Let through.
= Ein SYN/ACK, während das letzte ACK fehlt: vielleicht die Antwort auf ein SYN, das wir übergangen haben. Durchgelassen.
A SYN/ACK after the close: perhaps the answer to a SYN that we ignored. Let through.
= Ein SYN/ACK nach dem Schließen: vielleicht die Antwort auf ein SYN, das wir übergangen haben. Durchgelassen.
A SYN/ACK after the reset: perhaps the answer to a SYN that we ignored. Let through.
= Ein SYN/ACK nach dem Abbruch: vielleicht die Antwort auf ein SYN, das wir übergangen haben. Durchgelassen.
Both ends sent a SYN at once, and the server answers the client's: simultaneous open, half way.
= Beide Seiten haben zugleich ein SYN gesendet, und der Server beantwortet das des Clients: gleichzeitiges Öffnen, zur Hälfte.
The server says goodbye before it said hello: it must answer the SYN first.
= Der Server verabschiedet sich, ehe er gegrüßt hat: zuerst muss er das SYN beantworten.
The server closes at once, even before the client's ACK was seen.
= Der Server schließt sofort, noch ehe das ACK des Clients zu sehen war.
The server has nothing more to send and begins to close.
= Der Server hat nichts mehr zu senden und beginnt zu schließen.
An ACK where a SYN/ACK should come: the server still holds an older connection on these ports (a challenge ACK). Let through.
= Ein ACK, wo ein SYN/ACK kommen sollte: der Server hält auf diesen Ports noch eine ältere Verbindung (ein Challenge-ACK). Durchgelassen.
The server acknowledges before the client did: perhaps the answer to a SYN that was sent again.
= Der Server bestätigt, ehe es der Client tat: vielleicht die Antwort auf ein SYN, das noch einmal gesendet wurde.
An ACK while both ends try to open at once. Let through; only a SYN/ACK brings this further.
= Ein ACK, während beide Seiten zugleich öffnen. Durchgelassen; nur ein SYN/ACK bringt dies weiter.
The server refuses: nobody listens on this port (connection refused).
= Der Server lehnt ab: auf diesem Port hört niemand (connection refused).
The server aborts during the handshake.
= Der Server bricht während des Handshakes ab.
The server aborts the connection.
= Der Server bricht die Verbindung ab.
The server aborts what was closing.
= Der Server bricht ab, was am Schließen war.
The server aborts the half-closed connection.
= Der Server bricht die halb geschlossene Verbindung ab.
The server aborts, the last ACK will not come.
= Der Server bricht ab, das letzte ACK wird nicht kommen.
The server aborts the simultaneous open.
= Der Server bricht das gleichzeitige Öffnen ab.
Neither SYN nor ACK nor FIN nor RST: that answers no SYN.
= Weder SYN noch ACK noch FIN noch RST: das beantwortet kein SYN.
`
