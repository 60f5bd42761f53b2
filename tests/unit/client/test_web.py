import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from salon_client.run.static import StaticSite
from salon_client.run.web import Answer, WebApp, security_headers

CONFIG = {
    "signaling": ["http://localhost:1"],
    "grpc": ["localhost:2"],
    "demo": {"token": "/demo/token", "app": "demo"},
}
SCRIPT = b"console.log(1);\n" * 200


@pytest.fixture
def site(tmp_path: Path) -> Path:
    root = tmp_path / "dist"
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_bytes(b"<!doctype html>app")
    (root / "assets" / "app-1a2b.js").write_bytes(SCRIPT)
    (root / "icon.svg").write_bytes(b"<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    (root / "leak.txt").symlink_to(tmp_path / "secret.txt")
    return root


@pytest.fixture
def web(site: Path) -> WebApp:
    return WebApp(StaticSite(site), lambda: CONFIG, lambda name: f"token of {name}")


def get(web: WebApp, path: str, query: str = "", **headers: str) -> Answer:
    return web.answer("GET", path, query, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("path", ["/", "/r/local-abc", "/r/anything/at/all"])
def test_app_page_at_the_start_and_at_every_room(web: WebApp, path: str) -> None:
    answer = get(web, path)
    assert (answer.status, answer.body) == (200, b"<!doctype html>app")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


def test_config_is_what_the_stack_says_now(web: WebApp) -> None:
    answer = get(web, "/config.json")
    assert json.loads(answer.body) == CONFIG
    assert answer.headers["cache-control"] == "no-store"


def test_hashed_assets_are_kept_for_ever_and_compressed(web: WebApp) -> None:
    plain = get(web, "/assets/app-1a2b.js")
    assert plain.body == SCRIPT
    assert plain.headers["content-type"].startswith("text/javascript")
    assert "immutable" in plain.headers["cache-control"]
    packed = get(web, "/assets/app-1a2b.js", accept_encoding="br, gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) < len(SCRIPT) / 10


def test_unchanged_file_is_not_sent_again(web: WebApp) -> None:
    etag = get(web, "/icon.svg").headers["etag"]
    again = get(web, "/icon.svg", if_none_match=etag)
    assert (again.status, again.body) == (304, b"")


def test_rebuilt_file_shows_at_once(web: WebApp, site: Path) -> None:
    get(web, "/icon.svg")
    (site / "icon.svg").write_bytes(b"<svg>new</svg>")
    assert get(web, "/icon.svg").body == b"<svg>new</svg>"


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "//etc/passwd",
        "/leak.txt",
        "/assets\\..\\..\\secret.txt",
        "/index.html\0",
        "/assets",
        "/missing.js",
        pytest.param("/" + "a/" * 3000, id="deep"),
        pytest.param("/" + "a" * 5000, id="long"),
        pytest.param("/" + "\u00e4" * 199, id="many bytes"),
    ],
)
def test_nothing_outside_is_served(web: WebApp, path: str) -> None:
    assert get(web, path).status == 404


def test_only_reading_is_allowed(web: WebApp) -> None:
    answer = web.answer("POST", "/", "", {})
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


def test_demo_token_for_a_name(web: WebApp) -> None:
    answer = get(web, "/demo/token", "name=Ada%20L%C3%B6")
    assert json.loads(answer.body) == {"token": "token of Ada Lö"}


@pytest.mark.parametrize(
    "query", ["", "name=", "name=%20", "name=" + "a" * 65, "name=a%07b", "&".join(["name=a"] * 20)]
)
def test_demo_token_wants_a_name(web: WebApp, query: str) -> None:
    assert get(web, "/demo/token", query).status == 400


def test_page_says_how_to_build_when_the_app_is_missing(tmp_path: Path) -> None:
    web = WebApp(StaticSite(tmp_path / "nowhere"), lambda: CONFIG, str)
    answer = get(web, "/")
    assert b"make web" in answer.body
    assert get(web, "/app.js").status == 404


def test_page_may_talk_to_signaling_alone() -> None:
    policy = security_headers(["http://localhost:1/x", "http://localhost:2"])["content-security-policy"]
    assert "connect-src 'self' http://localhost:1 http://localhost:2;" in policy
    assert "frame-ancestors 'none'" in policy


async def test_asgi_answers_carry_length_and_security_headers(web: WebApp) -> None:
    for method, expected in (("GET", b"<svg/>"), ("HEAD", b"")):
        start, body = await _request(web, method, "/icon.svg")
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        assert (start["status"], body["body"]) == (200, expected)
        assert headers["content-length"] == "6"
        assert headers["x-content-type-options"] == "nosniff"


async def test_other_protocols_are_left_alone(web: WebApp) -> None:
    async def refuse(*_arguments: Any) -> Any:
        raise AssertionError("nothing to say")

    await web({"type": "lifespan"}, refuse, refuse)


async def _request(web: WebApp, method: str, path: str) -> list[Mapping[str, Any]]:
    sent: list[Mapping[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(b"Accept", b"*/*")],
    }
    await web(scope, receive, send)
    return sent
