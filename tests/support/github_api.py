"""A server that answers as GitHub's API does, as far as the action asks it: comments, artifacts, and a redirection."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "secret"
REPOSITORY = "org/repo"


@dataclass
class GitHub:
    """What the server has, and what it was asked.

    `refuses` is the status of every answer if it is not 0, `login` the user of the token, "" for that of a bot.
    """

    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    archives: dict[str, bytes] = field(default_factory=dict)
    login: str = ""
    refuses: int = 0
    asked: list[str] = field(default_factory=list)
    leaked: bool = False

    def environment(self) -> dict[str, str]:
        """What a job of GitHub Actions finds in its environment."""
        return {"GITHUB_API_URL": self.url, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_TOKEN": TOKEN}

    def add_comment(self, body: str, login: str = "github-actions[bot]", kind: str = "Bot") -> None:
        """Add a comment to pull request 7."""
        url = f"{self.url}/repos/{REPOSITORY}/issues/comments/{len(self.comments)}"
        self.comments.append({"url": url, "body": body, "user": {"login": login, "type": kind}})

    def add_artifact(self, name: str, branch: str, archive: bytes, **changed: Any) -> None:
        """Add an artifact of a run on `branch`; the newest comes first."""
        key = str(len(self.archives))
        self.archives[key] = archive
        run = {"head_branch": branch, "repository_id": 1, "head_repository_id": 1, "head_sha": "b" * 40}
        url = f"{self.url}/repos/{REPOSITORY}/actions/artifacts/{key}/zip"
        given = {"name": name, "expired": False, "workflow_run": run, "archive_download_url": url}
        self.artifacts.insert(0, given | changed)


@contextmanager
def serving() -> Iterator[GitHub]:
    """The server, as long as the context lasts."""
    github = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def do_PATCH(self) -> None:
            self._answer("PATCH")

        def _answer(self, method: str) -> None:
            split = urlsplit(self.path)
            github.asked.append(f"{method} {split.path}")
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            if split.path.startswith("/storage/"):  # Somewhere else: whoever stores archives must not get the token.
                github.leaked |= "Authorization" in self.headers
                self._send(200, github.archives[split.path.rpartition("/")[2]])
            elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self._send(401, {"message": "Bad credentials"})
            elif github.refuses:
                self._send(github.refuses, {"message": "Resource not accessible by integration"})
            elif split.path == "/user":
                self._send(200 if github.login else 403, {"login": github.login})
            elif split.path.endswith("/zip"):
                self.send_response(302)
                self.send_header("Location", f"{github.url}/storage/{split.path.split('/')[-2]}")
                self.end_headers()
            else:
                self._send(*_resource(github, method, split.path, parse_qs(split.query), body))

        def _send(self, status: int, content: object) -> None:
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    github.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _resource(github: GitHub, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, object]:
    page = slice((int(query.get("page", ["1"])[0]) - 1) * (size := int(query.get("per_page", ["30"])[0])), None)
    comments, artifacts = f"/repos/{REPOSITORY}/issues/7/comments", f"/repos/{REPOSITORY}/actions/artifacts"
    if (method, path) == ("GET", comments):
        return 200, github.comments[page][:size]
    if (method, path) == ("POST", comments):
        github.add_comment(body["body"])
        return 201, {}
    if method == "PATCH" and path.startswith(f"/repos/{REPOSITORY}/issues/comments/"):
        github.comments[int(path.rpartition("/")[2])]["body"] = body["body"]
        return 200, {}
    if (method, path) == ("GET", artifacts):
        named = [each for each in github.artifacts if each["name"] in query["name"]]
        return 200, {"artifacts": named[page][:size]}
    return 404, {"message": "Not Found"}
