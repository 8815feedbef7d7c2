"""What the action asks of GitHub's API: a comment on the pull request, and the artifact of another branch.

usage: github.py comment FILE
       github.py artifact NAME BRANCH FILE

`comment` puts the text of FILE into the comment that begins with its first line; if there is none, it is made.
`artifact` writes the results.json of the newest artifact NAME that a run on BRANCH of this repository uploaded to FILE.
If there is none, or GitHub refuses, that is a warning: the tests count.

It needs nothing but Python, because it also runs where the harness is not installed.
"""

from __future__ import annotations

import io
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = 100
MOST_PAGES = 30
MOST_BYTES = 200 * 1024 * 1024
TIMEOUT_S = 60
FILE = "results.json"


def request(method: str, url: str, body: object = None) -> bytes:
    """What the API answers. The token is not sent on to wherever it redirects."""
    asked = urllib.request.Request(
        url if "://" in url else f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/{url}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
    )
    asked.add_unredirected_header("Authorization", f"Bearer {os.environ['GITHUB_TOKEN']}")
    with urllib.request.urlopen(asked, timeout=TIMEOUT_S) as answer:
        content: bytes = answer.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES:,} bytes")
    return content


def pages(path: str, key: str = "") -> Iterator[dict[str, Any]]:
    """The items of all pages of a list; `key` is where an answer has them if it is no list itself."""
    for page in range(1, MOST_PAGES + 1):
        answer = json.loads(request("GET", f"{path}{'&' if '?' in path else '?'}per_page={PAGE}&page={page}"))
        items = answer[key] if key else answer
        yield from items
        if len(items) < PAGE:
            return


def comment(file: Path) -> None:
    """Create the comment, or update the one that is there."""
    text = file.read_text(encoding="utf-8")
    marker = text.partition("\n")[0]
    number = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_bytes())["pull_request"]["number"]
    author = login()
    # Anybody may write a comment with the marker, and change it afterwards.
    ours = (
        each["url"]
        for each in pages(f"issues/{number}/comments")
        if each["body"].startswith(marker) and (each["user"]["type"] == "Bot" or each["user"]["login"] == author)
    )
    if url := next(ours, None):
        request("PATCH", url, {"body": text})
        print("the comment is up to date")
    else:
        request("POST", f"issues/{number}/comments", {"body": text})
        print("commented")


def login() -> str:
    """Whose token it is; "" for that of a bot, which may not ask."""
    try:
        name: str = json.loads(request("GET", f"{os.environ['GITHUB_API_URL']}/user"))["login"]
        return name
    except urllib.error.HTTPError:
        return ""


def artifact(name: str, branch: str, file: Path) -> None:
    """Write the results of the newest artifact `name` of `branch`."""
    for each in pages(f"actions/artifacts?name={urllib.parse.quote(name)}", "artifacts"):
        run = each["workflow_run"] or {}
        # A fork may have a branch of the same name, whose figures are somebody's.
        own = run.get("head_repository_id") == run.get("repository_id")
        if own and run.get("head_branch") == branch and not each["expired"]:
            with zipfile.ZipFile(io.BytesIO(request("GET", each["archive_download_url"]))) as archive:
                if archive.getinfo(FILE).file_size > MOST_BYTES:
                    raise ValueError(f"{FILE} has more than {MOST_BYTES:,} bytes")
                content = archive.read(FILE)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            print(f"baseline: commit {run.get('head_sha')} of {branch}")
            return
    warn(f"no run on {branch} has uploaded an artifact {name} yet, so nothing is compared")


def warn(text: str) -> None:
    """Say it in one line that GitHub shows."""
    print(f"::warning title=tflm-hil::{' '.join(text.split()).replace('%', '%25')}")


def main(arguments: list[str]) -> int:
    """Do it. The exit status is 2 if the arguments are wrong, and otherwise 0."""
    what = arguments[0] if arguments else ""
    try:
        if what == "comment" and len(arguments) == 2:
            comment(Path(arguments[1]))
        elif what == "artifact" and len(arguments) == 4:
            artifact(arguments[1], arguments[2], Path(arguments[3]))
        else:
            print(__doc__, file=sys.stderr)
            return 2
    except urllib.error.HTTPError as error:
        hint = {
            "comment": "; a job needs permissions: pull-requests: write, which pull requests from forks never have",
            "artifact": "; a job needs permissions: actions: read",
        }
        warn(
            f"{what}: GitHub answered {error.code} {error.reason}{hint[what] if error.code in (401, 403, 404) else ''}"
        )
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        warn(f"{what}: {type(error).__name__}: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
