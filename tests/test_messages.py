"""What the commands say where something is mistyped, does not fit, or is not theirs to change."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import resspec
from resspec import explain, files
from resspec.cli import COMMANDS, main, summary

HEAD = "resspec: 1\ninputs: {image: [90, 90, 3]}\ngraph:\n"
MISFIT = f"{HEAD}  - {{max_pool: 2, as: half}}\n  - max_pool: 2\n  - upsample: 2\n  - concat: [half, prev]\n"
TWO = "resspec: 1\ninputs: {image: [H, W, 3], guide: [h, w, 3]}\ngraph:\n"


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def said(text: str, *arguments: str, code: int = 1) -> str:
    """What a command says of `net.yaml` with this text."""
    Path("net.yaml").write_text(text)
    done = run(arguments[0], "net.yaml", *arguments[1:])
    assert done.exit_code == code, done.output
    return done.output


# -- commands and specs -------------------------------------------------------------------------


def test_a_mistyped_command_is_named() -> None:
    done = run("chek", "net.yaml")
    assert done.exit_code == 2
    assert "there is no command `chek`; did you mean `check`?" in done.output


def test_help_tells_each_command_in_a_whole_line() -> None:
    lines = [line for line in run("--help").output.splitlines() if line.strip().startswith(COMMANDS)]
    assert len(lines) == len(COMMANDS)
    assert all(line.endswith(".") and not line.endswith("...") for line in lines)


def test_a_mistyped_spec_is_one_question_and_one_sentence() -> None:
    assert "did you mean `unet`? a file is given with `/`" in run("check", "unett").output
    assert "`resspec list` names them all; a file is given with `/`" in run("check", "zzzzzzzz").output


def test_a_variant_that_is_not_there_points_at_their_key() -> None:
    assert "variants:\n   | ^^^^^^^^\n" in run("check", "resnet_v2@resnet50v2").output


def test_shipped_specs_are_not_mended() -> None:
    before = (files.SHIPPED / "resnet_v2.yaml").read_bytes()
    done = run("check", "resnet_v2", "--fix")
    assert done.exit_code == 1
    assert "`resspec new mine.yaml --like resnet_v2`" in done.output
    assert (files.SHIPPED / "resnet_v2.yaml").read_bytes() == before


def test_a_bug_is_a_line_and_with_debug_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr(summary, "load", broken)
    done = run("summary", "unet")
    assert (done.exit_code, done.output.count("\n")) == (2, 1)
    assert "a bug of resspec (ZeroDivisionError: by nought)" in done.output
    assert "`resspec --debug`" in done.output
    assert isinstance(run("--debug", "summary", "unet").exception, ZeroDivisionError)


def test_the_first_sentence_of_a_page_ends_outside_of_code() -> None:
    found = {code: page.summary for code, page in explain.pages().items()}
    assert found["output-in-block"] == "`output: true` marks an output of the network"
    assert all(text.count("`") % 2 == 0 for text in found.values())


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        ("[{tap: imag}, {dense: 4}]", "1 with --fix --unsafe-fixes"),
        ("[{tap: imag}, {Dense: 4}]", "1 with --fix, 1 more with --fix --unsafe-fixes"),
    ],
)
def test_more_can_be_mended_only_beside_what_is_certain(steps: str, line: str) -> None:
    out = said(f"resspec: 1\ninputs: {{image: [8]}}\ngraph: {steps}\n", "check")
    assert f"of these can be mended: {line}\n" in out


# -- values -------------------------------------------------------------------------------------

VARIANT = """\
resspec: 1
params: {n: int = 3}
variants: {bad: {n: x}, other: {m: 2}}
inputs: {image: [8]}
graph: [{dense: n}]
"""


@pytest.mark.parametrize(("name", "column"), [("bad", 21), ("other", 33)])
def test_a_bad_value_of_a_variant_is_told_there(name: str, column: int) -> None:
    Path("net.yaml").write_text(VARIANT)
    assert f"net.yaml:3:{column}" in run("summary", f"net.yaml@{name}").output
    whole = run("check", f"net.yaml@{name}").output
    assert "net.yaml@" + f"{name}: 2 errors" in whole
    assert resspec.load("net.yaml", variant="bad", params={"n": 4}).outputs  # the caller's word counts


@pytest.mark.parametrize(
    ("written", "meant"),
    [("ReLU6", "relu6"), ("LeakyReLU", "leaky_relu"), ("GELU", "gelu"), ("HardSiLU", "hard_silu"), ("ELU", "elu")],
)
def test_an_activation_by_the_name_of_its_class(written: str, meant: str) -> None:
    def digest(name: str) -> str:
        Path("net.yaml").write_text(f"{HEAD}  - conv: {{filters: 2, kernel_size: 1, activation: {name}}}\n")
        return resspec.load("net.yaml").digest

    assert digest(written) == digest(meant)


@pytest.mark.parametrize(("written", "meant"), [("HeNormal", "he_normal"), ("L1L2", "l1_l2")])
def test_classes_of_initializers_and_regularizers(written: str, meant: str) -> None:
    key = "kernel_regularizer" if written == "L1L2" else "kernel_initializer"

    def digest(name: str) -> str:
        Path("net.yaml").write_text(f"{HEAD}  - conv: {{filters: 2, kernel_size: 1, {key}: {name}}}\n")
        return resspec.load("net.yaml").digest

    assert digest(written) == digest(meant)


# -- sizes --------------------------------------------------------------------------------------


def test_sizes_answers_where_the_numbers_of_the_spec_do_not_fit() -> None:
    out = said(MISFIT, "sizes", "--near", "90", "-n", "2", code=0)
    assert "(sizes of the spec taken as unknown)" in out
    assert "legal   H = 0 (mod 4), H >= 4" in out
    assert [line.split()[0] for line in out.splitlines() if line[:1].isdigit()] == ["88", "92"]


def test_sizes_tells_the_mistake_where_no_number_fits() -> None:
    text = f"{HEAD}  - {{conv: {{filters: 3, kernel_size: 2}}, as: a}}\n  - add: [image, a]\n"
    assert "got (90, 90, 3) and (89, 89, 3)" in said(text, "sizes")


def test_numbers_that_do_not_fit_are_called_as_the_axes_are() -> None:
    out = said(MISFIT, "check")
    for axis in ("height", "width"):
        assert f"of `image` the {axis} 90 does not fit, 88 and 92 would: {axis} = 0 (mod 4), {axis} >= 4" in out


def test_a_size_that_follows_from_another_is_no_choice() -> None:
    text = f"{TWO}  - {{upsample: 2, from: guide, as: large}}\n  - concat: [image, large]\n"
    assert "h follows from the other sizes: h = H//2" in said(text, "sizes", "--near", "h=100", code=2)


def test_sizes_of_two_inputs_cannot_be_aligned() -> None:
    out = said(f"{TWO}  - concat: {{of: [image, guide], align: crop}}\n", "check")
    assert "= help: give both inputs the same name for the size, or give them numbers" in out


def test_an_unknown_number_of_elements() -> None:
    text = f"{HEAD.replace('90, 90', 'H, W')}  - max_pool: {{pool_size: 3, strides: 2}}\n  - reshape: [7, 7, -1]\n"
    out = said(text, "check")
    assert "into (7, 7, -1): whether its elements are a multiple of 49 depends on several sizes" in out
    assert "`adaptive_avg_pool: [7, 7]`" in out


def test_at_of_a_network_without_unknowns() -> None:
    out = said(f"{HEAD}  - relu\n", "summary", "--at", "H=3")
    assert "`H` is no unknown size of the inputs, which are all numbers" in out
    assert "= help: `-i image=None,None,3` makes its sizes unknown" in out
