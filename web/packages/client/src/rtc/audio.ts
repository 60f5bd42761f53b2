/**
 * Plays the audio slots. Which voices they carry is the node's choice, so nothing here knows a name.
 *
 * Browsers may refuse to play before somebody touched the page: then `blocked` is said, and `start` is called from a
 * click.
 */
import { Emitter } from "../emitter.js";

export class AudioOutput extends Emitter<{ blocked: boolean }> {
  #elements: HTMLAudioElement[] = [];
  #blocked = false;

  get blocked(): boolean {
    return this.#blocked;
  }

  /** Plays these tracks instead of those before. */
  play(tracks: readonly MediaStreamTrack[]): void {
    this.stop();
    this.#elements = tracks.map((track) => {
      const element = new Audio();
      element.srcObject = new MediaStream([track]);
      return element;
    });
    void this.start();
  }

  /** Plays, if the browser lets us. */
  async start(): Promise<void> {
    const elements = this.#elements;
    const results = await Promise.allSettled(elements.map((element) => element.play()));
    if (elements !== this.#elements) return;
    const refused = results.some((result) => result.status === "rejected" && isRefusal(result.reason));
    if (refused === this.#blocked) return;
    this.#blocked = refused;
    this.emit("blocked", refused);
  }

  stop(): void {
    for (const element of this.#elements) {
      element.pause();
      element.srcObject = null;
    }
    this.#elements = [];
  }
}

function isRefusal(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === "NotAllowedError";
}
