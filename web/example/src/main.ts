/** The smallest client: joins, shows everybody, lists what is written. */
import { LocalMedia, SalonClient, SalonError, type Room } from "@salon/client";

const form = document.querySelector<HTMLFormElement>("#join");
const state = document.querySelector<HTMLElement>("#state");
const people = document.querySelector<HTMLElement>("#people");
const chat = document.querySelector<HTMLElement>("#chat");

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  const fields = new FormData(form);
  const text = (name: string): string => {
    const value = fields.get(name);
    return typeof value === "string" ? value : "";
  };
  join(text("signaling"), text("link"), text("name")).catch((error: unknown) => {
    if (state) state.textContent = error instanceof SalonError ? `${error.message} ${error.todo}` : String(error);
  });
});

async function join(signaling: string, link: string, name: string): Promise<void> {
  const media = new LocalMedia();
  await media.startBoth();
  const room = new SalonClient({ signaling: [signaling] }).join({ link, name, media });
  room.on("state", (now) => {
    if (state) state.textContent = now;
  });
  room.on("participants", () => showPeople(room));
  room.on("chat", () => chat?.replaceChildren(...room.chat.map(({ name, text }) => item(`${name}: ${text}`))));
  await room.joined();
  showPeople(room);
}

const shown = new Map<number, { readonly figure: HTMLElement; readonly detach: () => void }>();

function showPeople(room: Room): void {
  const tiles = room.tiles.filter(({ active }) => active);
  room.requestTiles(tiles.map(({ participantId, kind }) => ({ participantId, kind, height: 360 })));
  for (const [source, { figure, detach }] of shown) {
    if (tiles.some((tile) => tile.source === source)) continue;
    detach();
    figure.remove();
    shown.delete(source);
  }
  for (const { source, name } of tiles) {
    if (shown.has(source)) continue;
    const figure = document.createElement("figure");
    const video = document.createElement("video");
    const caption = document.createElement("figcaption");
    caption.textContent = name;
    figure.append(video, caption);
    people?.append(figure);
    shown.set(source, { figure, detach: room.attachTile(source, video) });
  }
}

function item(text: string): HTMLElement {
  const element = document.createElement("li");
  element.textContent = text;
  return element;
}
