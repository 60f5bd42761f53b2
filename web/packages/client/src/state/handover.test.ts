import { describe, expect, it } from "vitest";
import { Handover, LINGER_MS, ROSTER_MS, type Surroundings } from "./handover.js";

const set = (...numbers: number[]): ReadonlySet<number> => new Set(numbers);
const around = (known: Partial<Surroundings>): Surroundings => ({
  roster: null,
  present: set(4, 8, 12),
  formerLost: false,
  ...known,
});

describe("turning to the next", () => {
  it("waits for everybody who was heard at the former", () => {
    const handover = new Handover(set(4, 8, 12), 0);
    expect(handover.advance(around({}), 10)).toBe("former-heard");
    expect(handover.advance(around({ roster: set(4, 12) }), 20)).toBe("former-heard");
    expect(handover.advance(around({ roster: set(4, 8, 12, 16) }), 30)).toBe("next-heard");
    expect(handover.deadline).toBe(30 + LINGER_MS);
  });

  it("does not wait for those who left the room", () => {
    const handover = new Handover(set(4, 8, 12), 0);
    expect(handover.advance(around({ roster: set(4), present: set(4, 16) }), 20)).toBe("next-heard");
  });

  it("waits no longer than it may, whatever the nodes say", () => {
    for (const former of [null, set(4, 8)]) {
      const handover = new Handover(former, 100);
      expect(handover.deadline).toBe(100 + ROSTER_MS);
      expect(handover.advance(around({ roster: set(4) }), 99 + ROSTER_MS)).toBe("former-heard");
      expect(handover.advance(around({ roster: set(4) }), 100 + ROSTER_MS)).toBe("next-heard");
    }
  });
});

describe("letting go of the former", () => {
  it("comes a little later, because others still hear us there", () => {
    const handover = new Handover(set(), 0);
    handover.advance(around({ roster: set() }), 10);
    expect(handover.advance(around({}), 9 + LINGER_MS)).toBe("next-heard");
    expect(handover.advance(around({}), 10 + LINGER_MS)).toBe("over");
    expect(handover.deadline).toBeNull();
  });

  it("comes at once when it is lost", () => {
    for (const roster of [null, set(4, 8)]) {
      const handover = new Handover(set(4, 8), 0);
      handover.advance(around({ roster }), 10);
      expect(handover.advance(around({ roster, formerLost: true }), 11)).toBe("over");
    }
  });
});

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

it("goes forward only, turns with everybody there or at its time, and always ends: random courses", () => {
  const order = ["former-heard", "next-heard", "over"];
  for (let seed = 0; seed < 500; seed++) {
    const random = dice(seed);
    const subset = (): ReadonlySet<number> => new Set([4, 8, 12, 16].filter(() => random() < 0.6));
    const former = random() < 0.2 ? null : subset();
    const handover = new Handover(former, 0);
    let now = 0;
    for (let stage = 0; stage < 2;) {
      // Whoever drives it looks when something is said, and at its deadline at the latest.
      now = Math.min(now + random() * 800, handover.deadline ?? Infinity);
      const known = { roster: random() < 0.3 ? null : subset(), present: subset(), formerLost: random() < 0.02 };
      const complete =
        former !== null &&
        known.roster !== null &&
        [...former].every((n) => !known.present.has(n) || known.roster?.has(n));
      const next = order.indexOf(handover.advance(known, now));
      expect(next - stage, `seed ${String(seed)}`).toBeGreaterThanOrEqual(0);
      if (stage === 0 && next === 1) expect(complete || now >= ROSTER_MS, `seed ${String(seed)}`).toBe(true);
      if (stage === 0 && next === 2) expect(known.formerLost).toBe(true);
      stage = next;
    }
    expect(now).toBeLessThanOrEqual(ROSTER_MS + LINGER_MS);
    expect(handover.advance(around({}), now + 1)).toBe("over");
  }
});
