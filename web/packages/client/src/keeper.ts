/** Keeps a stay in the tab's storage while it changes: at most so often, and at once when the page goes. */
import { forgetSession, saveSession, type KeyValueStore, type StoredSession } from "./state/storage.js";

const SAVE_MS = 300;

export class SessionKeeper {
  readonly #store: KeyValueStore;
  /** What is to be kept; null while there is nothing worth it. */
  readonly #current: () => StoredSession | null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(store: KeyValueStore, current: () => StoredSession | null) {
    this.#store = store;
    this.#current = current;
  }

  saveSoon(): void {
    this.#timer ??= setTimeout(() => this.saveNow(), SAVE_MS);
  }

  saveNow(): void {
    this.#cancel();
    const session = this.#current();
    if (session) saveSession(this.#store, session);
  }

  forget(roomId: string): void {
    this.#cancel();
    forgetSession(this.#store, roomId);
  }

  #cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
