"""Painters on a figure made by hand that has every mark, role and kind of line once."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import struct
import subprocess
import sys
from dataclasses import replace
from difflib import unified_diff
from io import BytesIO
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from fontTools.ttLib import TTFont
from PIL import Image
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from resspec.files import FileProblem
from resspec.render import advances, metrics, shapes
from resspec.render.metrics import drawable, fit, width
from resspec.render.painters import PAINTERS, Options, write
from resspec.render.pdf import pdf
from resspec.render.png import png
from resspec.render.problems import DoesNotFit
from resspec.render.scene import Box, Edge, Group, Item, Line, Mark, Scene, Text
from resspec.render.svg import svg
from resspec.render.theme import LIGHT, THEMES
from resspec.render.tikz import escaped, tikz

SIZE = 11.0
FONTS = Path(metrics.__file__).parent / "fonts"
SVG = "{http://www.w3.org/2000/svg}"

HOSTILE = [
    "control \x00\x07\x1b[31m\x7f\n\t", "lone surrogate \ud800", "not a character \ufffe\uffff", "\u202egnp.exe", "\u0627\u0644\u0634\u0628\u0643\u0629",
    "x" * 200, "]]>", "<script>alert(1)</script>", "\"'&<>", "</text></svg>", "-->", "\\input{/etc/passwd}", "$x_1^2$ % }{",
    "--- -- ,,", "\u6df1\u5c42\u7f51\u7edc \U0001f600", "", "%PDF-1.4 ) Tj (", "{{7*7}} ${x}",
]  # fmt: skip


def cell(id: str, x: float, y: float, role: str, label: str, mark: Mark = "rect", wide: float = 140) -> Group:
    """A box with its text inside."""
    words = Text(x + wide / 2, y + 16, fit(label, SIZE, wide - 12), SIZE, "label")
    return Group(f"{id}.group", f"{id}, {label}", (Box(id, x, y, wide, 24, role, mark), words), path=id)


def sample(label: str = "conv 3x3, 64", name: str = "stage1/unit0") -> Scene:
    """Two nested frames with a residual unit, a dense block as arcs, and a legend."""
    unit: tuple[Item, ...] = (
        Box("stage1/unit0#frame", 40, 96, 260, 262, "frame", "frame", depth=1),
        Text(52, 114, fit(name, 11, 150, bold=True), 11, "heading", "start", bold=True),
        Box("stage1/unit0#times", 250, 103, 38, 18, "badge", "badge"),
        Text(269, 116, "× 23", 10, "badge", bold=True),
        cell("stage1/unit0/norm", 90, 136, "norm", "batch norm, relu"),
        Line("a", ((160, 160), (160, 180)), "flow", edges=(Edge("a", "b", 0),)),
        cell("stage1/unit0/conv", 90, 180, "conv", label),
        Line("b", ((160, 204), (160, 232)), "flow"),
        Text(166, 221, "56 × 56 × 64", 9, "shape", "start"),
        cell("stage1/unit0/conv2", 90, 232, "conv", "conv 1x1, 256, /2"),
        Line("c", ((160, 256), (160, 287)), "flow"),
        Box("stage1/unit0/add", 151, 287, 18, 18, "merge", "plus"),
        Line("d", ((160, 128), (160, 130), (262, 130), (262, 296), (169, 296)), "identity"),
        Line("e", ((90, 192), (60, 192), (60, 296), (151, 296)), "projection"),
        Line("f", ((160, 305), (160, 326)), "flow"),
        Box("stage1/unit0/gate", 151, 326, 18, 18, "merge", "times"),
        Line("g", ((160, 344), (160, 352)), "flow", arrow=False),
    )
    families = tuple(role for role in LIGHT.boxes if role != "badge")
    items: list[Item] = [
        Text(24, 34, "ResNet-200, every mark and role", 16, "title", "start", bold=True),
        Text(24, 52, "64,666,152 parameters, 30.1 GFLOPs", 11, "note", "start"),
        Box("stage1#frame", 24, 66, 292, 308, "frame", "frame"),
        Text(36, 84, "stage1", 11, "heading", "start", bold=True),
        Group("stage1/unit0", "unit0, unit, 23 times", unit, path="stage1/unit0", folded=True),
        Box("dense/concat", 360, 150, 110, 6, "merge", "bar"),
        Box("dense/sum", 360, 190, 150, 22, "merge", "bar"),
        Text(435, 205, "256 + 32 = 288", 10, "label"),
        Line("h", ((415, 110), (415, 150)), "flow"),
        Line("i", ((415, 156), (415, 190)), "flow"),
        Box("block", 360, 230, 150, 34, "block", "round"),
        Text(435, 251, "bottleneck × 3", 11, "label"),
        Line("j", ((435, 212), (435, 230)), "flow"),
    ]
    for number in range(4):
        x = 350 + 60 * number
        items += [cell(f"dense/layer{number}", x, 340, "block", f"L{number}", "round", 36)]
        items += [Line(f"k{number}", ((x + 36, 352), (x + 60, 352)), "flow")] if number < 3 else []
        for later in range(number + 2, 4):
            reach = 60 * (later - number)
            points = ((x + 18, 340.0), (x + 18 + reach / 2, 340 - 12 * (later - number)), (x + 18 + reach, 340.0))
            items.append(Line(f"arc{number}{later}", points, "arc", curved=True))
    for number, role in enumerate(families):
        y = 96 + 20.5 * number
        items += [
            Box(f"legend.{role}", 590, y, 20, 13, role, "round" if role == "block" else "rect"),
            Text(618, y + 10.5, role, 10, "note", "start"),
        ]
    return Scene("ResNet-200", "A residual network.", 740, 400, tuple(items), digest="0123abcd")


def nested(depth: int) -> Scene:
    """Groups inside each other."""
    items: tuple[Item, ...] = (Box("core", 0, 0, 10, 10, "conv"),)
    for level in range(depth):
        items = (Group("/".join(["b"] * min(level, 3)), f"level {level}", items),)
    return Scene("nested", "", 20, 20, items)


USUAL = Options()


def every(scene: Scene, options: Options = USUAL) -> dict[str, bytes]:
    return {suffix: paint(scene, options) for suffix, paint in PAINTERS.items()}


# Fonts and widths


@pytest.mark.parametrize("bold", [False, True])
def test_widths_are_those_of_the_bundled_fonts(bold: bool) -> None:
    font = TTFont(FONTS / f"DejaVuSans{'-Bold' if bold else ''}.ttf")
    characters = font.getBestCmap()
    assert font["head"].unitsPerEm == advances.UNITS
    assert len(characters) > 600
    assert not {"GPOS", "GSUB", "kern"} & set(font.keys())  # nothing moves a character but its width
    for code, name in characters.items():
        assert width(chr(code), advances.UNITS, bold) == font["hmtx"][name][0]


def test_both_fonts_have_the_same_characters_and_what_figures_need() -> None:
    regular, bold = (set(TTFont(FONTS / f"DejaVuSans{end}.ttf").getBestCmap()) for end in ("", "-Bold"))
    assert regular == bold
    assert (
        set(
            map(
                ord,
                "aZ09 \u00d7\u2295\u2297\u2026\u2013\u2192\u2190\u2193\u03b1\u03a9\u00df\u0141\u2264\ufffd\u2502\u2514",
            )
        )
        <= regular
    )


def test_width_adds_up_and_grows_with_size() -> None:
    assert width("", 10) == 0
    assert width("conv", 10) == pytest.approx(sum(width(c, 10) for c in "conv"))
    assert width("conv", 20) == pytest.approx(2 * width("conv", 10))
    assert width("conv", 10, bold=True) > width("conv", 10)
    assert width("\u6df1", 10) == width("\ufffd", 10) > 10  # an ideograph of another font fits


@pytest.mark.parametrize("room", [0, 5, 11, 40, 90, 200, 2000])
@pytest.mark.parametrize("text", ["stage3/unit17/conv2", "", "WWWWWWWW", "\u6df1\u5c42\u7f51\u7edc\u6a21\u578b"])
def test_fit_fits_and_keeps_both_ends(text: str, room: float) -> None:
    short = fit(text, SIZE, room)
    assert width(short, SIZE) <= room
    if width(text, SIZE) <= room:
        assert short == text
    elif short:
        head, tail = short.split(metrics.ELLIPSIS)
        assert text.startswith(head)
        assert text.endswith(tail)
        assert len(head) - len(tail) in (0, 1)
        longer = text[: (len(short) + 1) // 2] + metrics.ELLIPSIS + text[len(text) - len(short) // 2 :]
        assert width(longer, SIZE) > room  # as much as fits
    else:
        assert room < width(metrics.ELLIPSIS, SIZE)


# Every format


def test_same_scene_same_bytes_whatever_the_hash_seed() -> None:
    code = (
        "import hashlib, sys; sys.path.insert(0, sys.argv[1]); from test_painters import every, sample;"
        "print({suffix: hashlib.sha256(data).hexdigest() for suffix, data in every(sample()).items()})"
    )
    here = {suffix: hashlib.sha256(data).hexdigest() for suffix, data in every(sample()).items()}
    for seed in ("0", "4711"):
        run = [sys.executable, "-c", code, str(Path(__file__).parent)]
        output = subprocess.run(run, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True)
        assert output.stdout.decode().strip() == str(here)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_in_every_format(name: str) -> None:
    box = Group(name, name, (Box(name, 10, 10, 80, 20, name), Text(50, 24, name, SIZE, name, bold=True)), path=name)
    line = Line(name, ((50, 30), (50, 60)), name)
    scene = Scene(name, name, 200, 100, (box, box, line, Text(50, 80, name, SIZE, "label")), digest=name)
    for theme in ("auto", "dark"):
        painted = every(scene, Options(theme=theme))
        root = ElementTree.fromstring(painted[".svg"])
        kinds = {element.tag.removeprefix(SVG) for element in root.iter()}
        assert kinds <= {"svg", "title", "desc", "metadata", "style", "rect", "g", "path", "polygon", "text"}
        ids = [element.get("id") for element in root.iter() if element.get("id") is not None]
        assert len(ids) == len(set(ids)) == 7
        assert all(re.fullmatch("[A-Za-z_][A-Za-z0-9._-]*", id or "") for id in ids)
        assert [element.text or "" for element in root.iter(f"{SVG}text")] == [metrics.shown(name)] * 3
        assert Image.open(BytesIO(painted[".png"])).size == (400, 200)
        page = PdfReader(BytesIO(painted[".pdf"])).pages[0]
        assert drawable(name).split() == page.extract_text().split()[: len(drawable(name).split())]
        check_tex(painted[".tex"].decode())


def test_groups_may_nest_deeper_than_python_calls() -> None:
    scene = nested(2000)
    assert len(ElementTree.fromstring(svg(scene).split("<g", 1)[0] + "</svg>")) == 4
    assert svg(scene).count("<g ") == svg(scene).count("</g>") == 2000
    assert tikz(scene).count(r"\end{scope}") == 2000
    assert pdf(nested(100)).startswith(b"%PDF")


@pytest.mark.parametrize("suffix", [".svg", ".tex"])
def test_changing_one_text_changes_few_lines(suffix: str) -> None:
    before, after = (
        PAINTERS[suffix](scene, Options()).decode().splitlines() for scene in (sample(), sample(label="conv 3x3, 65"))
    )
    changed = [line for line in unified_diff(before, after, n=0) if re.match(r"[-+][^-+]", line)]
    assert 2 <= len(changed) < 20


def test_nothing_of_the_machine_is_needed(tmp_path: Path) -> None:
    """No home, no fonts of the system, no other programs."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from test_painters import every, sample;"
        "import pathlib; [pathlib.Path('figure' + s).write_bytes(b) for s, b in every(sample()).items()]"
    )
    (tmp_path / "fonts.conf").write_text("<fontconfig/>")
    bare = {"PATH": "", "HOME": str(tmp_path), "FONTCONFIG_FILE": str(tmp_path / "fonts.conf")}
    run = [sys.executable, "-c", code, str(Path(__file__).parent)]
    subprocess.run(run, env=bare, cwd=tmp_path, check=True)
    for suffix, data in every(sample()).items():
        assert (tmp_path / f"figure{suffix}").read_bytes() == data


def test_write_goes_by_the_suffix(tmp_path: Path) -> None:
    write(sample(), tmp_path / "figure.SVG", Options("light"))
    assert (tmp_path / "figure.SVG").read_text() == svg(sample(), "light")
    with pytest.raises(KeyError):
        write(sample(), tmp_path / "figure.gif")
    with pytest.raises(FileProblem):
        write(sample(), tmp_path / "none" / "figure.svg")
    assert [path.name for path in tmp_path.iterdir()] == ["figure.SVG"]


# SVG


def test_svg_has_every_element_of_the_scene_on_a_line_of_its_own() -> None:
    scene = sample()
    lines = svg(scene).splitlines()
    root = ElementTree.fromstring(svg(scene))
    body = lines[lines.index("</style>") + 1 :]
    assert all(line.count("<") - line.count("</") == 1 or line == "</g>" or line == "</svg>" for line in body)
    texts = [item.text for item in scene.walk() if isinstance(item, Text)]
    assert [element.text for element in root.iter(f"{SVG}text")] == texts
    labels = [group.label for group in scene.groups()]
    assert [element.get("aria-label") for element in root.iter(f"{SVG}g")] == labels
    assert [element[0].text for element in root.iter(f"{SVG}g")] == labels
    boxes = [item for item in scene.walk() if isinstance(item, Box)]
    assert len([*root.iter(f"{SVG}rect"), *root.iter(f"{SVG}circle")]) == len(boxes) + 1
    assert root.get("role") == "img"
    assert [root.findtext(f"{SVG}{tag}") for tag in ("title", "desc", "metadata")] == [
        scene.title,
        scene.description,
        "resspec graph 0123abcd",
    ]
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("740", "400", "0 0 740 400")


def test_svg_asks_for_nothing_from_elsewhere() -> None:
    text = svg(sample()).replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?:|url\(|@import|@font-face|<script|href|var\(", text)


def test_svg_is_dark_by_media_query_where_it_is_dark_by_theme() -> None:
    """The colours of the rules are those that the dark figure has as attributes."""
    light, dark = ElementTree.fromstring(svg(sample())), ElementTree.fromstring(svg(sample(), "dark"))
    assert dark.find(f"{SVG}style") is None
    rules = dict(re.findall(r"\.([\w-]+)\{(.*)\}", light.findtext(f"{SVG}style") or ""))
    seen = set()
    painted = [[e for e in root.iter() if e.get("class")] for root in (light, dark)]
    for one, other in zip(*painted, strict=True):
        assert one.get("class") == other.get("class")
        for name, colour in (rule.split(":") for rule in rules[one.get("class", "")].split(";")):
            assert other.get(name) == colour
            seen.add(one.get("class"))
    assert seen == set(rules)


# PNG


def test_png_has_all_that_the_svg_has() -> None:
    for theme in ("light", "dark"):
        image = Image.open(BytesIO(png(sample(), theme))).convert("RGBA")
        assert image.size == (1480, 800)
        assert image.getextrema()[3] == (255, 255)  # opaque
        look = THEMES[theme]
        colours = {colour for _, colour in image.getcolors(1 << 24) or []}
        for wanted in [look.page, *(paint.fill for paint in look.boxes.values()), *look.texts.values()]:
            assert (*bytes.fromhex(wanted[1:]), 255) in colours, wanted


def test_png_draws_text_with_the_bundled_fonts() -> None:
    """The ink of a text is as wide as the text was measured."""
    for bold in (False, True):
        words = "HOURGLASS \u2295 Gr\u00f6\u00dfe H"
        scene = Scene("t", "", 400, 40, (Text(20, 28, words, 16, "label", "start", bold),))
        ink = Image.open(BytesIO(png(scene, scale=4))).convert("L").point(lambda value: 255 * (value < 128)).getbbox()
        assert ink is not None
        assert (ink[2] - ink[0]) / 4 == pytest.approx(width(words, 16, bold), abs=4)
        assert ink[0] / 4 == pytest.approx(20, abs=3)


def test_png_scale_and_its_limit() -> None:
    assert struct.unpack(">II", png(sample(), scale=1)[16:24]) == (740, 400)
    with pytest.raises(DoesNotFit, match=r"scale 18\.38 works"):
        png(sample(), scale=40)
    with pytest.raises(DoesNotFit):
        png(sample(), scale=0)
    assert png(Scene("t", "", 10, 10, ()), scale=18.38)


# PDF


def test_pdf_text_is_selectable_and_fonts_are_embedded() -> None:
    reader = PdfReader(BytesIO(pdf(sample())))
    (page,) = reader.pages
    texts = [item.text for item in sample().walk() if isinstance(item, Text)]
    assert page.extract_text().strip().split("\n") == texts
    fonts = page["/Resources"]["/Font"].get_object()  # type: ignore[index]
    assert isinstance(fonts, DictionaryObject)
    named = {font.get_object()["/BaseFont"]: font.get_object() for font in fonts.values()}
    assert {name.split("+")[1] for name in named} == {"DejaVuSans", "DejaVuSans-Bold"}
    assert all("/FontFile2" in font["/FontDescriptor"] for font in named.values())


def test_pdf_says_what_it_is_and_not_when_it_was_made() -> None:
    data = pdf(sample())
    assert dict(PdfReader(BytesIO(data)).metadata or {}) == {
        "/Title": "ResNet-200",
        "/Subject": "A residual network.",
        "/Creator": "resspec",
        "/Keywords": "resspec graph 0123abcd",
    }
    assert not re.search(rb"/CreationDate|/ModDate|D:2", data)


def test_pdf_outline_is_the_tree_of_groups() -> None:
    reader = PdfReader(BytesIO(pdf(sample())))

    def tree(entries: list[object]) -> list[object]:
        return [tree(entry) if isinstance(entry, list) else entry["/Title"] for entry in entries]  # type: ignore[index]

    def groups(items: tuple[Item, ...]) -> list[object]:
        found: list[object] = []
        for item in items:
            if isinstance(item, Group):
                found.append(item.label)
                found += [inner] if (inner := groups(item.items)) else []
        return found

    assert tree(list(reader.outline)) == groups(sample().items)


def test_pdf_page_is_as_wide_as_the_column_and_text_never_too_small() -> None:
    scene = Scene("t", "", 320, 200, (Text(160, 100, "small", 9, "shape"), Box("b", 10, 10, 300, 50, "conv")))
    for millimetres, wide in ((85.0, 85.0), (174.0, 174.0), (None, 320 * 0.75 / 72 * 25.4)):
        box = PdfReader(BytesIO(pdf(scene, width_mm=millimetres))).pages[0].mediabox
        assert float(box.width) / 72 * 25.4 == pytest.approx(wide, abs=0.01)
    wide_scene = replace(scene, width=700.0)
    with pytest.raises(DoesNotFit, match=r"a width of 85 mm makes .* 165 mm is the smallest width that works"):
        pdf(wide_scene, width_mm=85)
    assert pdf(wide_scene, width_mm=165)
    with pytest.raises(DoesNotFit):
        pdf(wide_scene, width_mm=164)
    with pytest.raises(DoesNotFit, match="larger than a PDF can be"):
        pdf(replace(scene, height=20000.0))


def test_pdf_has_boxes_where_the_scene_has_them() -> None:
    scene = Scene("t", "", 100, 50, (Box("a", 10, 5, 40, 20, "conv"),))
    content = PdfReader(BytesIO(pdf(scene))).pages[0].get_contents()
    assert content is not None
    text = content.get_data().decode()
    assert ".75 0 0 .75 0 37.5 cm" in text  # the origin is the upper left corner, a px 0.75 pt
    assert "\n13 -5 l\n" in text  # the upper edge, as far as the rounded corner; y goes upwards
    assert "\n10 -22 l\n" in text  # the left edge


# TikZ


def check_tex(text: str) -> None:
    """Braces pair, groups close, every element is one line and ends as TikZ wants it, nothing is a foreign command."""
    plain = re.sub(r"\\[{}%]", "", text)
    code = [line.split("%")[0] for line in plain.splitlines()]
    assert all(line.count("{") == line.count("}") for line in code)
    assert plain.count("\\begin{scope}") == plain.count("\\end{scope}")
    body = text[text.index("\\begin{tikzpicture}") : text.index("\\end{tikzpicture}")].splitlines()[1:]
    assert all(re.match(r"\\path\[.*;$|\\node\[.*\};$|\\(begin|end)\{scope\}( %|$)", line) for line in body)
    known = set(re.findall(r"\\definecolor\{(\w+)\}", text))
    assert set(re.findall(r"(?:fill|draw|text)=(\w+)", "\n".join(body))) <= known


def test_tikz_is_well_formed() -> None:
    text = tikz(sample())
    check_tex(text)
    assert text.count("\\node") == sum(isinstance(item, Text) for item in sample().walk())
    assert r"{56 $\times$ 56 $\times$ 64};" in text


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("a_b", r"a\_b"),
        ("\\input{x}", r"\textbackslash{}input\{x\}"),
        ("100% & $x^2$ #1", r"100\% \& \$x\textasciicircum{}2\$ \#1"),
        ("a-b", "a-b"),
        ("a--b", "a-{}-{}b"),
        ("\u2295 \u00d7 \u03b1", r"$\oplus$ $\times$ $\alpha$"),
        ("Gr\u00f6\u00dfe", "Gr\u00f6\u00dfe"),
        ("\u6df1\n", r"\rule{0.5em}{0.6em} "),
    ],
)
def test_text_is_no_command_in_latex(text: str, latex: str) -> None:
    assert escaped(text) == latex


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="NOT COMPILED: there is no pdflatex here")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_tikz_compiles(tmp_path: Path, theme: str) -> None:
    names = tuple(Text(10, 20.0 * number, name, SIZE, "label", "start") for number, name in enumerate(HOSTILE))
    signs = Text(10, 390, "".join(map(chr, range(32, 0x2300))), 0.5, "label", "start")
    scene = replace(sample(), items=(*sample().items, *names, signs))
    (tmp_path / "figure.tex").write_text(tikz(scene, theme))
    run = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "figure.tex"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    box = PdfReader(tmp_path / "figure.pdf").pages[0].mediabox
    assert float(box.height) == pytest.approx(400 * 0.75 * 72 / 72.27, abs=0.5)


# Shapes


def test_arrowheads_end_where_the_line_ends() -> None:
    for item in sample().walk():
        if isinstance(item, Line) and (path := shapes.path(item)):
            assert path.start == item.points[0]
            assert (path.head[0] if item.arrow else path.pieces[-1][-1]) == item.points[-1]


def test_a_line_without_length_is_not_drawn() -> None:
    for points in ((), ((5.0, 5.0),), ((5.0, 5.0), (5.0, 5.0))):
        scene = Scene("t", "", 10, 10, (Line("l", points, "flow"),))
        assert "polygon" not in svg(scene) + tikz(scene)
        assert pdf(scene)


def test_straight_lines_keep_straight_and_curves_pass_their_points() -> None:
    path = shapes.path(Line("l", ((0, 0), (50, 0)), "flow", arrow=False))
    assert path == shapes.Path((0, 0), (((50, 0),),))
    arc = shapes.path(Line("l", ((0.0, 0.0), (30.0, -30.0), (60.0, 0.0)), "arc", arrow=False, curved=True))
    assert arc is not None
    assert [piece[-1] for piece in arc.pieces] == [(30, -30), (60, 0)]
    for start, (one, two, end) in zip(((0.0, 0.0), (30.0, -30.0)), arc.pieces):  # half a circle around (30, 0)
        middle = [(a + 3 * b + 3 * c + d) / 8 for a, b, c, d in zip(start, one, two, end)]
        assert (middle[0] - 30) ** 2 + middle[1] ** 2 == pytest.approx(900, rel=0.01)


# Colours


def linear(colour: str) -> list[float]:
    """Linear light of `#rrggbb`, 0 to 1 (IEC 61966-2-1)."""
    parts = [value / 255 for value in bytes.fromhex(colour[1:])]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def contrast(one: str, other: str) -> float:
    """WCAG 2.1: (lighter + 0.05) / (darker + 0.05)."""
    dark, light = sorted(sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(x))) for x in (one, other))
    return (light + 0.05) / (dark + 0.05)


SIGHT = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.1523, 1.0526, -0.2049), (0.1145, 0.7863, 0.0992), (-0.0039, -0.0481, 1.0520)),
    "deuteranopia": ((0.3673, 0.8606, -0.2280), (0.2801, 0.6725, 0.0474), (-0.0118, 0.0429, 0.9689)),
    "tritanopia": ((1.2555, -0.0767, -0.1788), (-0.0784, 0.9308, 0.1476), (0.0047, 0.6914, 0.3039)),
}
"""Machado, Oliveira and Fernandes (2009), severity 1"""


def lab(colour: str, sight: str) -> tuple[float, float, float]:
    """CIELAB of a colour as somebody sees it."""
    seen = [min(1.0, max(0.0, sum(m * c for m, c in zip(row, linear(colour))))) for row in SIGHT[sight]]
    rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    x, y, z = (sum(m * c for m, c in zip(row, seen)) / white for row, white in zip(rows, (0.9505, 1.0, 1.089)))
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return (116 * y - 16, 500 * (x - y), 200 * (y - z))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_on_every_fill(theme: str) -> None:
    look = THEMES[theme]
    fills = {paint.fill for role, paint in look.boxes.items() if role != "badge"}
    fills |= {look.page, *(paint.fill for paint in look.frames)}
    for role, colour in look.texts.items():
        for fill in {look.boxes["badge"].fill} if role == "badge" else fills:
            assert contrast(colour, fill) >= 4.5, (role, fill)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_outlines_and_lines_can_be_seen(theme: str) -> None:
    """WCAG 2.1, 1.4.11: at least 3 : 1 for what is not text. Frames only repeat what headings say."""
    look = THEMES[theme]
    behind = (look.page, *(paint.fill for paint in look.frames))
    for colour in [paint.stroke for paint in look.boxes.values()] + [stroke.colour for stroke in look.lines.values()]:
        assert min(contrast(colour, fill) for fill in behind) >= 2.9, colour


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_families_differ_for_every_eye(theme: str, sight: str) -> None:
    """By fill or outline, at least 6 units of CIELAB; 2.3 are just noticed. What looks alike by intent is told
    apart by its mark and its words."""
    boxes = {r: p for r, p in THEMES[theme].boxes.items() if r not in ("badge", "input", "output", "merge")}
    for (one, a), (other, b) in combinations(boxes.items(), 2):
        pairs = ((lab(a.fill, sight), lab(b.fill, sight)), (lab(a.stroke, sight), lab(b.stroke, sight)))
        distance = max(sum((p - q) ** 2 for p, q in zip(*pair)) ** 0.5 for pair in pairs)
        assert distance >= 6, (one, other)


def test_themes_know_the_same_roles() -> None:
    light, dark = THEMES["light"], THEMES["dark"]
    for part in ("boxes", "lines", "texts"):
        assert getattr(light, part).keys() == getattr(dark, part).keys()
