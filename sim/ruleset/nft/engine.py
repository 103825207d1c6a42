"""The LALR engine: walks lark's parse table over nft.lark, so that an error can be told and survived as bison's parser does.

lark makes the table (tables.py); the loop is here because nft's messages come from what bison does on an error:
it has already done every default reduction, names the tokens that its state then expects (four at most), and goes on behind
the next separator.

Not in here: tokens (scanner.py), the table (tables.py), what a reduction does (actions.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from sim.ruleset.nft.scanner import Lexeme
from sim.ruleset.nft.tables import Reduction, table
from sim.ruleset.nft.words import NAMES, ORDER

MOST_EXPECTED = 4  # YYERROR_VERBOSE_ARGS_MAXIMUM - 1
_STANDS_FOR = {"NO_CHAIN": "LBRACE"}  # refused tokens that nft has in its lists


_NO_LINES = Reduction("input", 0, "input")


class SyntaxStop(Exception):
    """The token does not fit here; `expected` are the names of those that would, at most four, else none."""

    def __init__(self, token: Lexeme, expected: list[str]) -> None:
        self.token, self.expected = token, expected
        names = f", expecting {' or '.join(expected)}" if expected else ""
        super().__init__(f"syntax error, unexpected {NAMES[token.type]}{names}")


class Engine:
    """One run of the parser. `actions` has a method for each reduction: list of children -> value."""

    def __init__(self, actions: object) -> None:
        self._rows, self._gotos, self._settled, start = table()
        self._states = [start]
        self._values: list[Any] = []
        self._actions = actions
        self._known: dict[str, Callable[[list[Any]], Any]] = {}
        self._passed: dict[tuple[int, int, str], int] = {}

    def wants(self, token: str) -> bool:
        """Whether a token of that type could come now: a state's row alone would say yes too often (LALR merges states)."""
        step = self._rows[self._states[-1]].get(token)
        if step is None or isinstance(step, int):
            return step is not None
        states = list(self._states)
        while isinstance(step, Reduction):
            if step.size:
                del states[-step.size :]
            states.append(self._gotos[states[-1]][step.origin])
            step = self._rows[states[-1]].get(token)
        return step is not None

    def feed(self, token: Lexeme) -> None:
        """Take the next token. Raises SyntaxStop; an action's exception passes through, and `recover` serves after both."""
        states, rows, kind = self._states, self._rows, token.type
        while True:
            step = rows[states[-1]].get(kind)
            if step is None:
                raise SyntaxStop(token, self._expected())
            if isinstance(step, int):
                break
            if step.action:
                self._reduce(step)
            else:
                self._pass(kind)
        states.append(step)
        self._values.append(token)
        while (settled := self._settled.get(states[-1])) is not None:
            if settled.action:
                self._reduce(settled)
            else:
                self._pass("")

    def _reduce(self, step: Reduction) -> None:
        """A reduction with an action: its children's values become one."""
        states, values = self._states, self._values
        origin, size, action = step
        children = values[-size:] if size else []
        if size:
            del states[-size:], values[-size:]
        values.append(self._action(action)(children))
        states.append(self._gotos[states[-1]][origin])

    def _pass(self, kind: str) -> None:
        """Reductions of one word to one without an action, a ladder of them ahead of a token of this type ("": of any): the last rung.

        Two in three reductions are such (an operator's level in that of the next), and where they lead is remembered.
        """
        below, top = self._states[-2:]
        rung = self._passed.get((below, top, kind), -1)
        if rung < 0:
            rung = top
            while isinstance(step := self._rows[rung].get(kind) if kind else self._settled.get(rung), Reduction) and not step.action:
                rung = self._gotos[below][step.origin]
            self._passed[below, top, kind] = rung
        self._states[-1] = rung

    def _action(self, name: str) -> Callable[[list[Any]], Any]:
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = getattr(self._actions, name)
        return found

    def at_rest(self) -> bool:
        """Whether whole lines alone have been read: the end of the text may come."""
        return "$END" in self._rows[self._states[-1]]

    def raw_base(self) -> Lexeme | None:
        """The word behind an `@` that was read last: where no set may stand it is bytes' base, which nft judges before it reads on."""
        mark, word = self._values[-2:] if len(self._values) > 1 else (None, None)
        return word if isinstance(mark, Lexeme) and isinstance(word, Lexeme) and (mark.type, word.type) == ("AT", "STRING") else None

    def recover(self) -> None:
        """Give up what was begun, down to the innermost block: there "error stmt_separator" goes on (parser_bison.y)."""
        while not isinstance(self._rows[self._states[-1]].get("INCLUDE"), int):
            if len(self._states) == 1:
                self._reduce(_NO_LINES)
                return
            self._states.pop()
            self._values.pop()

    def _expected(self) -> list[str]:
        """What bison's state expects once it has done its default reductions; between lines it names nothing."""
        if self.at_rest():
            return []
        states = list(self._states)
        while True:
            row = self._rows[states[-1]]
            reductions = Counter(step for step in row.values() if isinstance(step, Reduction))
            if not reductions:
                wanted = [_STANDS_FOR.get(token, token) for token in row]
                break
            step = reductions.most_common(1)[0][0]
            if step.size:
                del states[-step.size :]
            states.append(self._gotos[states[-1]][step.origin])
        wanted = sorted({token for token in wanted if token in ORDER}, key=ORDER.__getitem__)
        return [NAMES[token] for token in wanted] if len(row) <= MOST_EXPECTED else []
