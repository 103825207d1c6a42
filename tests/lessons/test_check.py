"""`ctlab lesson check` reads on behind each mistake, and says what a lesson that can be read may lack."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

from lessons.check import advice, problems, problems_of
from lessons.course import HERE
from lessons.new import write_lesson

README = (HERE / "README.md").read_text("utf-8")
RULES = """user: root
    rules:
      iptables: |
        *filter
        -A INPUT -p tcp --dprt 22 -j DROP
        -A INPUT -m conntrack --ctstate ESTABLSHED -j ACCEPT
        COMMIT
      nft: "table ip x { chan y { } }"
    sysctls: {net.netfilter.nf_conntrack_maks: 1}"""
WRONG = {
    "minutes: 6": "minutes: many\ntitel: x",
    "```run laptop": "```run lap",
    "- label: {machine: server, label: NEW, d": "- labl: {machine: server, label: NEW, d",
    "text: has 1 received": "txt: has 1 received",
    "  Yes. The first": "- [ ] and why\n",
}
TOLD = {
    "lesson.md": ["a whole number is wanted", "unknown key 'titel'", "no terminal 'lap'", "of kind 'labl'", "no field 'txt'", "says why"],
    "mine.yaml": [
        '16:25: iptables: unknown option "--dprt"', "17:41: iptables: Bad ctstate", "nft: line 1, column 14", "nf_conntrack_maks: No",
    ],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_lesson(tmp_path, "Mine").parent


def rewritten(file: Path, changes: dict[str, str]) -> None:
    text = file.read_text()
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new, 1)
    file.write_text(text)


def test_every_mistake_of_a_lesson_and_its_scenario_is_told(folder: Path) -> None:
    rewritten(folder / "lesson.md", WRONG)
    rewritten(folder / "mine.yaml", {"user: root": RULES})
    told = "\n".join(map(str, problems(folder)))
    for words in (*TOLD["lesson.md"], *TOLD["mine.yaml"]):
        assert words in told, told
    for meant in ("'--dport'", "'ESTABLISHED'", "'title'", "'laptop'", "'label'", "'net.netfilter.nf_conntrack_max'"):
        assert f"did you mean {meant}?" in told, told


def test_a_scenario_that_cannot_be_read_hides_no_mistake_of_the_lesson(folder: Path) -> None:
    rewritten(folder / "lesson.md", WRONG)
    (folder / "mine.yaml").write_text("title: [")
    told = [str(mistake) for mistake in problems(folder)]
    assert any("mine.yaml" in one and "not YAML" in one for one in told) and any("'labl'" in one for one in told)
    assert not any("no terminal" in one for one in told)  # nobody knows which there are


def test_a_name_that_nothing_is_drawn_for_is_told_wherever_it_stands(folder: Path) -> None:
    rewritten(folder / "lesson.md", {"minutes: 6": "minutes: 6\nvary: {port: {pick: [80]}}", "What comes": "{{prt}} {{nobody}} {{port}}"})
    assert [("'prt'" in str(one), "'nobody'" in str(one)) for one in problems(folder)] == [(True, False), (False, True)]


def test_what_a_new_lesson_has_needs_no_advice_and_what_it_lacks_is_told(folder: Path) -> None:
    assert advice(folder) == []
    text = (folder / "lesson.md").read_text()
    head, step = text.split("# What comes first")[0], "# One\n```run laptop\nls\n```\n# Two\nOnly words.\n"
    (folder / "lesson.md").write_text(head + step)
    told = [str(one) for one in advice(folder)]
    assert [words in one for words, one in zip(("nothing is asked", "nothing to reach", "not checked", "shows nothing"), told, strict=True)]
    assert told[2].split(":")[1] == "9" and told[3].split(":")[1] == "12"


def test_what_does_nothing_though_nothing_is_wrong_with_it_is_told_as_advice(folder: Path) -> None:
    rewritten(folder / "lesson.md", {"```run laptop\n": "    ```run laptop\n    ls\n    ```\n\n```run laptop\n"})
    rewritten(folder / "mine.yaml", {"192.168.1.20/24": "192.168.2.20/24"})
    told = [str(one) for one in advice(folder)]
    assert "laptop.eth0 (192.168.1.0/24) and server.eth0 (192.168.2.0/24) are linked, and share no network" in told[0]
    assert "this run block is indented, so it is shown as code" in told[1] and len(told) == 2


SAID = {
    "a next hop outside": ("user: ann", "user: ann\n    routes: {default: 10.0.0.1}", "it has eth0 192.168.1.10/24"),
    "a next hop that is oneself": ("user: ann", "user: ann\n    routes: {default: 192.168.1.10}", "192.168.1.10 is laptop's own address"),
    "a setting's value": ("user: ann", "user: ann\n    sysctls: {net.ipv4.ip_forward: yes}", "'yes' is no value for it"),
    "a name with a space": ("  laptop:", "  my laptop:", ":6:3: 'my laptop' is not a name: letters, digits"),
    "a chance in percent": ("delay: 5ms", "delay: 5ms, loss: 10%", "10% is 0.1"),
    "a path that is not whole": ("user: ann", "user: ann\n    files: {wall.nft: x}", "'wall.nft' is not a file's whole path"),
    "an nft text that ends early": (
        "user: ann", "user: ann\n    rules:\n      nft: |\n        table ip x {\n          chain y {\n          }\n",
        ":13:12: nft: syntax error",
    ),
    "a rule that the kernel refuses": (
        "user: ann", "user: ann\n    rules:\n      iptables: |\n        *raw\n        -A PREROUTING -p tcp -j ACCEPT\n"
        "        -A PREROUTING -p tcp -j CT --helper fpt\n        COMMIT", ":13:9: iptables: No chain/target/match by that name",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "words"), SAID.values(), ids=SAID)
def test_a_mistake_in_a_scenario_is_told_once_at_its_place_with_what_helps(folder: Path, old: str, new: str, words: str) -> None:
    rewritten(folder / "mine.yaml", {old: new})
    told = [str(one) for one in problems(folder) if "lesson.md" not in str(one)]
    assert words in told[0], told
    assert len(told) == 1 or old == "  laptop:"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "mine.yaml:1:1: a mapping"),
        ("title: x".encode("utf-16"), "mine.yaml:1:1: this file is UTF-16"),
        (b"a: b\nc: f\xfcr", "mine.yaml:2:5: the byte 0xfc"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_text_is_told_with_its_place_and_what_to_do(folder: Path, data: bytes, words: str) -> None:
    (folder / "mine.yaml").write_bytes(data)
    assert [words in str(one) for one in problems(folder)] == [True]


def test_the_blocks_that_the_readme_shows_can_be_read() -> None:
    shown = dedent("\n\n".join(re.findall(r"^    ```(?:predict|whatif|expect|goal) .*?^    ```$", README, re.MULTILINE | re.DOTALL)))
    front = "---\ntitle: x\npart: x\nsummary: x\nscenario: four-labels\n---\n# One\n"
    assert problems_of(front + shown, HERE / "01-x" / "lesson.md") == []
    assert {word for word in ("predict", "whatif", "expect", "goal") if f"```{word}" in shown} == {"predict", "whatif", "expect", "goal"}


def test_flags_that_no_segment_has_are_told_with_the_letters_there_are(folder: Path) -> None:
    file = folder / "lesson.md"
    text = file.read_text(encoding="utf-8")
    asked = "```expect\n- label: {label: NEW, packet: {flags: %s}}\n```\n"
    file.write_text(text + "\n" + asked % "SA", encoding="utf-8")
    assert ["S. (SYN/ACK)" in str(one) for one in problems(folder)] == [True]
    file.write_text(text + "\n" + asked % "has S", encoding="utf-8")
    assert problems(folder) == []
