/** What the uplink carries, so that the next session's pictures start as good as they were. Pure. */

/** More than three layers of a camera need is no help to anybody. */
export const LARGEST_BPS = 4_000_000;
const WINDOW_MS = 1_000;

interface Sample {
  readonly bytes: number;
  readonly at: number;
}

export class UplinkMeter {
  #samples: readonly Sample[] = [];
  #available = 0;

  /** The browser's own estimate, or what was really sent in the last second, whichever is larger; 0 while unknown. */
  get bps(): number {
    return Math.round(Math.min(Math.max(this.#available, this.#sent()), LARGEST_BPS));
  }

  /** Takes the connection's statistics. */
  observe(report: RTCStatsReport, now: number): void {
    let bytes = 0;
    for (const entry of report.values() as Iterable<Record<string, unknown>>) {
      if (entry["type"] === "outbound-rtp" && typeof entry["bytesSent"] === "number") bytes += entry["bytesSent"];
      const available = entry["availableOutgoingBitrate"];
      if (typeof available === "number") this.#available = available;
    }
    const recent = this.#samples.findLastIndex(({ at }) => now - at >= WINDOW_MS);
    this.#samples = [...this.#samples.slice(Math.max(0, recent)), { bytes, at: now }];
  }

  #sent(): number {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || last.at - first.at < WINDOW_MS / 2) return 0;
    return ((last.bytes - first.bytes) * 8_000) / (last.at - first.at);
  }
}
