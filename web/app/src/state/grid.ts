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
/** Cameras are wide: a place that is wide, too, shall not cut much off them. A phone held upright has to. */
const NARROWEST = { landscape: 4 / 3, portrait: 1 };

/** The arrangement whose tiles are largest; a tile's shape is between NARROWEST and WIDEST. */
export function fitGrid(count: number, width: number, height: number, gap = GAP): Grid {
  const narrowest = width >= height ? NARROWEST.landscape : NARROWEST.portrait;
  let best: Grid = { columns: 1, rows: Math.max(1, count), width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const cellWidth = Math.max(0, (width - gap * (columns - 1)) / columns);
    const cellHeight = Math.max(0, (height - gap * (rows - 1)) / rows);
    const tileWidth = Math.floor(Math.min(cellWidth, cellHeight * WIDEST));
    const tileHeight = Math.floor(Math.min(cellHeight, tileWidth / narrowest));
    if (tileWidth * tileHeight > best.width * best.height) {
      best = { columns, rows, width: tileWidth, height: tileHeight };
    }
  }
  return best;
}
