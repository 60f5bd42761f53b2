import type { RoomState } from "@salon/client";
import { expect, it } from "vitest";
import { connectionNotice } from "./connection.js";

it("says nothing while all is well, and later what is missed less", () => {
  const states: RoomState[] = ["joining", "waiting", "connected", "ended", "connecting", "reconnecting", "behind"];
  const waits = states.map((state) => connectionNotice(state)?.afterMs ?? null);
  expect(waits).toEqual([null, null, null, null, 1_000, 1_000, 5_000]);
});
