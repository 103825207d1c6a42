"""TCP's grid is whole, its reasons are whole, and the two agree."""

from __future__ import annotations

import pytest

from sim.conntrack.tcp_grid import GRID, SEGMENT_OF, VALID_FLAGS, WORDS
from sim.conntrack.tcp_why import CELLS, REASONS, WHY
from sim.conntrack.words import Segment, TcpState

CELL_KEYS = [(way, segment, state) for way in (0, 1) for segment in Segment for state in TcpState]


def test_the_grid_has_a_cell_for_each_direction_segment_and_state() -> None:
    assert [len(rows) for rows in GRID] == [6, 6]
    assert {len(row) for rows in GRID for row in rows} == {10}


def test_every_cell_has_a_sentence_and_none_is_left_over() -> None:
    assert set(WHY) == {(way, int(segment), int(state)) for way, segment, state in CELL_KEYS}
    assert len(WHY) == 120


@pytest.mark.parametrize("key", CELL_KEYS)
def test_the_sentence_stands_beside_what_the_grid_says(key: tuple[int, int, int]) -> None:
    way, segment, state = key
    assert CELLS[way, segment, state] == WORDS[GRID[way][segment][state]]
    assert WHY[key].endswith((".", "?", "!")) and WHY[key][0].isupper() and len(WHY[key]) > 25


def test_each_cells_reason_has_a_code_of_its_own() -> None:
    codes = [reason.code for rows in REASONS for row in rows for reason in row]
    assert len(set(codes)) == 120 and "tcp-reply-synack-SYN_SENT" in codes


def test_a_reset_outranks_everything_and_a_bare_push_is_nothing() -> None:
    assert SEGMENT_OF[0b010110] == Segment.RST
    assert SEGMENT_OF[0b010010] == Segment.SYNACK
    assert SEGMENT_OF[0b010001] == Segment.FIN
    assert SEGMENT_OF[0b001000] == Segment.NONE


def test_of_the_32_combinations_of_flags_nine_are_valid_whatever_psh_ece_and_cwr_say() -> None:
    assert sum(VALID_FLAGS) == 9 * 8
    assert not VALID_FLAGS[0b000011] and not VALID_FLAGS[0b000001] and not VALID_FLAGS[0] and VALID_FLAGS[0b11011001]
