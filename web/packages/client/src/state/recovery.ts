/** What a lost or refused stream means: try again, come in anew, or give up. Pure. */
import { Code, ConnectError } from "@connectrpc/connect";
import { fromCall, isTransient, SalonError } from "../errors.js";

export interface Standing {
  /** The client had been let in before. */
  readonly wasIn: boolean;
  /** The try that failed was a resume with a session token. */
  readonly resuming: boolean;
  /** A link's secret is at hand, to come in anew with. */
  readonly hasInvite: boolean;
  /** Failed tries since the last success, this one included. */
  readonly failures: number;
}

export type Recovery =
  | { readonly action: "retry" }
  /** The place is gone, for example after a long sleep: take a new one. */
  | { readonly action: "rejoin" }
  | { readonly action: "give-up"; readonly error: SalonError };

/** Who has never been in is told after so many tries; who has been in keeps trying. */
export const FIRST_JOIN_TRIES = 6;

export function recover(error: unknown, standing: Standing): Recovery {
  const { wasIn, resuming, hasInvite, failures } = standing;
  if (isTransient(error)) {
    const patient = wasIn || failures < FIRST_JOIN_TRIES;
    return patient ? { action: "retry" } : { action: "give-up", error: new SalonError("unreachable", textOf(error)) };
  }
  const known = fromCall(error);
  if (known.code === "too-many" && wasIn) return { action: "retry" };
  if (resuming && isPlaceGone(error)) {
    return hasInvite ? { action: "rejoin" } : { action: "give-up", error: new SalonError("removed", textOf(error)) };
  }
  return { action: "give-up", error: known };
}

function isPlaceGone(error: unknown): boolean {
  return error instanceof ConnectError && (error.code === Code.Unauthenticated || error.code === Code.NotFound);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
