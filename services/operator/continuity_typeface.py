"""The letters of a continuity pack: which there are, how wide each is, and what is said for those there are not."""

import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib
from fontTools import subset

_FACES = {"": "DejaVuSans.ttf", "B": "DejaVuSans-Bold.ttf"}
_SCRIPTS = ((0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x3FF), (0x400, 0x4FF), (0x1E00, 0x1EFF), (0x2010, 0x2027), (0x20AC,))
"""Latin with every accent in Europe and Vietnam, Greek, Cyrillic, and punctuation. What is written from right to left,
or whose letters change by their neighbours, would come out wrong, and is left to the web page."""
_ELSEWHERE = "(see the web page: letters not in this print)"
_POINT = 25.4 / 72
"""Millimetres."""


@dataclass(frozen=True, slots=True)
class Typeface:
    """The two faces, cut down to the scripts that are printed: whole ones would be read again for each sheet.

    `advances` are how far each letter reaches, in parts of the size of the letters.
    """

    files: Mapping[str, Path]
    advances: Mapping[str, Mapping[int, float]]

    def width(self, text: str, size: float, style: str) -> float:
        """Of a line in letters of so many points, in millimetres."""
        advances = self.advances[style]
        return sum(advances[ord(letter)] for letter in text) * size * _POINT

    def printable(self, text: str) -> str:
        """The text as it can be printed; where it cannot, words that say so, and never a part of it."""
        composed = unicodedata.normalize("NFC", text)
        missing = any(ord(letter) not in advances for advances in self.advances.values() for letter in composed)
        return _ELSEWHERE if missing else composed


@contextmanager
def typeface() -> Iterator[Typeface]:
    """DejaVu Sans, which matplotlib brings along; gone with the block."""
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    with TemporaryDirectory(prefix="daybook-") as directory:
        files = {style: Path(directory) / name for style, name in _FACES.items()}
        yield Typeface(files, {style: _cut_down(fonts / _FACES[style], path) for style, path in files.items()})


def _cut_down(font: Path, to: Path) -> dict[int, float]:
    """Writes the smaller font, and tells its advances."""
    options = subset.Options(drop_tables=["FFTM", "GSUB", "GPOS", "GDEF", "kern"], hinting=False, glyph_names=True)
    with subset.load_font(str(font), options) as face:
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=[code for script in _SCRIPTS for code in range(script[0], script[-1] + 1)])
        cutter.subset(face)
        subset.save_font(face, str(to), options)
        per_em, glyphs = face["head"].unitsPerEm, face["hmtx"]
        return {code: glyphs[name][0] / per_em for code, name in face.getBestCmap().items()}
