"""`salon` on the command line: arguments in, the library's calls, messages and exit codes out.

Exit codes: 0 done; 1 it could not be done, with one sentence on standard error; 2 the arguments are wrong; 130 stopped by Ctrl-C.
"""

import asyncio
import json
import secrets
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from salon_common.errors import SalonError, SettingsError, invalid
from salon_common.ids import RoomId
from salon_common.tokens import sign_app_token

from salon_client.api import SignalingApi
from salon_client.link import Link, demo_token, find_signaling

T = TypeVar("T")

app = typer.Typer(
    name="salon",
    help="Video rooms from the command line: start one, join one, run all of Salon on this machine, or look after its nodes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
room_app = typer.Typer(help="Rooms.", no_args_is_help=True)
app.add_typer(room_app, name="room")

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def main() -> None:
    """The entry point: every expected failure is one sentence, without a traceback."""
    try:
        app()
    except (SalonError, SettingsError) as error:
        typer.secho(f"salon: {error}", fg="red", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


@app.command()
def run(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the web app; 0 takes any free one.")
    ] = 8080,
    directory: Annotated[Path, typer.Option(help="Where keys, logs and NATS's data are.")] = Path(".run"),
    advertise: Annotated[
        list[str] | None,
        typer.Option(help="An address at which clients reach this machine's media. May be repeated."),
    ] = None,
    web: Annotated[Path | None, typer.Option(help="The built web app (web/app/dist by default).")] = None,
    rooms: Annotated[int, typer.Option(min=1, max=8, help="Replicas of the rooms service.")] = 2,
    signaling: Annotated[int, typer.Option(min=1, max=8, help="Replicas of the signaling service.")] = 2,
    media: Annotated[int, typer.Option(min=1, max=8, help="Media nodes.")] = 2,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the rooms of the run before.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Show what the services log.")] = False,
) -> None:
    """Run all of Salon on this machine, and print a link. Ctrl-C stops everything."""
    # Imported here: the other commands start faster without it.
    from salon_client.run.addresses import default_advertised
    from salon_client.run.command import run_stack
    from salon_client.run.stack import Stack

    stack = Stack(
        directory=directory,
        rooms=rooms,
        signaling=signaling,
        media=media,
        web_port=port,
        web_root=web,
        advertise=advertise or default_advertised(),
        keep=keep,
        restart_crashed=True,
        grace=5.0,
    )
    _run(run_stack(stack, follow=follow))


@app.command()
def join(
    link: Annotated[str, typer.Argument(help="The room's link, in quotes.")],
    name: Annotated[str, typer.Option(help="What others see, 1-64 characters.")] = "Salon command line",
    play: Annotated[Path | None, typer.Option(help="Send this file's sound and picture, in a loop.")] = None,
    record: Annotated[
        Path | None, typer.Option(help="Record the room into this .webm, .mkv or .mp4.")
    ] = None,
    duration: Annotated[float | None, typer.Option(min=0, help="Leave after so many seconds.")] = None,
    colour: Annotated[
        str, typer.Option(help="Without a file: the picture's colour, #rrggbb or a name.")
    ] = "cyan",
    tone: Annotated[
        float, typer.Option(min=20, max=20_000, help="Without a file: the tone in hertz.")
    ] = 440.0,
    number: Annotated[
        int | None, typer.Option(min=0, help="Without a file: a number on the picture.")
    ] = None,
    listen: Annotated[bool, typer.Option("--listen", help="Send nothing.")] = False,
    slots: Annotated[int, typer.Option(min=1, max=25, help="How many pictures to receive at most.")] = 4,
    say: Annotated[str | None, typer.Option(help="Write this once in.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Join a room: send a file or a test picture and tone, and say what is received."""
    from salon_client.join_command import JoinOptions, join_room

    _run(
        join_room(
            JoinOptions(link, name, play, record, duration, colour, tone, number, listen, slots, say, as_json)
        )
    )


NatsOption = Annotated[
    str | None,
    typer.Option(
        "--nats",
        help=(
            "The region's NATS, nats://host:port; the user is that of SALON_NATS_USER, with the password in the file "
            "SALON_NATS_PASSWORD_FILE."
        ),
        envvar="SALON_NATS_URL",
    ),
]
RegionOption = Annotated[str | None, typer.Option(help="Which region's nodes.", envvar="SALON_REGION")]
DirectoryOption = Annotated[Path, typer.Option(help="Without --nats: where `salon run` runs.")]
NodeArgument = Annotated[str, typer.Argument(help="The node's id, as `salon nodes` shows it.")]


@app.command()
def nodes(
    nats: NatsOption = None,
    region: RegionOption = None,
    directory: DirectoryOption = Path(".run"),
    watch: Annotated[bool, typer.Option("--watch", help="Again each second.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show the media nodes: how they are, what they are told to do, and who is there."""
    from salon_client.nodes import find_where
    from salon_client.nodes_command import show_nodes

    _run(show_nodes(find_where(nats, region, directory), as_json=as_json, watch=watch))


@app.command()
def drain(
    node: NodeArgument,
    deadline: Annotated[
        int, typer.Option(min=1, max=86_400, help="After so many seconds what is left is ended.")
    ] = 120,
    nats: NatsOption = None,
    region: RegionOption = None,
    directory: DirectoryOption = Path(".run"),
) -> None:
    """Empty a media node: its rooms move elsewhere while people go on talking. Ctrl-C leaves the drain going."""
    from salon_client import nodes_command
    from salon_client.nodes import find_where

    _run(nodes_command.drain(find_where(nats, region, directory), node, deadline))


@app.command()
def cordon(
    node: NodeArgument,
    nats: NatsOption = None,
    region: RegionOption = None,
    directory: DirectoryOption = Path(".run"),
) -> None:
    """Have a media node take no new rooms; those it has go on."""
    _set_mode(node, "NODE_MODE_CORDONED", nats, region, directory)


@app.command()
def uncordon(
    node: NodeArgument,
    nats: NatsOption = None,
    region: RegionOption = None,
    directory: DirectoryOption = Path(".run"),
) -> None:
    """Have a media node take rooms again; ends a drain too."""
    _set_mode(node, "NODE_MODE_ACTIVE", nats, region, directory)


def _set_mode(node: str, mode: str, nats: str | None, region: str | None, directory: Path) -> None:
    from salon.rooms.v1 import presence_pb2

    from salon_client.nodes import find_where
    from salon_client.nodes_command import set_mode

    _run(set_mode(find_where(nats, region, directory), node, presence_pb2.NodeMode.Value(mode)))


@room_app.command("create")
def room_create(
    title: Annotated[str, typer.Option(help="Shown to everybody, at most 120 characters.")] = "",
    site: Annotated[str, typer.Option(help="The web app that the link opens.")] = "http://localhost:8080",
    token: Annotated[
        str | None, typer.Option(help="A token signed by the app's backend.", envvar="SALON_APP_TOKEN")
    ] = None,
    app_key: Annotated[
        Path | None, typer.Option(help="Sign a token with this private key (PEM, Ed25519 or P-256) instead.")
    ] = None,
    app_id: Annotated[str, typer.Option("--app", help="The app whose key that is.")] = "demo",
    user: Annotated[
        str, typer.Option(help="The app's id of the user who creates the room.")
    ] = "command-line",
    as_json: JsonFlag = False,
) -> None:
    """Make a room and print its link. Without a token or key the site's demo app signs one."""
    link = _run(_create_room(site.rstrip("/"), title, token, app_key, app_id, user))
    if as_json:
        made = {"link": link.url, "host_link": link.host_url, "room_id": link.room_id}
        typer.echo(json.dumps(made))
    else:
        typer.echo(link.url)


async def _create_room(
    site: str, title: str, token: str | None, app_key: Path | None, app_id: str, user: str
) -> Link:
    if token is None:
        token = _sign(app_key, app_id, user) if app_key else await demo_token(site, user)
    async with SignalingApi(await find_signaling(site)) as api:
        made = await api.create_room(token, title)
    return Link(site, RoomId(made.room.id), made.invite_secret, made.host_secret)


def _sign(app_key: Path, app_id: str, user: str) -> str:
    try:
        pem = app_key.read_text()
    except OSError as error:
        raise invalid("--app-key", f"cannot read {app_key}: {error.strerror}") from None
    try:
        return sign_app_token(pem, app_id, user, None, time.time(), secrets.token_hex(16))
    except ValueError:
        raise invalid("--app-key", f"{app_key} is not a private key in PEM") from None


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)
