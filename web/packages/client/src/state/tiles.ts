/** Tiles: the pictures that a room can show, and which of them are wanted. Pure. */
import { sourceOf, type Participant, type RoomModel } from "./model.js";
import type { Want } from "./slots.js";

export type TileKind = "camera" | "screen";

/** One participant's picture. */
export interface Tile {
  readonly participantId: string;
  readonly name: string;
  readonly kind: TileKind;
  /** The source's number, to attach an element to. */
  readonly source: number;
  /** Whether the participant is sending it. */
  readonly active: boolean;
  /** Whether the participant's microphone is off. */
  readonly muted: boolean;
  readonly speaking: boolean;
  /** The video slot that it was given; null while it is not wanted, or none is left. */
  readonly slot: number | null;
  readonly track: MediaStreamTrack | null;
  /** Its picture is not surely this participant's: show the name, not the video. */
  readonly covered: boolean;
}

/** A tile that is visible now. */
export interface TileRequest {
  readonly participantId: string;
  readonly kind?: TileKind;
  /** In device pixels. */
  readonly height: number;
}

/** What is known of a source's picture. */
export interface Pictures {
  slotOf(source: number): number | null;
  trackOf(source: number): MediaStreamTrack | null;
  isCovered(source: number): boolean;
}

/** Everybody else's camera, and screens while they are shared. */
export function tilesOf(
  model: RoomModel,
  ownId: string,
  speaking: ReadonlySet<number>,
  pictures: Pictures,
): readonly Tile[] {
  const others = [...model.participants.values()].filter(
    ({ id, state, role }) => id !== ownId && state !== "waiting" && role !== "viewer",
  );
  return others.flatMap((participant) =>
    (["camera", "screen"] as const).flatMap((kind) => tileOf(participant, kind, speaking, pictures)),
  );
}

/** The sources that are wanted of those that are sent, in the order of the requests. */
export function wantsOf(model: RoomModel, requests: readonly TileRequest[]): Want[] {
  return requests.flatMap(({ participantId, kind = "camera", height }) => {
    const participant = model.participants.get(participantId);
    const source = participant ? sourceOf(participant, kind) : null;
    return source?.active ? [{ source: source.number, height: Math.max(1, Math.round(height)) }] : [];
  });
}

function tileOf(
  participant: Participant,
  kind: TileKind,
  speaking: ReadonlySet<number>,
  pictures: Pictures,
): readonly Tile[] {
  const source = sourceOf(participant, kind);
  if (!source || (kind === "screen" && !source.active)) return [];
  const microphone = sourceOf(participant, "microphone");
  return [
    {
      participantId: participant.id,
      name: participant.name,
      kind,
      source: source.number,
      active: source.active,
      muted: microphone?.active !== true,
      speaking: microphone !== null && speaking.has(microphone.number),
      slot: pictures.slotOf(source.number),
      track: pictures.trackOf(source.number),
      covered: pictures.isCovered(source.number),
    },
  ];
}
