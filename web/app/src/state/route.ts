/** Which page an address means. Pure. */
import { parseLink, SalonError, type RoomLink } from "@salon/client";

export type Route =
  | { readonly page: "start" }
  | { readonly page: "room"; readonly link: RoomLink }
  | { readonly page: "error"; readonly error: SalonError };

export function routeOf(path: string, fragment: string): Route {
  if (path === "/" || path === "/index.html") return { page: "start" };
  try {
    return { page: "room", link: parseLink(path + fragment) };
  } catch (error) {
    return { page: "error", error: error instanceof SalonError ? error : new SalonError("wrong-link") };
  }
}
