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
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from resspec.render import metrics
from resspec.render.metrics import drawable, fit, width
from resspec.render.paint import shapes
from resspec.render.paint.painters import PAINTERS, Options
from resspec.render.paint.pdf import pdf
from resspec.render.paint.png import png
from resspec.render.paint.problems import DoesNotFit
from resspec.render.paint.svg import svg
from resspec.render.paint.tikz import escaped, tikz
from resspec.render.scene import Box, Edge, Group, Item, Line, Mark, Scene, Text, fixed
from resspec.render.theme import LIGHT, THEMES

SIZE = 11.0
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


def test_svg_has_everything_where_the_scene_has_it() -> None:
    root, scene = ElementTree.fromstring(svg(sample())), sample()
    corners = [[element.get(key) for key in ("x", "y", "width", "height")] for element in root.iter(f"{SVG}rect")][1:]
    boxes = [item for item in scene.walk() if isinstance(item, Box) and item.mark not in ("plus", "times")]
    assert corners == [[fixed(value) for value in (box.x, box.y, box.width, box.height)] for box in boxes]
    places = [
        (element.get("x"), element.get("y"), element.get("text-anchor", "start"), element.get("font-weight") == "bold")
        for element in root.iter(f"{SVG}text")
    ]
    texts = [item for item in scene.walk() if isinstance(item, Text)]
    assert places == [(fixed(text.x), fixed(text.y), text.anchor, text.bold) for text in texts]


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


def test_png_takes_no_font_of_the_machine() -> None:
    """What the bundled fonts lack is one and the same empty box, even where another font has it."""
    hebrew, arabic = (png(Scene("t", "", 40, 40, (Text(5, 30, c, 20, "label", "start"),))) for c in "\u05d0\u0639")
    assert hebrew == arabic != png(Scene("t", "", 40, 40, ()))


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


def test_pdf_outline_leads_to_the_boxes_of_a_group() -> None:
    boxes = (Box("a", 10, 5, 40, 20, "conv"), Box("b", 30, 60, 40, 20, "conv"))
    scene = Scene("t", "", 100, 100, (Group("g", "both", (boxes[0], Group("h", "one", boxes[1:]))),))
    outer, (inner,) = PdfReader(BytesIO(pdf(scene))).outline
    for entry, edges in ((outer, (10, 20, 70, 95)), (inner, (30, 20, 70, 40))):  # left, bottom, right, top in px
        found = [float(entry[key]) / 0.75 for key in ("/Left", "/Bottom", "/Right", "/Top")]
        assert found == pytest.approx(edges, abs=0.01)


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
    for item in sample().walk():
        if isinstance(item, Text):
            anchor = {"start": "base west", "middle": "base", "end": "base east"}[item.anchor]
            place = f"({fixed(item.x)},{fixed(item.y)})"
            assert re.search(rf"\\node\[anchor={anchor}, .*\] at {re.escape(place)} ", text), item


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


@pytest.mark.parametrize("mark", ["plus", "times"])
def test_signs_stay_well_inside_their_circles(mark: Mark) -> None:
    box = Box("s", 10, 20, 18, 18, "merge", mark)
    for stroke in shapes.strokes(box):
        for x, y in stroke:
            assert 0.5 <= ((x - 19) ** 2 + (y - 29) ** 2) ** 0.5 / 9 <= 0.7


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
