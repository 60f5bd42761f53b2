/**
 * Is the node still there? It sends something at least each 200 ms, so a second without a packet is silence.
 *
 * `Silence` is pure; `watch` reads a peer's statistics on a steady clock.
 */
import { steadyInterval } from "./steady.js";

export const CHECK_MS = 100;
export const SILENCE_MS = 1_000;

/** Tells silence from the growth of a count. */
export class Silence {
  #packets = -1;
  #grownAt = 0;
  #checkedAt = 0;

  /** Takes the packets received so far. Answers whether there has been silence for SILENCE_MS. */
  observe(packets: number, now: number): boolean {
    const paused = now - this.#checkedAt > SILENCE_MS;
    this.#checkedAt = now;
    // A device that slept or a page that was frozen heard nothing itself: that says nothing about the node.
    if (packets > this.#packets || paused) {
      this.#packets = packets;
      this.#grownAt = now;
    }
    return now - this.#grownAt >= SILENCE_MS;
  }
}

/**
 * The transport's count. It takes the whole connection's report: a single receiver's has no transport before its first
 * packet.
 */
export function packetsReceived(report: RTCStatsReport): number | null {
  let fallback: number | null = null;
  for (const entry of report.values() as Iterable<Record<string, unknown>>) {
    const packets = entry["packetsReceived"];
    if (typeof packets !== "number") continue;
    if (entry["type"] === "transport") return packets;
    // Firefox has no transport statistics.
    if (entry["type"] === "candidate-pair" && entry["nominated"] === true) fallback = packets;
  }
  return fallback;
}

/** Calls `silent` once when the node is no longer heard. The answer stops the watch. */
export function watch(read: () => Promise<RTCStatsReport>, silent: () => void): () => void {
  const silence = new Silence();
  let stopped = false;
  const handle = (report: RTCStatsReport): void => {
    const packets = packetsReceived(report);
    if (stopped || packets === null || !silence.observe(packets, performance.now())) return;
    stop();
    silent();
  };
  // A connection that was closed meanwhile has no statistics.
  const stopTimer = steadyInterval(CHECK_MS, () => void read().then(handle, () => undefined));
  const stop = (): void => {
    stopped = true;
    stopTimer();
  };
  return stop;
}
