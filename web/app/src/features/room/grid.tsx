/** Everybody, as large as fits; in pages when there are more than can be received. */
import type { Tile } from "@salon/client";
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { fitGrid, GAP, type Grid } from "../../state/grid.js";
import { pageOf, type Page } from "../../state/pages.js";
import type { RoomView } from "../../state/room_view.js";
import { t } from "../../strings.js";
import { RoundButton } from "../../ui/button.js";
import { ChevronIcon } from "../../ui/icons.js";
import { OwnTile, RemoteTile } from "./tile.js";

export function PeopleGrid({ view }: { readonly view: RoomView }): JSX.Element {
  const { room } = view;
  const [wanted, setWanted] = useState(0);
  const place = useRef<HTMLDivElement>(null);
  const size = useSize(place);
  const page = pageOf(view.tiles.value, room.videoSlots, wanted);
  const grid = fitGrid(page.items.length + 1, size.width, size.height);
  useVisible(view, page.items, grid.height);
  const { camera, microphoneOn } = view.devices.value;

  return (
    <section class="people" aria-label={t.room.people_region}>
      <div class="people-place" ref={place}>
        <ul class="grid" style={gridStyle(grid)}>
          {page.items.map((tile) => (
            <RemoteTile key={`${tile.participantId} ${tile.kind}`} room={room} tile={tile} />
          ))}
          <OwnTile name={room.name} camera={camera} microphoneOn={microphoneOn} speaking={view.speaking.value} />
        </ul>
      </div>
      {page.pages > 1 && <Pager page={page} turn={setWanted} />}
    </section>
  );
}

function Pager({
  page: { page, pages },
  turn,
}: {
  readonly page: Page<Tile>;
  readonly turn: (page: number) => void;
}): JSX.Element {
  return (
    <nav class="pager">
      <RoundButton
        icon={<ChevronIcon left />}
        label={t.room.previousPage}
        onClick={() => turn(Math.max(0, page - 1))}
      />
      <span aria-live="polite">{t.room.page(page + 1, pages)}</span>
      <RoundButton icon={<ChevronIcon />} label={t.room.nextPage} onClick={() => turn(Math.min(pages - 1, page + 1))} />
    </nav>
  );
}

/** Receives the pictures that can be seen, no larger than they are shown. */
function useVisible({ room }: RoomView, tiles: readonly Tile[], height: number): void {
  const wishes = tiles.map(({ participantId, kind }) => `${participantId} ${kind}`).join();
  useEffect(() => {
    const pixels = height * devicePixelRatio;
    room.requestTiles(tiles.map(({ participantId, kind }) => ({ participantId, kind, height: pixels })));
    // `wishes` stands for the tiles: their other properties change often and do not matter here.
  }, [room, wishes, height]);
}

function useSize(place: { readonly current: HTMLElement | null }): { width: number; height: number } {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const measure = (): void => setSize({ width: element.clientWidth, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, [place]);
  return size;
}

function gridStyle({ columns, width, height }: Grid): Record<string, string> {
  return {
    width: `${String(columns * (width + GAP))}px`,
    "--tile-width": `${String(width)}px`,
    "--tile-height": `${String(height)}px`,
    "--gap": `${String(GAP)}px`,
  };
}
