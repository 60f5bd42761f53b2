/**
 * Reports to the operators, without names, how well it goes: once the first picture is there, each 30 s, and when leaving.
 *
 * Owns: what is read of a session's statistics, and when a report is sent. What it means is in state/quality.ts. Nothing
 * depends on a report; one that is lost is lost.
 */
import { create } from "@bufbuild/protobuf";
import { GapCause, ReportQualityRequestSchema } from "../gen/salon/signaling/v1/signaling_pb.js";
import { QualityMeter, type Cause } from "../state/quality.js";
import type { Tile } from "../state/tiles.js";
import { packetsReceived } from "./alive.js";
import type { Signaling } from "./signaling.js";

export const REPORT_MS = 30_000;

const CAUSES: Record<Cause, GapCause> = {
  crash: GapCause.CRASH,
  silence: GapCause.SILENCE,
  move: GapCause.MOVE,
};

/** What a session's statistics have come to. */
interface Counts {
  readonly packets: number;
  /** Frames of pictures, and packets of sound. */
  readonly media: number;
  /** Frames decoded, by their track's id. */
  readonly frames: ReadonlyMap<string, number>;
}

const NOTHING: Counts = { packets: 0, media: 0, frames: new Map() };

export class QualityReporter {
  readonly #signaling: Signaling;
  readonly #tiles: () => readonly Tile[];
  readonly #meter: QualityMeter;
  readonly #last = new WeakMap<object, Counts>();
  #reportedAt: number;

  /** Made at the click on join. `tiles` are the pictures that can be seen now. */
  constructor(signaling: Signaling, tiles: () => readonly Tile[]) {
    this.#signaling = signaling;
    this.#tiles = tiles;
    this.#meter = new QualityMeter(performance.now());
    this.#reportedAt = performance.now();
  }

  /** In the room. */
  handleWelcome(): void {
    this.#meter.handleWelcome(this.#tiles().some(({ active }) => active));
  }

  handleConnected(): void {
    this.#meter.handleConnected(performance.now());
  }

  handleInterruption(cause: Cause): void {
    this.#meter.handleInterruption(cause, performance.now());
  }

  /** Another picture can be seen, or none. */
  handlePictures(): void {
    if (this.#tiles().some(({ active, covered }) => active && !covered)) this.#meter.handleShown(performance.now());
  }

  /** A session's statistics, several times a second. */
  handleStats(session: object, report: RTCStatsReport): void {
    const now = performance.now();
    const counts = read(report);
    const before = this.#last.get(session) ?? NOTHING;
    this.#last.set(session, counts);
    const cameras = this.#tiles().filter(({ kind, active, covered }) => kind === "camera" && active && !covered);
    const moves = cameras.flatMap(({ source, track }) => {
      const frames = track ? counts.frames.get(track.id) : undefined;
      return track && frames !== undefined ? [[source, frames > (before.frames.get(track.id) ?? 0)] as const] : [];
    });
    this.#meter.handleLook(counts.packets > before.packets, counts.media > before.media, new Map(moves), now);
    if (this.#meter.hasFirst || now - this.#reportedAt >= REPORT_MS) void this.report();
  }

  /** Reports now. */
  async report(): Promise<void> {
    const now = performance.now();
    this.#reportedAt = now;
    const { gaps, ...figures } = this.#meter.take(now);
    const told = gaps.map(({ cause, ms }) => ({ cause: CAUSES[cause], durationMs: ms }));
    const request = create(ReportQualityRequestSchema, { ...figures, gaps: told });
    await this.#signaling.call((api, options) => api.reportQuality(request, options), 1).catch(() => undefined);
  }
}

function read(report: RTCStatsReport): Counts {
  const frames = new Map<string, number>();
  let media = 0;
  for (const entry of report.values() as Iterable<Record<string, unknown>>) {
    if (entry["type"] !== "inbound-rtp") continue;
    const decoded = entry["framesDecoded"];
    const count = entry["kind"] === "video" ? decoded : entry["packetsReceived"];
    if (typeof count === "number") media += count;
    const track = entry["trackIdentifier"];
    if (typeof track === "string" && typeof decoded === "number") frames.set(track, decoded);
  }
  return { packets: packetsReceived(report) ?? 0, media, frames };
}
