import { expect, it } from "vitest";
import { pageOf } from "./pages.js";

const PEOPLE = Array.from({ length: 10 }, (_, index) => index);

it("cuts people into pages and stays on one that exists", () => {
  expect(pageOf(PEOPLE, 4, 1)).toEqual({ items: [4, 5, 6, 7], page: 1, pages: 3 });
  expect(pageOf(PEOPLE, 4, 9)).toEqual({ items: [8, 9], page: 2, pages: 3 });
  expect(pageOf(PEOPLE, 4, -1).page).toBe(0);
  expect(pageOf([], 4, 2)).toEqual({ items: [], page: 0, pages: 1 });
});
