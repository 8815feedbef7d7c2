"""Line coverage of the firmware, in the two formats that tools for coverage read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from tflm_hil.files import write_text

COBERTURA, LCOV = "coverage.xml", "coverage.info"

FileLines = Mapping[Path, Mapping[int, bool]]
"""Of each source file the lines that have code, and whether they were reached."""


def write_coverage(lines: FileLines, root: Path, folder: Path) -> str:
    """Write coverage.xml (Cobertura) and coverage.info (lcov) into `folder`; return a line that sums them up.

    Files in `root` are named from there. Raises HilError if a file cannot be written.
    """
    named = {_name(file, root): dict(sorted(of_file.items())) for file, of_file in sorted(lines.items())}
    write_text(folder / COBERTURA, _cobertura(named, root))
    write_text(folder / LCOV, _lcov(named))
    reached, total = _counts(named)
    return (
        f"coverage: {reached:,} of {total:,} lines of the firmware reached ({_rate(reached, total):.1%}): "
        f"{COBERTURA} (Cobertura) and {LCOV} (lcov) in {folder}"
    )


def _name(file: Path, root: Path) -> str:
    return str(file.relative_to(root) if file.is_relative_to(root) else file)


def _counts(named: Mapping[str, Mapping[int, bool]]) -> tuple[int, int]:
    hits = [hit for lines in named.values() for hit in lines.values()]
    return sum(hits), len(hits)


def _rate(reached: int, total: int) -> float:
    return reached / total if total else 0.0


def _cobertura(named: Mapping[str, Mapping[int, bool]], root: Path) -> str:
    """Return what coverage-04.dtd describes, with one package for each folder."""
    folders: dict[str, dict[str, Mapping[int, bool]]] = {}
    for name, lines in named.items():
        folders.setdefault(str(Path(name).parent), {})[name] = lines
    top = ElementTree.Element("coverage", _attributes(named), version="1", timestamp="0", complexity="0")
    ElementTree.SubElement(ElementTree.SubElement(top, "sources"), "source").text = str(root)
    packages = ElementTree.SubElement(top, "packages")
    for folder, files in folders.items():
        rate = _attributes(files)
        package = ElementTree.SubElement(
            packages, "package", {"line-rate": rate["line-rate"], "branch-rate": "0"}, name=folder, complexity="0"
        )
        classes = ElementTree.SubElement(package, "classes")
        for name, lines in files.items():
            rate = _attributes({name: lines})
            of_file = ElementTree.SubElement(
                classes,
                "class",
                {"line-rate": rate["line-rate"], "branch-rate": "0"},
                name=Path(name).name,
                filename=name,
                complexity="0",
            )
            ElementTree.SubElement(of_file, "methods")
            listed = ElementTree.SubElement(of_file, "lines")
            for line, hit in lines.items():
                ElementTree.SubElement(listed, "line", number=str(line), hits=str(int(hit)), branch="false")
    ElementTree.indent(top)
    doctype = '<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">'
    return f'<?xml version="1.0" encoding="utf-8"?>\n{doctype}\n{ElementTree.tostring(top, encoding="unicode")}\n'


def _attributes(named: Mapping[str, Mapping[int, bool]]) -> dict[str, str]:
    reached, total = _counts(named)
    return {
        "line-rate": f"{_rate(reached, total):.4f}",
        "lines-covered": str(reached),
        "lines-valid": str(total),
        "branch-rate": "0",
        "branches-covered": "0",
        "branches-valid": "0",
    }


def _lcov(named: Mapping[str, Mapping[int, bool]]) -> str:
    """Return what geninfo(1) describes."""
    text = ["TN:"]
    for name, lines in named.items():
        text.append(f"SF:{name}")
        text += [f"DA:{line},{int(hit)}" for line, hit in lines.items()]
        text += [f"LF:{len(lines)}", f"LH:{sum(lines.values())}", "end_of_record"]
    return "\n".join(text) + "\n"
