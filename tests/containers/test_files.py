"""What must agree between the files that images are made from and the rest; no engine is needed."""

import re
from pathlib import Path

from images.bases import public_bases
from images.docker import ROOT
from images.host import apt_settings
from salon_client.run.web import security_headers

IMAGES = ROOT / "deploy" / "images"
DOCKERFILE = (IMAGES / "Dockerfile").read_text()


def test_uv_is_the_one_of_the_makefile() -> None:
    pattern = r"UV_VERSION :?= ?(\S+)"
    here = re.search(r"UV_VERSION=(\S+)", DOCKERFILE)
    there = re.search(pattern, (ROOT / "Makefile").read_text())
    assert here is not None
    assert there is not None
    assert here[1] == there[1]


def test_every_member_of_the_workspace_is_known_to_the_build() -> None:
    projects = {str(path.parent.relative_to(ROOT)) for path in _projects(ROOT)}
    assert projects
    copied = set(re.findall(r"^COPY (\S+)/pyproject\.toml \1/$", DOCKERFILE, re.MULTILINE))
    assert copied == projects


def _projects(root: Path) -> list[Path]:
    text = (root / "pyproject.toml").read_text()
    members = re.search(r"members = \[(.*?)\]", text, re.DOTALL)
    assert members is not None
    return [root / member / "pyproject.toml" for member in re.findall(r'"([^"]+)"', members[1])]


def test_bases_have_public_defaults_with_a_tag() -> None:
    bases = public_bases(DOCKERFILE)
    assert set(bases) == {"BASE", "RUST", "NODE"}
    assert all(":" in image and not image.endswith(":latest") for image in bases.values())


def test_nginx_says_what_the_server_of_an_all_in_one_run_says() -> None:
    lines = (IMAGES / "web" / "headers.conf").read_text().replace("$salon_signaling_origins", "")
    ours = {
        name.lower(): value
        for name, value in re.findall(r'^add_header (\S+) "(.*)" always;$', lines, re.MULTILINE)
    }
    assert ours == security_headers([])


def test_every_location_with_headers_of_its_own_has_the_common_ones() -> None:
    """nginx inherits add_header only where there is none."""
    locations = re.findall(
        r"^    location [^{]+\{\n(.*?)^    \}",
        (IMAGES / "web" / "nginx.conf").read_text(),
        re.MULTILINE | re.DOTALL,
    )
    with_headers = [body for body in locations if "add_header" in body]
    assert with_headers
    assert all("include headers.conf;" in body for body in with_headers)


def test_apt_is_told_how_to_reach_a_mirror_and_nothing_else() -> None:
    dump = 'Acquire "";\nAcquire::Check-Date "false";\nAcquire::http::Proxy "http://p:1";\nAcquire::GzipIndexes "true";\n'
    assert apt_settings(dump) == 'Acquire::Check-Date "false";\nAcquire::http::Proxy "http://p:1";\n'
