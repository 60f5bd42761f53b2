/**
 * Timers that background tabs keep. A page's own are throttled there, to one a second and later to one a minute; a
 * Worker's are not. One Worker keeps the time for everybody. Where a policy forbids it, the page's timers have to do.
 */

/** What is asked of the Worker: to say a timer's number after so long, or (null) no more. */
interface Order {
  readonly id: number;
  readonly ms: number | null;
}

interface Pending {
  readonly call: () => void;
  readonly dueAt: number;
  /** The page's timer, where there is no Worker. */
  timer: ReturnType<typeof setTimeout> | null;
}

const WORKER = `
const timers = new Map();
onmessage = ({ data: { id, ms } }) => {
  clearTimeout(timers.get(id));
  timers.delete(id);
  if (ms !== null) timers.set(id, setTimeout(() => (timers.delete(id), postMessage(id)), ms));
};
`;

export class SteadyClock {
  readonly #pending = new Map<number, Pending>();
  /** Undefined before the first timer, null where none can be had. */
  #worker: Worker | null | undefined;
  #lastId = 0;

  /** Calls once after `ms`. The answer prevents it. */
  after(ms: number, call: () => void): () => void {
    if (this.#worker === undefined) this.#worker = this.#startWorker();
    const id = ++this.#lastId;
    this.#pending.set(id, { call, dueAt: performance.now() + ms, timer: null });
    this.#order({ id, ms });
    return () => this.#cancel(id);
  }

  #startWorker(): Worker | null {
    try {
      const source = URL.createObjectURL(new Blob([WORKER]));
      const worker = new Worker(source);
      URL.revokeObjectURL(source);
      worker.onmessage = ({ data }: MessageEvent<number>) => this.#fire(data);
      // Some browsers say only later that it may not be.
      worker.onerror = () => this.#loseWorker();
      return worker;
    } catch {
      return null;
    }
  }

  #loseWorker(): void {
    this.#worker = null;
    for (const [id, { dueAt }] of this.#pending) this.#order({ id, ms: Math.max(0, dueAt - performance.now()) });
  }

  #order(order: Order): void {
    if (this.#worker) {
      this.#worker.postMessage(order);
      return;
    }
    const pending = this.#pending.get(order.id);
    if (pending && order.ms !== null) pending.timer = setTimeout(() => this.#fire(order.id), order.ms);
  }

  #cancel(id: number): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    if (pending.timer !== null) clearTimeout(pending.timer);
    else this.#order({ id, ms: null });
  }

  #fire(id: number): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.call();
  }
}

const clock = new SteadyClock();

/** Calls once after `ms`, in background tabs too. The answer prevents it. */
export function steadyTimeout(ms: number, call: () => void): () => void {
  return clock.after(ms, call);
}

/** Calls `tick` each `ms`, in background tabs too. Ticks never pile up while the page is busy. The answer stops it. */
export function steadyInterval(ms: number, tick: () => void): () => void {
  let stop = clock.after(ms, next);
  function next(): void {
    stop = clock.after(ms, next);
    tick();
  }
  return () => stop();
}
