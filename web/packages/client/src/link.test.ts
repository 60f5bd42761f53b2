import { describe, expect, it } from "vitest";
import { formatLink, parseLink } from "./link.js";

const LINK = { roomId: "local-abcdefghij234567abcd", secret: "AAAAAAAAAAAAAAAAAAAAA_" };

describe("parseLink", () => {
  it("reads what formatLink writes", () => {
    expect(parseLink(formatLink("http://localhost:8080", LINK))).toEqual(LINK);
  });

  it("takes a path with its fragment", () => {
    expect(parseLink(`/r/${LINK.roomId}#${LINK.secret}`)).toEqual(LINK);
  });

  it.each([
    "",
    "/",
    "/r/",
    "/r/Room#AAAAAAAAAAAAAAAAAAAAAA",
    "/r/local-a",
    "/r/local-a#short",
    "http://",
    "/r/a/b#AAAAAAAAAAAAAAAAAAAAAA",
  ])("refuses %j", (link) => {
    expect(() => parseLink(link)).toThrow("This link does not open a room.");
  });
});
