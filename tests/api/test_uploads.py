"""What arrives as a file: hostile names, sizes and bodies never reach beyond their folder, nor the server's memory."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path

import httpx
import pytest
from tests.api.conftest import ACME
from tests.api.servers import DOCUMENTS, QUESTION, Server, asked, form_files, rested, started

from deepresearch.api.problems import Problem
from deepresearch.api.uploads import checked_file_name

HOSTILE = [
    "../evil.md",
    "../../../../tmp/evil.md",
    "/etc/evil.md",
    "a/../../evil.md",
    "..\\..\\evil.md",
    "C:evil.md",
    "C:\\evil.md",
    ".hidden.md",
    "a/.ssh/evil.md",
    "a//b.md",
    "./a.md",
    "a/",
    "a\x00.md",
    "a\n.md",
    "a\x1b[2J.md",
    "a\u2028.md",
    "x" * 300 + ".md",
    "/".join(["d"] * 30) + "/x.md",
    "y/" * 500 + "x.md",
    "Thumbs.db",
    "~$doc.docx",
    "trailing.",
    "trailing ",
    " leading",
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(Problem) as refused:
        checked_file_name(name)
    assert refused.value.status_code == 422


@pytest.mark.parametrize(
    "name", ["a.md", "a/b/c.md", "Bericht über Öl.pdf", "报告.txt", "a b.md", "100%.csv", "x" * 190 + ".md"]
)
def test_plain_names_are_taken(name: str) -> None:
    assert checked_file_name(name) == name


def _raw_form(names: list[bytes], field: bytes = b"files") -> bytes:
    """A form whose file names are these bytes, as no library would write them."""
    parts = [
        b'--cut\r\nContent-Disposition: form-data; name="'
        + field
        + b'"; filename="'
        + name
        + b'"\r\n\r\n# T\n\nText.\n\r\n'
        for name in names
    ]
    asked_part = b'--cut\r\nContent-Disposition: form-data; name="question"\r\n\r\nWhat text is it?\r\n'
    return asked_part + b"".join(parts) + b"--cut--\r\n"


@pytest.mark.parametrize(
    "name",
    [
        b"../evil.md",
        b"..\\\\evil.md",
        b"a\x00.md",
        b"/tmp/evil.md",
        b"%2e%2e/../evil.md",
        b"",
        b"x" * 5000,
        b"\xff\xfe.md",
    ],
)
def test_hostile_names_over_the_wire(acme: httpx.Client, shared: Server, name: bytes) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=cut"}
    for path in ("/v1/sessions", "/v1/collections/hostile/documents"):
        answer = acme.post(path, content=_raw_form([name]), headers=headers)
        if name == b"\xff\xfe.md":
            assert answer.status_code < 500, answer.text
            continue
        assert answer.status_code in (400, 422), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    assert not Path("/tmp/evil.md").exists()


def test_one_name_twice_is_refused(acme: httpx.Client) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=cut"}
    for names in ([b"a.md", b"a.md"], [b"a.md", b"A.MD"], [b"a", b"a/b.md"]):
        assert acme.post("/v1/sessions", content=_raw_form(names), headers=headers).status_code == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"--cut--\r\n", 422),
        (b"--other\r\n\r\n--other--", 400),
        (b"--cut\r\nContent-Disposition: form-data\r\n\r\nx\r\n--cut--\r\n", 400),
        (b"--cut\r\nnothing", 400),
        (b"--cut\r\n" + b"A" * 100_000 + b": x\r\n\r\n\r\n--cut--", 400),
    ],
)
def test_broken_forms(acme: httpx.Client, body: bytes, status: int) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=cut"}
    answer = acme.post("/v1/sessions", content=body, headers=headers)
    assert answer.status_code in (status, 422), answer.text
    assert acme.post("/v1/sessions", content=body, headers={"Content-Type": "multipart/form-data"}).status_code == 400


def test_empty_uploads(acme: httpx.Client) -> None:
    assert acme.post("/v1/collections/empty/documents", data={"x": "y"}, files=[]).status_code == 415
    answer = acme.post("/v1/collections/empty/documents", files=[("other", ("a.md", b"# A"))])
    assert answer.status_code == 422
    answer = acme.post("/v1/collections/empty/documents", files=[("files", ("a.md", b""))])
    assert answer.status_code == 422
    assert "a.md" in answer.json()["detail"]
    assert "uploads" not in answer.text
    assert "empty" not in [one["name"] for one in acme.get("/v1/collections").json()["collections"]]


def test_too_many_and_too_large_files(acme: httpx.Client, shared: Server) -> None:
    many = [("files", (f"{number}.md", b"# A\n\nText.\n")) for number in range(21)]
    assert acme.post("/v1/collections/many/documents", files=many).status_code in (400, 413)
    large = [("files", ("large.md", b"a" * (3 * 1024 * 1024)))]
    answer = acme.post("/v1/collections/large/documents", files=large)
    assert answer.status_code == 413
    assert "large.md" in answer.json()["detail"]


def _memory(server: Server) -> int:
    """Resident bytes of the server's process."""
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _spoken(server: Server, request: bytes, then: list[bytes] | None = None) -> bytes:
    """The answer to a request written by hand; what is sent after its head stops when the server hangs up."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(request)
        try:
            for piece in then or []:
                connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass
        return answer


def test_a_body_of_a_gigabyte_is_refused_by_its_head(shared: Server) -> None:
    head = (
        f"POST /v1/sessions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {ACME}\r\n"
        "Content-Type: multipart/form-data; boundary=cut\r\nContent-Length: 1000000000\r\n\r\n"
    )
    answer = _spoken(shared, head.encode())
    assert answer.startswith(b"HTTP/1.1 413"), answer
    assert b"application/problem+json" in answer


def test_a_body_that_never_says_how_long_it_is_ends_at_the_limit(shared: Server) -> None:
    head = (
        f"POST /v1/sessions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {ACME}\r\n"
        "Content-Type: multipart/form-data; boundary=cut\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    before = _memory(shared)
    start = b'--cut\r\nContent-Disposition: form-data; name="files"; filename="a.md"\r\n\r\n'
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    pieces = [f"{len(start):x}\r\n".encode() + start + b"\r\n", *[chunk] * 1000]
    answer = _spoken(shared, head.encode(), pieces)
    # The server may have hung up before its answer could be read.
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413"), answer[:200]
    assert _memory(shared) - before < 100 * 1024 * 1024
    with shared.http(ACME) as http:
        assert http.get("/v1/sessions").status_code == 200


@pytest.mark.parametrize("length", ["-1", "1e9", "99999999999999999999", "abc"])
def test_lengths_that_are_none(shared: Server, length: str) -> None:
    head = (
        f"POST /v1/sessions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {ACME}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )
    assert _spoken(shared, head.encode())[9:12] in (b"400", b"413")


def test_a_body_that_drips_is_ended(shared: Server) -> None:
    """Without a single byte for a while the answer is 408; the server serves others meanwhile."""
    head = (
        f"POST /v1/sessions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {ACME}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    )
    with socket.create_connection(("127.0.0.1", shared.port), timeout=120) as connection:
        connection.sendall(head.encode())
        with shared.http(ACME) as http:
            assert http.get("/v1/sessions").status_code == 200
        assert connection.recv(65536).startswith(b"HTTP/1.1 408")


def test_documents_of_a_session_lie_in_its_own_folder_and_go_with_it(home: Path) -> None:
    with started(home) as server, server.http() as http:
        session_id = asked(http)
        rested(http, session_id)
        folder = home / "uploads" / "sessions" / session_id
        assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == sorted(
            DOCUMENTS
        )
        assert not any((home / "uploads" / "arriving").glob("*"))
        http.delete(f"/v1/sessions/{session_id}")
        assert not folder.exists()
        # What a server that died left, and what belongs to no session any more, goes at the next start.
        (home / "uploads" / "arriving" / "left").mkdir(parents=True)
        (home / "uploads" / "sessions" / "gone").mkdir(parents=True)
        server.kill()
        server.restart()
        for _ in range(100):
            if not (home / "uploads" / "sessions" / "gone").exists():
                break
            time.sleep(0.05)
        assert not (home / "uploads" / "sessions" / "gone").exists()
        assert not (home / "uploads" / "arriving" / "left").exists()


def test_only_allowed_folders_of_the_server_are_read(home: Path, tmp_path: Path) -> None:
    allowed, secret = tmp_path / "allowed", tmp_path / "secret"
    for folder in (allowed, secret):
        folder.mkdir()
        (folder / "harbour.md").write_text(DOCUMENTS["harbour.md"])
    (allowed / "link.md").symlink_to(secret / "harbour.md")
    (allowed / "out").symlink_to(secret)
    (allowed / ".env").write_text("TOKEN=1")
    (tmp_path / "allowed-too").mkdir()
    with started(home, api_source_roots=str(allowed)) as server, server.http() as http:

        def ask(*sources: str) -> httpx.Response:
            return http.post("/v1/sessions", json={"question": QUESTION, "sources": list(sources)})

        answer = ask(str(allowed))
        assert answer.status_code == 201
        assert rested(http, answer.json()["id"]) == "completed"
        found = http.get(f"/v1/sessions/{answer.json()['id']}/sources").json()["sources"]
        assert [Path(one["source"]).name for one in found] == ["harbour.md"], "links out of the folder are not followed"
        refusals = [
            ask(source)
            for source in (
                str(secret),
                str(allowed / "link.md"),
                str(allowed / "out"),
                str(allowed / ".env"),
                str(allowed / ".." / "secret"),
                str(tmp_path / "allowed-too"),
                str(allowed / "missing.md"),
                "/etc/passwd",
                "harbour.md",
                "",
                "~",
                "/proc/self/environ",
                str(allowed) + "\0",
            )
        ]
        assert {answer.status_code for answer in refusals} == {422}
        details = {json.loads(answer.text)["type"] for answer in refusals}
        assert details == {"urn:deepresearch:problem:source-not-allowed"}


def test_a_collection_by_upload(acme: httpx.Client) -> None:
    first = acme.post("/v1/collections/ships/documents", files=form_files(DOCUMENTS)).json()
    assert (first["added"], first["unchanged"], first["documents"]) == (2, 0, 2)
    again = acme.post("/v1/collections/ships/documents", files=form_files(DOCUMENTS)).json()
    assert (again["added"], again["unchanged"]) == (0, 2)
    changed: dict[str, str | bytes] = {
        "harbour.md": "# Harbour\n\nThe harbour of Lindvik was closed in 1999.\n",
        "bad.pdf": b"%PDF-1.7 no",
    }
    third = acme.post("/v1/collections/ships/documents", files=form_files(changed)).json()
    assert (third["changed"], third["documents"]) == (1, 2)
    assert [one["source"] for one in third["refused"]] == ["bad.pdf"]
    shown = acme.get("/v1/collections/ships").json()
    assert sorted(one["source"] for one in shown["sources"]) == sorted(DOCUMENTS)
    hits = acme.post("/v1/collections/ships/search", json={"text": "harbour closed"}).json()["hits"]
    assert "1999" in hits[0]["text"]
    assert hits[0]["source"] == "harbour.md"
    answer = acme.post(
        "/v1/sessions", json={"question": "When was the harbour of Lindvik closed?", "collection": "ships"}
    )
    assert answer.json()["options"]["collection"] == "ships"
    assert rested(acme, answer.json()["id"]) == "completed"
    assert "1999" in acme.get(f"/v1/sessions/{answer.json()['id']}/report").json()["answer"]
    assert acme.request("DELETE", "/v1/collections/ships/documents", json={"sources": ["nope.md"]}).status_code == 404
    gone = acme.request("DELETE", "/v1/collections/ships/documents", json={"sources": ["harbour.md"]})
    assert gone.json()["forgotten"] == 1
    assert acme.get("/v1/collections/ships").json()["documents"] == 1
    assert acme.delete("/v1/collections/ships").status_code == 200
    assert acme.get("/v1/collections/ships").status_code == 404


@pytest.mark.parametrize("name", ["..", ".x", "-x", "a b", "a%2Fb", "x" * 60, "tenant-globex.private", "%00"])
def test_names_that_no_collection_has(acme: httpx.Client, name: str) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/search?text=x")):
        answer = acme.request(method, f"{acme.base_url}/v1/collections/{name}{path}")
        assert answer.status_code in (404, 405, 422), answer.text
    answer = acme.post(f"{acme.base_url}/v1/collections/{name}/documents", files=form_files(DOCUMENTS))
    if name != "tenant-globex.private":
        assert answer.status_code in (404, 405, 422), answer.text
