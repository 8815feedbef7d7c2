"""The page: the paper's tables and figures from a run of our own, in Markdown with SVG files beside it.

Draw a page again from the paper.json beside it: python -m tflm_hil.report.paper.page docs
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tflm_hil.files import write_text
from tflm_hil.report.markdown_templates import markdown_environment
from tflm_hil.report.markup import code
from tflm_hil.report.paper import file_sizes, published
from tflm_hil.report.paper.figures import FILE, Paper, Variant, encode, load
from tflm_hil.report.paper.pictures import pictures
from tflm_hil.report.text import cell

PAGE = "paper.md"
CAPTIONS = {
    1: "acceleration in one gesture",
    2: "rotation in the same gesture",
    4: "loss over the epochs",
    5: "accuracy over the epochs",
    6: "size before and after quantization",
    7: "mean cross-entropy before and after quantization",
}
_NAMES = (
    "`.h5` with the state of rmsprop",
    "`.h5`",
    "`.keras` with the state of rmsprop",
    "`.keras`",
    "`.tflite` float32",
    "`.tflite` float16",
    "`.tflite` dynamic range",
    "`.tflite` int8",
)

_environment = markdown_environment("tflm_hil.report.paper")
_environment.filters.update(code_cell=lambda text: cell(code(text)))


def files(paper: Paper) -> dict[str, str]:
    """Return the page, its pictures and paper.json by their paths. They depend on nothing but `paper`.

    Raises:
        HilError: `paper` lacks one of the variants that the paper's are compared with.
    """
    drawn = pictures(paper)
    numbers = {int(found[1]): path for path in drawn if (found := re.search(r"(\d+)\.svg$", path))}
    text = _environment.get_template("paper.md.j2").render(
        paper=paper,
        dynamic=paper.variant("dynamic"),
        int8=paper.variant("int8"),
        published=published,
        sizes=file_sizes,
        names=_NAMES,
        captions=CAPTIONS,
        pictures=numbers,
        moved=lambda variant: _moved(paper, variant),
        least=lambda kind: min(_measured(kind)),
        most=lambda kind: max(_measured(kind)),
    )
    return {PAGE: text, **drawn, FILE: encode(paper)}


def write(paper: Paper, folder: Path) -> Path:
    """Write all files of the page into `folder`; return where the page is. Raises HilError if that is impossible."""
    for name, text in files(paper).items():
        write_text(folder / name, text)
    return folder / PAGE


def _moved(paper: Paper, variant: Variant) -> str:
    """How the cross-entropy of `variant` differs from that of the network before."""
    before, after = paper.cross_entropy.validation, variant.cross_entropy
    if before == after:
        return "stays the same"
    return f"{'falls' if after < before else 'rises'} by {abs(after - before):.2g}"


def _measured(kind: str) -> list[int]:
    at = file_sizes.KINDS.index(kind)
    return [size for sizes in file_sizes.BYTES.values() if (size := sizes[at]) is not None]


if __name__ == "__main__":
    print(write(load(Path(sys.argv[1]) / FILE), Path(sys.argv[1])))
