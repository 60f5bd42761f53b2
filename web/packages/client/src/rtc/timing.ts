/** Waiting: sleeps that can be cut short, and deadlines that can be put off. On timers that background tabs keep. */
import { steadyTimeout } from "./steady.js";

/** Resolves after `ms`, or at once when the signal aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const cancel = steadyTimeout(ms, done);
    signal?.addEventListener("abort", done);
  });
}

export interface Deadline {
  readonly signal: AbortSignal;
  /** Aborts after `ms` from now, instead of when it would have. */
  extend(ms: number): void;
  /** Aborts now. */
  cancel(): void;
}

/** A signal that aborts with its parent, or when its time is over. */
export function deadline(parent: AbortSignal): Deadline {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  let stop = (): void => undefined;
  if (parent.aborted) abort();
  parent.addEventListener("abort", abort);
  return {
    signal: controller.signal,
    extend: (ms) => {
      stop();
      stop = steadyTimeout(ms, abort);
    },
    cancel: () => {
      stop();
      parent.removeEventListener("abort", abort);
      // Whoever stops listening early leaves nothing open.
      abort();
    },
  };
}
