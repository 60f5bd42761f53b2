/**
 * When a client that is served at two nodes lets go of the one it is leaving. Pure: `now` in milliseconds is an argument.
 *
 * One of the two is heard at any time, never both and never neither. The next is heard once everybody is there who was
 * heard at the former, or after ROSTER_MS; then the former stays a little longer, because others still hear us there.
 */

/** Who is not at the next node so long after we connected is not waited for. */
export const ROSTER_MS = 3_000;
/** The others may need our old uplink for so long after we need theirs no more. */
export const LINGER_MS = 500;

export type Stage = "former-heard" | "next-heard" | "over";

/** What is known at a moment. */
export interface Surroundings {
  /** The microphones that the next node has said are there; null while it has said nothing. */
  readonly roster: ReadonlySet<number> | null;
  /** The microphones of everybody who is in the room. */
  readonly present: ReadonlySet<number>;
  /** The former node is not heard any more. */
  readonly formerLost: boolean;
}

export class Handover {
  readonly #needed: ReadonlySet<number> | null;
  readonly #connectedAt: number;
  #switchedAt: number | null = null;
  #over = false;

  /** The next node is connected. `formerRoster` are the microphones that can be heard at the former; null if it never said. */
  constructor(formerRoster: ReadonlySet<number> | null, now: number) {
    this.#needed = formerRoster;
    this.#connectedAt = now;
  }

  get stage(): Stage {
    if (this.#over) return "over";
    return this.#switchedAt === null ? "former-heard" : "next-heard";
  }

  /** When time alone leads to the next stage; null once it is over. */
  get deadline(): number | null {
    if (this.#over) return null;
    return this.#switchedAt === null ? this.#connectedAt + ROSTER_MS : this.#switchedAt + LINGER_MS;
  }

  /** Takes what is known now. Stages only ever go forward. */
  advance(known: Surroundings, now: number): Stage {
    const late = now >= (this.deadline ?? Infinity);
    if (known.formerLost || (this.#switchedAt !== null && late)) this.#over = true;
    else if (this.#switchedAt === null && (late || this.#hasAll(known))) this.#switchedAt = now;
    return this.stage;
  }

  #hasAll({ roster, present }: Surroundings): boolean {
    if (!roster || !this.#needed) return false;
    for (const microphone of this.#needed) if (present.has(microphone) && !roster.has(microphone)) return false;
    return true;
  }
}
