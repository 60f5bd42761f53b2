/** One person in the grid: a name always, a picture when it is surely theirs. */
import type { Room, Tile } from "@salon/client";
import type { ComponentChildren, JSX } from "preact";
import { memo } from "preact/compat";
import { useLayoutEffect, useRef } from "preact/hooks";
import { t } from "../../strings.js";
import { Avatar } from "../../ui/avatar.js";
import { MicIcon } from "../../ui/icons.js";
import { OwnVideo } from "../../ui/video.js";

interface FrameProps {
  readonly name: string;
  readonly label: string;
  readonly muted: boolean;
  readonly speaking: boolean;
  readonly covered: boolean;
  readonly own: boolean;
  readonly children: ComponentChildren;
}

function TileFrame({ name, label, muted, speaking, covered, own, children }: FrameProps): JSX.Element {
  return (
    <li
      class={speaking ? "tile tile-speaking" : "tile"}
      data-testid="tile"
      data-participant-name={name}
      data-covered={String(covered)}
      data-self={own ? "true" : undefined}
    >
      <Avatar name={name} />
      {children}
      <div class="tile-name">
        {muted && (
          <span class="tile-muted" role="img" aria-label={t.room.micOff}>
            <MicIcon off />
          </span>
        )}
        <span class="tile-label">{label}</span>
        {speaking && <span class="visually-hidden">{t.room.speaking}</span>}
      </div>
    </li>
  );
}

export function RemoteTile({ room, tile }: { readonly room: Room; readonly tile: Tile }): JSX.Element {
  const covered = tile.covered || !tile.active;
  return (
    <TileFrame
      name={tile.name}
      label={tile.name}
      muted={tile.muted}
      speaking={tile.speaking}
      covered={covered}
      own={false}
    >
      <TileVideo room={room} source={tile.source} />
    </TileFrame>
  );
}

interface OwnTileProps {
  readonly name: string;
  readonly camera: MediaStreamTrack | null;
  readonly microphoneOn: boolean;
  readonly speaking: boolean;
}

export function OwnTile({ name, camera, microphoneOn, speaking }: OwnTileProps): JSX.Element {
  return (
    <TileFrame
      name={name}
      label={t.room.ownTile(name)}
      muted={!microphoneOn}
      speaking={speaking && microphoneOn}
      covered={camera === null}
      own
    >
      {camera && <OwnVideo track={camera} />}
    </TileFrame>
  );
}

/** The SDK owns the element from here on, its covering included: rendering must not touch its style again. */
const TileVideo = memo(function TileVideo({ room, source }: { readonly room: Room; readonly source: number }) {
  const element = useRef<HTMLVideoElement>(null);
  // Before the first painting: an element that is not covered yet must never be seen.
  useLayoutEffect(() => (element.current ? room.attachTile(source, element.current) : undefined), [room, source]);
  return <video ref={element} class="video" muted autoPlay playsInline aria-hidden="true" />;
});
