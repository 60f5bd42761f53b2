import { afterEach, expect, it, vi } from "vitest";
import { demoToken, loadConfig, parseConfig } from "./config.js";

afterEach(() => vi.unstubAllGlobals());

it("reads addresses and the demo app", () => {
  expect(parseConfig({ signaling: ["http://a", 1], demo: { token: "/demo/token", app: "demo" } })).toEqual({
    signaling: ["http://a"],
    ways: {},
    demo: { token: "/demo/token" },
  });
  expect(parseConfig({ signaling: ["http://a"] }).demo).toBeNull();
});

it("hands on how media nodes are reached", () => {
  const ways = { iceServers: [{ urls: "turns:turn.example.org", username: "u", credential: "c" }] };
  expect(parseConfig({ signaling: ["/"], ways }).ways).toEqual(ways);
});

it.each([null, {}, { signaling: [] }, { signaling: "http://a" }])("refuses %j", (value) => {
  expect(() => parseConfig(value)).toThrow("cannot be reached");
});

it("says so when there is no configuration", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
  await expect(loadConfig()).rejects.toMatchObject({ code: "unreachable" });
});

it("asks for a token of the demo app", async () => {
  const config = parseConfig({ signaling: ["http://a"], demo: { token: "/demo/token" } });
  const fetched = vi.fn(() => Promise.resolve(new Response('{"token":"t"}')));
  vi.stubGlobal("fetch", fetched);
  expect(await demoToken(config, "Ada & Bo")).toBe("t");
  expect(fetched).toHaveBeenCalledWith("/demo/token?name=Ada+%26+Bo");
  vi.stubGlobal("fetch", () => Promise.resolve(new Response("name: too long", { status: 400 })));
  await expect(demoToken(config, "x")).rejects.toMatchObject({ code: "invalid", detail: "name: too long" });
  await expect(demoToken(parseConfig({ signaling: ["http://a"] }), "x")).rejects.toMatchObject({ code: "not-allowed" });
});
