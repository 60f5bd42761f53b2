import { expect, it } from "vitest";
import { routeOf } from "./route.js";

it("opens the start page, a room, or says what is wrong with the link", () => {
  expect(routeOf("/", "")).toEqual({ page: "start" });
  expect(routeOf("/r/local-abc", "#AAAAAAAAAAAAAAAAAAAAAA")).toEqual({
    page: "room",
    link: { roomId: "local-abc", secret: "AAAAAAAAAAAAAAAAAAAAAA" },
  });
  expect(routeOf("/r/local-abc", "#AAAA")).toMatchObject({ page: "error", error: { code: "wrong-link" } });
  expect(routeOf("/nowhere", "")).toMatchObject({ page: "error", error: { code: "wrong-link" } });
});
