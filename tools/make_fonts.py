"""Write the fonts of figures and their widths: `python tools/make_fonts.py [folder of the DejaVu fonts]`.

Slim images have no fonts at all, so figures bring theirs: DejaVu Sans and its bold, cut down to
what specs are written in. Kerning and ligatures are dropped with the rest, so that the width of a
text is the sum of the widths of its characters, in every painter.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

SOURCE = Path("/usr/share/fonts/truetype/dejavu")
RENDER = Path(__file__).resolve().parent.parent / "resspec" / "render"

CHARACTERS = {
    "ASCII, Latin-1, Latin Extended-A": [(0x20, 0x7E), (0xA0, 0x17F)],
    "Greek": [(0x386, 0x3CE), (0x3D1, 0x3D1), (0x3D5, 0x3D6)],
    "dashes, quotes, ellipsis, primes": [(0x2010, 0x2027), (0x2030, 0x2030), (0x2032, 0x2033), (0x2039, 0x203A)],
    "raised and lowered digits": [(0x2070, 0x208E)],
    "arrows": [(0x2190, 0x2199), (0x21A6, 0x21A6), (0x21D0, 0x21D5)],
    "mathematical operators": [
        (0x2200, 0x2200), (0x2202, 0x220B), (0x220F, 0x221E), (0x2225, 0x222B), (0x223C, 0x223C), (0x2245, 0x2248),
        (0x2260, 0x2265), (0x226A, 0x226B), (0x2282, 0x2287), (0x2295, 0x22A1), (0x22C5, 0x22C5), (0x22EE, 0x22EF),
    ],
    "box drawing": [(0x2500, 0x257F)],
    "blocks and signs": [(0x2588, 0x2588), (0x25A0, 0x25A1), (0x25B2, 0x25BD), (0x25CB, 0x25CF), (0x2713, 0x2717)],
    "replacement character": [(0xFFFD, 0xFFFD)],
}  # fmt: skip

HEAD = '''\
"""Advance widths of the bundled fonts; made by `tools/make_fonts.py`, never written by hand.

Each line: a code point in hexadecimal, then the widths of it and its followers.
"""

from __future__ import annotations

UNITS = {units}
"""parts that an em has"""

'''


def cut(font: TTFont) -> None:
    """Leave only the characters above, without hinting, kerning and ligatures."""
    options = subset.Options(hinting=False, layout_features=[], legacy_kern=False, glyph_names=False)
    options.notdef_outline = True
    options.recalc_timestamp = False
    options.drop_tables += ["FFTM", "GDEF", "GPOS", "GSUB"]
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 14]
    cutter = subset.Subsetter(options)
    ranges = [pair for pairs in CHARACTERS.values() for pair in pairs]
    cutter.populate(unicodes=[code for first, last in ranges for code in range(first, last + 1)])
    cutter.subset(font)


def widths(font: TTFont) -> list[str]:
    """Lines of the table, at most 100 characters each."""
    advances = {code: font["hmtx"][name][0] for code, name in font.getBestCmap().items()}
    lines: list[str] = []
    for code in sorted(advances):
        if code - 1 not in advances or len(lines[-1]) > 95:
            lines.append(f"{code:x}")
        lines[-1] += f" {advances[code]}"
    return lines


def main() -> None:
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else SOURCE
    folder = RENDER / "fonts"
    folder.mkdir(exist_ok=True)
    tables = []
    for name, constant in (("DejaVuSans", "REGULAR"), ("DejaVuSans-Bold", "BOLD")):
        font = TTFont(source / f"{name}.ttf", recalcTimestamp=False)
        units = font["head"].unitsPerEm
        licence = str(font["name"].getDebugName(13))
        cut(font)
        font.save(folder / f"{name}.ttf")
        tables.append(f'{constant} = """\n' + "\n".join(widths(font)) + '\n"""\n')
        print(f"{name}.ttf: {(folder / f'{name}.ttf').stat().st_size} bytes")
    text = "\n".join(line.rstrip() for line in licence.replace("\r", "").splitlines())
    (folder / "LICENSE").write_text(text.rstrip() + "\n")
    (RENDER / "advances.py").write_text(HEAD.format(units=units) + "\n".join(tables))


if __name__ == "__main__":
    main()
