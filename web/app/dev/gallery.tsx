/**
 * Every page with made-up people, for looking at: `npm run dev`, then `/dev/gallery.html?page=room&people=8`. Not shipped.
 */
import { SalonError, type ErrorCode, type Room, type Tile } from "@salon/client";
import { signal } from "@preact/signals";
import { render, type JSX } from "preact";
import { ErrorPage } from "../src/features/errors/error_page.js";
import { LobbyPage } from "../src/features/lobby/lobby_page.js";
import { RoomPage } from "../src/features/room/room_page.js";
import { StartPage } from "../src/features/start/start_page.js";
import type { App } from "../src/state/app.js";
import type { RoomView } from "../src/state/room_view.js";
import "../src/styles/all.css";

const NAMES = [
  "Ada Lovelace",
  "Bo",
  "Chidi Anagonye",
  "Dee",
  "Élodie Durand-Beaumont de la Tour",
  "Fay",
  "Gus",
  "Hana",
];
const LINK = { roomId: "local-abcdefghij234567abcd", secret: "AAAAAAAAAAAAAAAAAAAAAA" };
const query = new URLSearchParams(location.search);

function page(): JSX.Element {
  switch (query.get("page")) {
    case "lobby":
      return <LobbyPage app={fakeApp()} link={LINK} />;
    case "room":
      return <RoomPage view={fakeView(Number(query.get("people") ?? 3))} link={LINK} />;
    case "error": {
      const code = (query.get("code") ?? "wrong-link") as ErrorCode;
      return <ErrorPage error={new SalonError(code)} retry={() => location.reload()} />;
    }
    default:
      return <StartPage start={() => Promise.reject(new SalonError("unreachable"))} />;
  }
}

function fakeApp(): App {
  return {
    client: { preview: () => Promise.resolve({ title: "Friday coffee", occupancy: 3, capacity: 50 }) },
    screen: signal({ name: "lobby" }),
  } as unknown as App;
}

function fakeView(people: number): RoomView {
  const tiles = Array.from({ length: people }, (_, index) => fakeTile(index));
  const room = {
    name: "Me",
    participantId: "me",
    videoSlots: 25,
    audioBlocked: false,
    requestTiles: () => undefined,
    attachTile: (source: number, element: HTMLVideoElement) => {
      const tile = tiles[source];
      if (tile && !tile.covered) element.srcObject = new MediaStream([picture(source)]);
      return () => undefined;
    },
    sendChat: () => new Promise(() => undefined),
    leave: () => Promise.resolve(),
  } as unknown as Room;
  const chat = [
    {
      number: 5,
      atMs: 1_700_000_000_000,
      participantId: "0",
      name: "Ada Lovelace",
      text: "Hello! Who has the agenda?",
    },
    { number: 6, atMs: 1_700_000_010_000, participantId: "0", name: "Ada Lovelace", text: "I can share mine." },
    { number: 7, atMs: 1_700_000_200_000, participantId: "me", name: "Me", text: "Please do :)" },
    {
      number: 9,
      atMs: 1_700_000_400_000,
      participantId: "1",
      name: "Bo",
      text: "<b>https://example.org/a-rather-long-link-that-has-to-wrap-somewhere</b>",
    },
  ];
  return {
    room,
    state: signal(query.get("state") ?? "connected"),
    title: signal("Friday coffee"),
    participants: signal(Array.from({ length: people + 1 }, () => null)),
    tiles: signal(tiles),
    speaking: signal(false),
    chat: signal(query.has("quiet") ? [] : chat),
    devices: signal({ camera: query.has("dark") ? null : picture(99), microphoneOn: !query.has("dark") }),
    audioBlocked: signal(query.has("blocked")),
    ended: signal(undefined),
  } as unknown as RoomView;
}

function fakeTile(index: number): Tile {
  const active = index % 4 !== 1;
  return {
    participantId: String(index),
    name: NAMES[index % NAMES.length] ?? "",
    kind: "camera",
    source: index,
    active,
    muted: index % 3 === 1,
    speaking: index === 2,
    slot: index,
    track: null,
    covered: !active,
  };
}

/** A moving gradient. */
function picture(seed: number): MediaStreamTrack {
  const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
  const context = canvas.getContext("2d");
  const paint = (): void => {
    if (!context) return;
    const gradient = context.createLinearGradient(0, 0, 640, 360);
    gradient.addColorStop(0, `hsl(${String((seed * 67) % 360)} 35% 62%)`);
    gradient.addColorStop(1, `hsl(${String((seed * 67 + 60) % 360)} 40% 34%)`);
    context.fillStyle = gradient;
    context.fillRect(0, 0, 640, 360);
    context.fillStyle = "rgb(255 255 255 / 0.5)";
    context.beginPath();
    context.arc(320 + 20 * Math.sin(performance.now() / 900), 190, 70, 0, 7);
    context.fill();
  };
  setInterval(paint, 100);
  paint();
  const [track] = canvas.captureStream(10).getVideoTracks();
  if (!track) throw new Error("a canvas has a track");
  return track;
}

const root = document.getElementById("app");
if (root) render(page(), root);
