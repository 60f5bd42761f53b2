/** Links to rooms: `<web>/r/<room id>#<secret>`. The secret is in the fragment, which browsers send to nobody. */
import { SalonError } from "./errors.js";

export interface RoomLink {
  readonly roomId: string;
  readonly secret: string;
}

const ROOM_ID = /^[a-z0-9-]{1,64}$/;
const SECRET = /^[A-Za-z0-9_-]{22}$/;

/** Throws `wrong-link` when it is none. */
export function parseLink(link: string): RoomLink {
  let url: URL;
  try {
    url = new URL(link, "http://localhost");
  } catch {
    throw new SalonError("wrong-link", "not an address");
  }
  const roomId = /^\/r\/([^/]+)\/?$/.exec(url.pathname)?.[1] ?? "";
  const secret = url.hash.slice(1);
  if (!ROOM_ID.test(roomId)) throw new SalonError("wrong-link", "no room in it");
  if (!SECRET.test(secret)) throw new SalonError("wrong-link", "its last part is missing or cut off");
  return { roomId, secret };
}

export function formatLink(origin: string, { roomId, secret }: RoomLink): string {
  return `${origin}/r/${roomId}#${secret}`;
}
