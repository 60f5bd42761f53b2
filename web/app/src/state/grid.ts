/** How tiles fill a place. Pure. */

export interface Grid {
  readonly columns: number;
  readonly rows: number;
  /** Of one tile, in CSS pixels. */
  readonly width: number;
  readonly height: number;
}

export const GAP = 12;
const WIDEST = 16 / 9;
const NARROWEST = 1;

/** The arrangement whose tiles are largest; a tile's shape is between a square and 16:9. */
export function fitGrid(count: number, width: number, height: number, gap = GAP): Grid {
  let best: Grid = { columns: 1, rows: Math.max(1, count), width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const grid = fitTile(columns, rows, (width - gap * (columns - 1)) / columns, (height - gap * (rows - 1)) / rows);
    if (grid.width * grid.height > best.width * best.height) best = grid;
  }
  return best;
}

function fitTile(columns: number, rows: number, cellWidth: number, cellHeight: number): Grid {
  const width = Math.max(0, Math.min(cellWidth, cellHeight * WIDEST));
  const height = Math.max(0, Math.min(cellHeight, width / NARROWEST));
  return { columns, rows, width: Math.floor(width), height: Math.floor(height) };
}
