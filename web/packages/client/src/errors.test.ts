import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { errorTexts, fromCall, fromDevice, isTransient, SalonError, type ErrorCode } from "./errors.js";

describe("fromCall", () => {
  it.each<[Code, string, ErrorCode]>([
    [Code.NotFound, "this link leads nowhere: check that it was copied whole, or ask for a new one", "wrong-link"],
    [Code.PermissionDenied, "this link has expired: ask for a new one", "link-expired"],
    [Code.PermissionDenied, "this link no longer works: ask for a new one", "link-revoked"],
    [Code.PermissionDenied, "only a host may make or revoke links: ask the host", "not-allowed"],
    [Code.ResourceExhausted, "the room is full", "room-full"],
    [Code.ResourceExhausted, "too many joins: try again in 3 s", "too-many"],
    [Code.FailedPrecondition, "this room has ended: start a new one", "room-ended"],
    [Code.FailedPrecondition, "the room is locked: ask somebody inside to unlock it", "room-locked"],
    [Code.InvalidArgument, "invite_secret: must be the 22 characters after # of the link", "wrong-link"],
    [Code.InvalidArgument, "name: must be 1-64 characters", "invalid"],
    [Code.Unavailable, "Salon cannot answer now: try again", "unreachable"],
    [Code.DataLoss, "", "internal"],
  ])("translates %s %s", (code, message, expected) => {
    const error = fromCall(new ConnectError(message, code));
    expect(error.code).toBe(expected);
    expect(error.detail).toBe(message);
    expect(error.message).toBe(errorTexts[expected].what);
  });

  it("leaves its own errors alone and takes others for bugs", () => {
    const own = new SalonError("removed");
    expect(fromCall(own)).toBe(own);
    expect(fromCall(new TypeError("x is undefined")).code).toBe("internal");
  });
});

describe("isTransient", () => {
  it("is true for lost connections and false for refusals and bugs", () => {
    expect(isTransient(new ConnectError("Failed to fetch", Code.Unknown))).toBe(true);
    expect(isTransient(new ConnectError("restarting", Code.Unavailable))).toBe(true);
    expect(isTransient(new ConnectError("the room is full", Code.ResourceExhausted))).toBe(false);
    expect(isTransient(new TypeError("x is undefined"))).toBe(false);
  });
});

describe("fromDevice", () => {
  it.each<[string, ErrorCode]>([
    ["NotAllowedError", "camera-denied"],
    ["NotFoundError", "camera-missing"],
    ["NotReadableError", "camera-busy"],
  ])("translates %s", (name, expected) => {
    expect(fromDevice("camera", new DOMException("", name)).code).toBe(expected);
  });

  it("takes a page without devices for one without a microphone", () => {
    expect(fromDevice("microphone", new TypeError("mediaDevices is undefined")).code).toBe("microphone-missing");
  });
});
