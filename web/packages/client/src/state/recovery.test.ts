import { Code, ConnectError } from "@connectrpc/connect";
import { expect, it } from "vitest";
import { FIRST_JOIN_TRIES, recover, type Standing } from "./recovery.js";

const NEW: Standing = { wasIn: false, resuming: false, hasInvite: true, failures: 1 };
const RESUMING: Standing = { wasIn: true, resuming: true, hasInvite: true, failures: 1 };
const LOST = new ConnectError("Failed to fetch", Code.Unknown);
const GONE = new ConnectError("you are not in this room any more: join again with its link", Code.NotFound);
const FULL = new ConnectError("the room is full", Code.ResourceExhausted);
const BUSY = new ConnectError("too many joins: try again in 2 s", Code.ResourceExhausted);

it("tries a first join a few times", () => {
  expect(recover(LOST, NEW).action).toBe("retry");
  expect(recover(LOST, { ...NEW, failures: FIRST_JOIN_TRIES })).toMatchObject({
    action: "give-up",
    error: { code: "unreachable" },
  });
});

it("never gives up on somebody who was in", () => {
  expect(recover(LOST, { ...RESUMING, failures: 1_000 }).action).toBe("retry");
  expect(recover(BUSY, RESUMING).action).toBe("retry");
});

it("comes in anew when the place is gone", () => {
  expect(recover(GONE, RESUMING).action).toBe("rejoin");
  expect(recover(new ConnectError("expired", Code.Unauthenticated), RESUMING).action).toBe("rejoin");
  expect(recover(GONE, { ...RESUMING, hasInvite: false })).toMatchObject({ error: { code: "removed" } });
});

it("tells refusals at once", () => {
  expect(recover(FULL, NEW)).toMatchObject({ action: "give-up", error: { code: "room-full" } });
  expect(recover(FULL, RESUMING)).toMatchObject({ action: "give-up", error: { code: "room-full" } });
  expect(recover(BUSY, NEW)).toMatchObject({ action: "give-up", error: { code: "too-many" } });
  expect(recover(GONE, NEW)).toMatchObject({ action: "give-up", error: { code: "wrong-link" } });
});
