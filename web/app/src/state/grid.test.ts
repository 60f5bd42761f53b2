import { describe, expect, it } from "vitest";
import { fitGrid, GAP } from "./grid.js";

describe("fitGrid", () => {
  it.each([1, 2, 3, 4, 6, 9, 12, 16, 25])("fits %i tiles into a desktop and a phone", (count) => {
    for (const [width, height] of [
      [1240, 620],
      [366, 640],
    ] as const) {
      const grid = fitGrid(count, width, height);
      expect(grid.columns * grid.rows).toBeGreaterThanOrEqual(count);
      expect(grid.columns * grid.width + (grid.columns - 1) * GAP).toBeLessThanOrEqual(width);
      expect(grid.rows * grid.height + (grid.rows - 1) * GAP).toBeLessThanOrEqual(height);
      expect(grid.width / grid.height).toBeLessThan(1.8);
      expect(grid.width).toBeGreaterThan(60);
    }
  });

  it("stacks two people on a phone and puts them side by side on a desktop", () => {
    expect(fitGrid(2, 366, 640)).toMatchObject({ columns: 1, rows: 2 });
    expect(fitGrid(2, 1240, 620)).toMatchObject({ columns: 2, rows: 1 });
  });

  it("is nothing where there is no place", () => {
    expect(fitGrid(3, 0, 0)).toMatchObject({ width: 0, height: 0 });
  });
});
