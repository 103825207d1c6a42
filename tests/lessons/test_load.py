"""A lesson is read with its blocks, and each mistake in it is reported at file, line and column."""

from __future__ import annotations

import pytest

from lessons.course import read_course
from lessons.load import read_lesson
from lessons.model import Expect, Goal, Lesson, Predict, Run
from lessons.page import as_message
from sim.errors import ScenarioError
from sim.inputs import Crafted, Input, Key, Line, LinkChange, Power
from tests.lessons.written import FILE, HEAD

GOOD = HEAD + """\
Prose with `NEW` and <script>alert(1)</script>.

```run laptop lang=nft wait=500ms
ping -c 1 server
```

```predict first
Which label?
- [ ] `NEW`
  Because it
  is new.
- [x] `ESTABLISHED`
  Because.
```

```run laptop
ping server
^C
```

```packet laptop wait=1s
tcp 192.168.1.10:9 > 192.168.1.20:22 FPU
```

```solution link laptop.eth0--server.eth0
down
```

# Second

```goal done
text: All is done
checks:
  - label: {label: NEW, packet: {protocol: tcp}, count: 2}
```

```expect
- output: {terminal: laptop, text: has 64 bytes}
```

```
code to look at
```
"""
MISTAKES = [
    ("title: An example", "titel: An example", ":2:1: unknown key 'titel'", "did you mean 'title'?"),
    (
        "scenario: laptop-and-server",
        "scenario: laptop-and-sever",
        ":6:11: there is no scenario",
        "did you mean 'laptop-and-server'?",
    ),
    (
        "```run laptop lang",
        "```run lapttop lang",
        ":12:1: the scenario has no terminal 'lapttop'",
        "did you mean 'laptop'?",
    ),
    ("lang=nft", "lang=nf", ":12:1: lang is iptables or nft", "did you mean 'nft'?"),
    ("wait=500ms", "wait=soon", ":12:1: 'soon' is no time", ""),
    ("wait=500ms", "wiat=500ms", "run has no setting 'wiat'", "did you mean 'wait'?"),
    ("```predict first", "```prdict first", ":16:1: unknown block 'prdict'", "did you mean 'predict'?"),
    ("```packet laptop", "```packet lptop", ":30:1: the scenario has no machine 'lptop'", "did you mean 'laptop'?"),
    ("> 192.168.1.20:22 FPU", "> 192.168.1.20:22 FPX", ":31:1: 'FPX' means nothing in a packet", ""),
    ("link laptop.eth0--server.eth0", "link laptop", "the scenario has no link 'laptop'", "it has laptop.eth0--server.eth0"),
    ("down\n", "sideways\n", ":35:1: a link is changed by down", ""),
    ("wait=1s", "wait=9999d", "a wait is 1000d at most", ""),
    ("- [x]", "- [ ]", "exactly one", ""),
    ("- [ ] `NEW`", "- [ ] `NEW` {known-is-let-inn}", "no misconception is called", "did you mean 'known-is-let-in'?"),
    ("- [x] `ESTABLISHED`", "- [x] `ESTABLISHED` {known-is-let-in}", "what is right is no misconception", ""),
    ("```predict first", "```whatif first", "a whatif has one line that says what is different", ""),
    ("```predict first\n", "```whatif first\n> laptop\n", "say what is different", ""),
    ("```predict first\n", "```whatif first\n> power laptop: of\n", "power is off, on or reset", "did you mean 'off'?"),
    ("```predict first\n", "```whatif first\n> link lan: down\n", "no link 'lan'", "it has laptop.eth0--server.eth0"),
    ("packet: {protocol: tcp}", "packet: {proto: tcp}", ":43:34: a packet has no field 'proto'", "did you mean 'protocol'?"),
    ("{label: NEW, packet", "{label: new, packet", "there is no label 'new'", "did you mean 'NEW'?"),
    ("{terminal: laptop, text", "{terminal: lab, text", "the scenario has no terminal 'lab'", "there are"),
    ("FPU\n```\n", "FPU\n", ":33:1: the block before this is not closed", ""),
    ("code to look at\n```\n", "code\n```\n```hint\nx\n", "this block is not closed", ""),
    ("code to look at\n```\n", "code\n```\n```hint", "this block is not closed", ""),
    ("lang=nft wait=500ms", "lang = nft", "a setting is written without spaces", ""),
    ("```predict first\n", "```Predict first\n", "unknown block 'Predict'", "did you mean 'predict'?"),
    ("count: 2}\n```", "count: 2}\nmore: x\n```", "a goal has `text:` and `checks:`, and no 'more'", ""),
    ("minutes: 5\nscenario: laptop-and-server\n---", "minutes: 5", "the front matter is not closed", ""),
    ("- [ ] `NEW`", "-[ ] `NEW`", ":18:1: an option is written", ""),
    ("Which label?\n", "", "a prediction asks something", ""),
    ("```predict first\n", "```whatif first\n> lptop: ls\n", "no terminal 'lptop'", "did you mean 'laptop'?"),
    ("  Because.\n", "", "each option says why", ""),
    ("label: NEW, packet", "lable: NEW, packet", "has no field 'lable'", "did you mean 'label'?"),
    ("- label: {", "- labell: {", ":43:5: no record is of kind 'labell'", "did you mean 'label'?"),
    ("```goal done", "```goal Done!", "needs an id", ""),
    ("```goal done", "```goal first", "stands here twice", ""),
    ("text: All", "txt: All", "a goal has `text:` and `checks:`", ""),
    ("count: 2", "count: two", ":43:57: count is a whole number", ""),
    ("# First\n", "", "begins with a heading", ""),
    ("---\ntitle", "title", ":1:1: a lesson begins with front matter", ""),
    ("ping -c 1 server\n", "", "nothing to type", ""),
    ("minutes: 5", "minutes: many", ":5:10: a whole number is wanted here", ""),
]


def read(text: str) -> Lesson:
    return read_lesson(text, FILE)


def test_a_machines_power_is_cut_in_a_block_and_a_word_that_is_none_is_located() -> None:
    text = GOOD + "\n```power server wait=25s\nreset\n```\n"
    block = [block for block in read(text).blocks() if isinstance(block, Run)][-1]
    assert (block.act, block.inputs, block.wait) == ("power", (Power("server", "reset"),), 25_000_000)
    with pytest.raises(ScenarioError, match="power is off, on or reset, not 'rest'") as caught:
        read(text.replace("\nreset", "\nrest"))
    assert "did you mean 'reset'?" in str(caught.value)


def test_a_lesson_has_its_steps_and_blocks_in_order() -> None:
    lesson = read(GOOD)
    assert (lesson.id, lesson.title, [step.title for step in lesson.steps]) == (
        "example",
        "An example",
        ["First", "Second"],
    )
    run = next(block for block in lesson.blocks() if isinstance(block, Run))
    assert (run.terminal, run.lines, run.language, run.wait) == ("laptop", ("ping -c 1 server",), "nft", 500_000)
    _, keyed, crafted, cut = (block for block in lesson.blocks() if isinstance(block, Run))
    assert keyed.inputs == (Line("laptop", "ping server"), Key("laptop", "^C"))
    assert crafted.inputs == (Crafted("laptop", "tcp 192.168.1.10:9 > 192.168.1.20:22 FPU"),) and crafted.wait == 1_000_000
    assert cut.inputs == (LinkChange("laptop.eth0--server.eth0", up=False),) and cut.solution
    predict = next(block for block in lesson.blocks() if isinstance(block, Predict))
    assert [option.right for option in predict.options] == [False, True]
    assert predict.options[0].why == "Because it is new."
    assert [goal.id for goal in lesson.goals()] == ["done"]
    assert lesson.languages == ("nft",)


def test_prose_is_safe_and_labels_are_chips() -> None:
    message = str(as_message(read(GOOD)))
    assert "<script>" not in message and "&lt;script&gt;" in message
    assert 'class="chip NEW"' in message
    assert "code to look at" in message


def test_what_is_only_for_testing_is_not_sent_to_the_page() -> None:
    lesson = read(GOOD)
    assert any(isinstance(block, Expect) for block in lesson.blocks())
    kinds = {block["type"] for step in as_message(lesson)["steps"] for block in step["blocks"]}
    assert kinds == {"html", "run", "solution", "predict", "goal"}
    assert all(not isinstance(block, Goal) or block.checks for block in lesson.blocks())


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"), MISTAKES, ids=[m[1][:40].strip() or m[0][:40].strip() for m in MISTAKES]
)
def test_a_mistake_is_reported_where_it_stands(old: str, new: str, message: str, hint: str) -> None:
    assert old in GOOD
    with pytest.raises(ScenarioError) as caught:
        read(GOOD.replace(old, new, 1))
    assert message in str(caught.value)
    assert hint in str(caught.value)


WHATIF = "```whatif other before=ping\nAnd so?\n> {change}\n- [ ] a\n  b\n- [x] c\n  d\n```\n"
CHANGES: dict[str, Input] = {
    "server: sysctl -w net.ipv4.ip_forward=1": Line("server", "sysctl -w net.ipv4.ip_forward=1"),
    "laptop: ^C": Key("laptop", "^C"),
    "link laptop.eth0--server.eth0: delay 200ms, loss 10%": LinkChange("laptop.eth0--server.eth0", delay=200_000, loss=0.1),
    "packet laptop: tcp 192.168.1.10:9 > 192.168.1.20:22 R": Crafted("laptop", "tcp 192.168.1.10:9 > 192.168.1.20:22 R"),
    "power server: off": Power("server", "off"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_what_if_may_change_whatever_a_person_may(change: str) -> None:
    lesson = read(GOOD.replace("# Second", WHATIF.format(change=change) + "\n# Second"))
    asked = [block for block in lesson.blocks() if isinstance(block, Predict)]
    assert asked[-1].change == CHANGES[change] and asked[-1].before == "ping"


def test_every_lesson_and_scenario_of_the_course_can_be_read() -> None:
    course = read_course()
    assert course.mistakes == ()
    assert len(course.lessons) >= 3
