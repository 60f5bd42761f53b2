/** Waiting: sleeps that can be cut short, deadlines that can be put off, and a clock that background tabs keep. */

/** Resolves after `ms`, or at once when the signal aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
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
  let timer: ReturnType<typeof setTimeout> | undefined;
  if (parent.aborted) abort();
  parent.addEventListener("abort", abort);
  return {
    signal: controller.signal,
    extend: (ms) => {
      clearTimeout(timer);
      timer = setTimeout(abort, ms);
    },
    cancel: () => {
      clearTimeout(timer);
      parent.removeEventListener("abort", abort);
      // Whoever stops listening early leaves nothing open.
      abort();
    },
  };
}

/**
 * Calls `tick` each `ms` from a Worker's timer: a page's own timers are throttled in background tabs. Falls back on
 * the page's where a policy forbids the worker. The answer stops it.
 */
export function steadyInterval(ms: number, tick: () => void): () => void {
  try {
    const source = URL.createObjectURL(new Blob([`setInterval(() => postMessage(0), ${String(ms)})`]));
    const worker = new Worker(source);
    URL.revokeObjectURL(source);
    worker.onmessage = tick;
    return () => worker.terminate();
  } catch {
    const timer = setInterval(tick, ms);
    return () => clearInterval(timer);
  }
}
