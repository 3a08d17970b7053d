"""How findings look in a terminal."""

from __future__ import annotations

import textwrap

import pytest

from resspec import report
from resspec.diagnostics import Diagnostic, Label, Span
from resspec.frames import LINE, width


def at(line: int, column: int, length: int, file: str = "net.yaml") -> Span:
    return Span(file, line, column, line, column + length)


def shown(one: Diagnostic, *lines: str, **others: str) -> list[str]:
    sources = {"net.yaml": "\n".join(lines), **{f"{name}.yaml": text for name, text in others.items()}}
    return report.text([one], sources).rstrip("\n").splitlines()


def same(found: list[str], wanted: str) -> bool:
    return [line.rstrip() for line in found] == textwrap.dedent(wanted).strip("\n").splitlines()


def test_marks_of_one_line_are_drawn_together() -> None:
    one = Diagnostic(
        "shape-mismatch",
        "`add` needs equal shapes",
        at(2, 18, 8),
        labels=(Label(at(2, 11, 4), "(56, 56, 64)"), Label(at(2, 18, 8), "(28, 28, 64)")),
        notes=("in block `unit`",),
        help="write `project: auto`",
    )
    found = shown(one, "graph:", "  - add: [body,  shortcut]")
    assert same(
        found,
        """
        error[shape-mismatch]: `add` needs equal shapes
         --> net.yaml:2:18
          |
        2 |   - add: [body,  shortcut]
          |           ----   ^^^^^^^^ (28, 28, 64)
          |           (56, 56, 64)
          |
          = note: in block `unit`
          = help: write `project: auto`
        """,
    ), "\n".join(found)


def test_lines_stand_in_their_order_with_their_gaps() -> None:
    labels = (Label(at(1, 1, 1), "first"), Label(at(3, 1, 1), "third"), Label(at(9, 1, 1), "last"))
    found = shown(Diagnostic("code", "message", at(5, 1, 1), labels=labels), *"abcdefghi")
    assert same(
        found,
        """
        error[code]: message
         --> net.yaml:5:1
          |
        1 | a
          | - first
        2 | b
        3 | c
          | - third
        4 | d
        5 | e
          | ^
        ...
        9 | i
          | - last
          |
        """,
    ), "\n".join(found)


def test_other_files_follow() -> None:
    labels = (Label(at(1, 1, 3, "other.yaml"), "declared here"),)
    found = shown(Diagnostic("code", "message", at(1, 1, 1), labels=labels), "a", other="abc")
    assert [line for line in found if "other.yaml" in line] == [" ::: other.yaml:1:1"]
    assert "  | --- declared here" in found


@pytest.mark.parametrize(("text", "columns"), [("日本", 4), ("e\u0301", 1), ("abc", 3)])
def test_wide_letters_and_accents_are_counted_as_a_terminal_does(text: str, columns: int) -> None:
    found = shown(Diagnostic("code", "message", at(1, len(text) + 3, 1)), f"{text}: x")
    assert width(text) == columns
    assert found[4] == "  | " + " " * (columns + 2) + "^"


def test_long_lines_are_cut_around_the_place() -> None:
    line = "a" * 500 + "X" + "b" * 500
    found = shown(Diagnostic("code", "message", at(1, 501, 1)), line)
    text, marks = found[3].removeprefix("1 | "), found[4].removeprefix("  | ")
    assert len(text) <= LINE
    assert text[marks.index("^")] == "X"


def test_a_place_of_several_lines_is_marked_to_the_end_of_its_first() -> None:
    found = shown(Diagnostic("code", "message", Span("net.yaml", 1, 3, 3, 2)), "- conv:", "    as: x", "- relu")
    assert found[4] == "  |   ^^^^^"


def test_control_characters_do_not_reach_the_terminal() -> None:
    found = shown(Diagnostic("code", "a\x1b[31mb", at(1, 1, 1)), "x\x1b[2Jy")
    assert not any("\x1b" in line for line in found)


def test_a_file_that_is_not_at_hand_has_no_frame() -> None:
    assert report.text([Diagnostic("code", "message", at(1, 1, 1))], {}) == "error[code]: message\n --> net.yaml:1:1\n"
