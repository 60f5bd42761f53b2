/**
 * What a client knows of its room, and how snapshots and numbered events change it.
 *
 * Owns: the room's words in plain values, the order of events, the chat. Doesn't: connections, media, storage.
 * Values are never changed in place: whoever holds an older one may compare.
 */
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import {
  LeaveReason,
  ParticipantState,
  Role,
  RoomState as RoomStatus,
  SourceKind,
  type Event,
  type Participant as ParticipantMessage,
  type Room as RoomMessage,
  type Snapshot,
} from "../gen/salon/rooms/v1/room_pb.js";

export type Kind = "microphone" | "camera" | "screen" | "screen-audio";

export interface Source {
  readonly kind: Kind;
  /** Unique in the room, and the CSRC of the source's packets. */
  readonly number: number;
  readonly active: boolean;
}

export interface Participant {
  readonly id: string;
  readonly name: string;
  readonly role: "host" | "cohost" | "speaker" | "viewer";
  readonly state: "waiting" | "joining" | "present";
  readonly sources: readonly Source[];
}

export interface ChatLine {
  /** The event's number: chat is ordered by it. */
  readonly number: number;
  readonly atMs: number;
  readonly participantId: string;
  /** The writer's name at the time. */
  readonly name: string;
  readonly text: string;
}

/** Numbers from the first to the last, both included. */
export type Run = readonly [first: number, last: number];

export interface RoomModel {
  readonly roomId: string;
  readonly title: string;
  readonly ended: boolean;
  readonly capacity: number;
  readonly participants: ReadonlyMap<string, Participant>;
  readonly chat: readonly ChatLine[];
  /** The number of the last event that is contained; 0 before the first snapshot. */
  readonly lastEvent: number;
  /** The highest placement epoch seen. */
  readonly epoch: number;
  /** The numbers of the events applied one by one. A new run begins after a snapshot only. */
  readonly log: readonly Run[];
  /** Why the participant itself was taken out, once that happened. */
  readonly ownExit: "left" | "lost" | "removed" | "ended" | null;
}

export const EMPTY: RoomModel = {
  roomId: "",
  title: "",
  ended: false,
  capacity: 0,
  participants: new Map(),
  chat: [],
  lastEvent: 0,
  epoch: 0,
  log: [],
  ownExit: null,
};

/** More chat than this is forgotten, oldest first. */
export const CHAT_KEPT = 500;

export type Applied =
  | { readonly outcome: "applied"; readonly model: RoomModel }
  /** Seen before: nothing to do. */
  | { readonly outcome: "duplicate" }
  /** Events between are missing: resume from `lastEvent`. */
  | { readonly outcome: "gap" };

/** Takes the next event. `ownId` is the participant that this client is. */
export function applyEvent(model: RoomModel, event: Event, ownId: string): Applied {
  const number = Number(event.number);
  if (number <= model.lastEvent) return { outcome: "duplicate" };
  if (number > model.lastEvent + 1) return { outcome: "gap" };
  const next = applyBody(model, event, ownId);
  return { outcome: "applied", model: { ...next, lastEvent: number, log: extend(model.log, number) } };
}

/** Replaces what is known, except for the chat, which snapshots do not carry. */
export function applySnapshot(model: RoomModel, snapshot: Snapshot): RoomModel {
  const number = Number(snapshot.eventNumber);
  return {
    ...model,
    ...(snapshot.room ? roomFields(snapshot.room) : {}),
    participants: new Map(snapshot.participants.map((p) => [p.id, participantOf(p)])),
    lastEvent: number,
    epoch: Math.max(model.epoch, Number(snapshot.epoch)),
    ownExit: null,
  };
}

/** Notes a placement epoch that came outside of the events. */
export function raiseEpoch(model: RoomModel, epoch: number): RoomModel {
  return epoch > model.epoch ? { ...model, epoch } : model;
}

/** Who sends a source, by its number. */
export function ownerOf(model: RoomModel, source: number): { participant: Participant; source: Source } | null {
  for (const participant of model.participants.values()) {
    for (const candidate of participant.sources) {
      if (candidate.number === source) return { participant, source: candidate };
    }
  }
  return null;
}

export function sourceOf(participant: Participant, kind: Kind): Source | null {
  return participant.sources.find((source) => source.kind === kind) ?? null;
}

/** The microphones of everybody who is in, by their source's number. */
export function microphonesOf(model: RoomModel): ReadonlySet<number> {
  const sources = [...model.participants.values()].map((participant) => sourceOf(participant, "microphone"));
  return new Set(sources.flatMap((source) => (source ? [source.number] : [])));
}

/** All numbers of the log, in order. */
export function expandLog(log: readonly Run[]): number[] {
  return log.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, index) => first + index));
}

function extend(log: readonly Run[], number: number): readonly Run[] {
  const last = log.at(-1);
  if (last && last[1] === number - 1) return [...log.slice(0, -1), [last[0], number]];
  return [...log, [number, number]];
}

function applyBody(model: RoomModel, event: Event, ownId: string): RoomModel {
  const { body } = event;
  switch (body.case) {
    case "participantJoined":
    case "participantChanged":
      return body.value.participant ? withParticipant(model, body.value.participant) : model;
    case "participantLeft": {
      const participants = new Map(model.participants);
      participants.delete(body.value.participantId);
      const ownExit = body.value.participantId === ownId ? exitOf(body.value.reason) : model.ownExit;
      return { ...model, participants, ownExit };
    }
    case "chat":
      return { ...model, chat: withChat(model.chat, lineOf(event.number, event.at, body.value)) };
    case "roomChanged":
      return body.value.room ? { ...model, ...roomFields(body.value.room) } : model;
    case "roomEnded":
      return { ...model, ended: true, ownExit: "ended" };
    case "placementChanged":
    case "participantMoved":
      return raiseEpoch(model, Number(body.value.epoch));
    default:
      // A newer service may send events that this client does not know; their numbers count all the same.
      return model;
  }
}

function withParticipant(model: RoomModel, message: ParticipantMessage): RoomModel {
  return { ...model, participants: new Map(model.participants).set(message.id, participantOf(message)) };
}

function withChat(chat: readonly ChatLine[], line: ChatLine): readonly ChatLine[] {
  return [...chat.slice(-(CHAT_KEPT - 1)), line];
}

function lineOf(
  number: bigint,
  at: Timestamp | undefined,
  message: { participantId: string; name: string; text: string },
): ChatLine {
  return {
    number: Number(number),
    atMs: at ? timestampMs(at) : 0,
    participantId: message.participantId,
    name: message.name,
    text: message.text,
  };
}

function roomFields(room: RoomMessage): Pick<RoomModel, "roomId" | "title" | "ended" | "capacity"> {
  return {
    roomId: room.id,
    title: room.title,
    ended: room.state === RoomStatus.ENDED,
    capacity: room.settings?.capacity ?? 0,
  };
}

function participantOf(message: ParticipantMessage): Participant {
  return {
    id: message.id,
    name: message.name,
    role: ROLES[message.role] ?? "viewer",
    state: STATES[message.state] ?? "joining",
    sources: message.sources.flatMap(({ kind, number, active }) => {
      const name = KINDS[kind];
      return name ? [{ kind: name, number, active }] : [];
    }),
  };
}

function exitOf(reason: LeaveReason): NonNullable<RoomModel["ownExit"]> {
  switch (reason) {
    case LeaveReason.REMOVED:
      return "removed";
    case LeaveReason.ENDED:
      return "ended";
    case LeaveReason.LOST:
      return "lost";
    default:
      return "left";
  }
}

// Partial: a newer service may send values that this client does not know.
const ROLES: Readonly<Partial<Record<Role, Participant["role"]>>> = {
  [Role.HOST]: "host",
  [Role.COHOST]: "cohost",
  [Role.SPEAKER]: "speaker",
  [Role.VIEWER]: "viewer",
};

const STATES: Readonly<Partial<Record<ParticipantState, Participant["state"]>>> = {
  [ParticipantState.WAITING]: "waiting",
  [ParticipantState.JOINING]: "joining",
  [ParticipantState.PRESENT]: "present",
};

const KINDS: Readonly<Partial<Record<SourceKind, Kind>>> = {
  [SourceKind.MICROPHONE]: "microphone",
  [SourceKind.CAMERA]: "camera",
  [SourceKind.SCREEN]: "screen",
  [SourceKind.SCREEN_AUDIO]: "screen-audio",
};
