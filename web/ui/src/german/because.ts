// German for the words beside each match that was tried (sim/ruleset/explain.py, wording.py). As reasons.ts; what stands for {} is said in
// German in its turn.

export const BECAUSE = `
{} yes
= {}: ja
{}, not {}
= {}, nicht {}
{}, not one of those
= {}, keines von diesen
{}, which is left out
= {}, was ausgenommen ist
{}, not in the map
= {}, nicht in der Map
{} gives {}
= {} ergibt {}
port {}
= Port {}
source port {}
= Quellport {}
ports {}
= Ports {}
came in on {}
= kam herein über {}
leaves by {}
= geht hinaus über {}
mark {}
= Marke {}
{} bytes long
= {} Bytes lang
sent to {}
= gesendet an {}
from {}
= von {}
to {}
= an {}
hop limit {}
= Hop Limit {}
flags {}
= Flags {}
code {}
= Code {}
label is {}
= Label ist {}
status is {}
= Status ist {}
direction is {}
= Richtung ist {}
connection mark {}
= Verbindungsmarke {}
{} ms left
= noch {} ms
{} s left
= noch {} s
connection is {}
= Verbindung ist {}
expected by helper {}
= erwartet vom Helper {}
source is {}
= Quelle ist {}
destination is {}
= Ziel ist {}
below {}
= unter {}
above {}
= über {}
at most {}
= höchstens {}
at least {}
= mindestens {}
in @{}
= in @{}
{} under mask {}
= {} unter der Maske {}
within the rate
= innerhalb der Rate
more than {} a {}
= mehr als {} je {}
no entry in the table
= kein Eintrag in der Tabelle
no transport header to look at
= kein Transport-Header zu sehen
its header is cut short: iptables drops it at once
= sein Header ist abgeschnitten: iptables verwirft es sofort
a later fragment, without a header to look at
= ein späteres Fragment, ohne Header
`
