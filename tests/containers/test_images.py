"""Each image on its own: whom it runs as, what is not in it, how large it is, and what it says of bad settings."""

import pytest
from containers.engine import inspect, run
from images.__main__ import SERVICES, STAND_INS

pytestmark = pytest.mark.images

PYTHON = ("rooms", "signaling", "media")
BUILD_TOOLS = (
    "cc",
    "gcc",
    "ld",
    "make",
    "cargo",
    "rustc",
    "node",
    "npm",
    "pip",
    "pip3",
    "uv",
    "git",
    "curl",
    "wget",
)
WRITABLE = {"/tmp", "/var/tmp", "/run/salon", "/run/lock"}
LIMITS_MB = {"rooms": 240, "signaling": 240, "media": 380, "web": 120}
OTHERS = {
    "rooms": ("salon_signaling", "salon_media", "salon_client", "aiortc", "av", "_salon_media", "pytest"),
    "signaling": ("salon_rooms", "salon_media", "salon_client", "aiortc", "av", "_salon_media", "pytest"),
    "media": ("salon_rooms", "salon_signaling", "salon_client", "pytest"),
}
REQUIRED = {
    "rooms": ("SALON_ROOMS_REPLICA_ID",),
    "signaling": ("SALON_SIGNALING_REPLICA_ID", "SALON_SIGNALING_SESSION_KEY_FILE"),
    "media": ("SALON_MEDIA_NODE_ID",),
}


@pytest.mark.parametrize("name", SERVICES + STAND_INS)
def test_it_runs_as_nobody_special(name: str) -> None:
    assert inspect(name)["Config"]["User"] == "10001:10001"
    assert run(name, "id", "-u").output == "10001\n"


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_in_it_builds_or_fetches(name: str) -> None:
    found = run(name, "sh", "-c", f"command -v sh {' '.join(BUILD_TOOLS)}").output.split()
    assert [path.rpartition("/")[2] for path in found] == ["sh"]


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_in_it_can_be_changed_by_who_runs_it(name: str) -> None:
    look = "find / -xdev ! -type l '(' -uid 10001 -o -gid 10001 -o -perm -o=w ')' 2>/dev/null"
    assert set(run(name, "sh", "-c", look).output.split()) == WRITABLE


@pytest.mark.parametrize("name", SERVICES)
def test_it_is_small(name: str) -> None:
    megabytes = inspect(name)["Size"] / 1e6
    print(f"\n{name}: {megabytes:.0f} MB")
    assert megabytes < LIMITS_MB[name]


@pytest.mark.parametrize("name", PYTHON)
def test_it_has_what_it_imports_and_nothing_of_others(name: str) -> None:
    look = f"import importlib.util as u; print([m for m in {OTHERS[name]!r} if u.find_spec(m)])"
    assert run(name, "python", "-c", look).output == "[]\n"


def test_the_engine_is_in_the_media_image() -> None:
    assert run("media", "python", "-c", "import _salon_media, aiortc").code == 0


@pytest.mark.parametrize("name", PYTHON)
def test_missing_settings_end_it_with_one_line_that_names_them(name: str) -> None:
    ended = run(name)
    assert ended.code == 1
    assert ended.output == ""
    (line,) = ended.errors.splitlines()
    assert line == "settings: " + "; ".join(f"{setting}: field required" for setting in REQUIRED[name])


@pytest.mark.parametrize("name", PYTHON)
def test_a_misspelt_setting_ends_it_with_the_right_name(name: str) -> None:
    prefix = f"SALON_{name.upper()}_"
    ended = run(name, environment={f"{prefix}REGOIN": "eu"})
    assert ended.code == 1
    (line,) = ended.errors.splitlines()
    assert f"{prefix}REGOIN: no such setting, did you mean {prefix}REGION?" in line


def test_the_web_server_refuses_to_start_without_signaling_and_names_it() -> None:
    ended = run("web")
    assert ended.code == 1
    assert 'host not found in upstream "signaling:8080"' in ended.errors
