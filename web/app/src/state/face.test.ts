import { expect, it } from "vitest";
import { hueOf, initialsOf } from "./face.js";

it("takes the first letters of the first and the last word", () => {
  expect(["Ada", "ada lovelace", "Ada King Lovelace", "élan", "👩‍🚀 Eve", " "].map(initialsOf)).toEqual([
    "A",
    "AL",
    "AL",
    "É",
    "👩‍🚀E",
    "",
  ]);
});

it("gives a name its own colour", () => {
  expect(hueOf("Ada")).toBe(hueOf("Ada"));
  expect(hueOf("Ada")).not.toBe(hueOf("Bo"));
});
