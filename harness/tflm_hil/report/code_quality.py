"""GitLab's report of code quality: what merge requests show beside the lines of files.

The keys are those of docs.gitlab.com, "Code Quality report format".
"""

from __future__ import annotations

import hashlib

import msgspec

from tflm_hil.report.findings import Finding, findings, improvements
from tflm_hil.report.markup import visible
from tflm_hil.results.model import Results

NOWHERE = "hil.toml"
"""GitLab wants a file of everything: what no file is to blame for stands at the project's configuration."""


def render(results: Results) -> str:
    """The text of code-quality.json. A finding has the same fingerprint in every session."""
    issues = [_issue(finding, "critical") for finding in findings(results)]
    issues += [_issue(finding, "info") for finding in improvements(results)]
    return msgspec.json.format(msgspec.json.encode(_distinct(issues)), indent=2).decode() + "\n"


def _issue(finding: Finding, severity: str) -> dict[str, object]:
    return {
        "description": visible(finding.message),
        "check_name": finding.rule,
        "fingerprint": hashlib.sha256(f"{finding.rule}\0{finding.subject}".encode()).hexdigest(),
        "severity": severity,
        "location": {"path": finding.path or NOWHERE, "lines": {"begin": finding.line}},
    }


def _distinct(issues: list[dict[str, object]]) -> list[dict[str, object]]:
    """One issue for each fingerprint, because GitLab would show any of them."""
    return list({issue["fingerprint"]: issue for issue in reversed(issues)}.values())[::-1]
