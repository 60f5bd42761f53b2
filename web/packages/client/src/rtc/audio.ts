/**
 * Plays the audio slots. Which voices they carry is the node's choice, so nothing here knows a name.
 *
 * While one session takes over from another both play, one of them muted: its jitter buffer is warm when it is its turn,
 * and the turn is one step, so that nobody is heard twice or not at all. Browsers may refuse to play before somebody
 * touched the page: then `blocked` is said, and `start` is called from a click.
 */
import { Emitter } from "../emitter.js";

/** What a media session is played from; `Peer` is one. */
export interface AudioMedia {
  /** The tracks of all audio slots. */
  audioTracks(): readonly MediaStreamTrack[];
}

export class AudioOutput extends Emitter<{ blocked: boolean }> {
  readonly #elements = new Map<AudioMedia, readonly HTMLAudioElement[]>();
  #heard: AudioMedia | null = null;
  #blocked = false;

  get blocked(): boolean {
    return this.#blocked;
  }

  /** Plays these sessions from now on, and no other. All but one are muted. */
  use(medias: readonly AudioMedia[], heard: AudioMedia | null): void {
    const fresh = medias.filter((media) => !this.#elements.has(media));
    for (const media of fresh) this.#elements.set(media, media.audioTracks().map(silentElement));
    const turned = heard !== this.#heard;
    this.#heard = heard;
    for (const [media, elements] of this.#elements) {
      for (const element of elements) element.muted = media !== heard;
    }
    for (const media of this.#elements.keys()) if (!medias.includes(media)) this.#drop(media);
    if (turned || fresh.length > 0) void this.start();
  }

  /** Plays, if the browser lets us. */
  async start(): Promise<void> {
    const heard = this.#heard;
    const refused = await this.#playAll();
    if (heard !== this.#heard || refused === this.#blocked) return;
    this.#blocked = refused;
    this.emit("blocked", refused);
  }

  stop(): void {
    this.#heard = null;
    for (const media of [...this.#elements.keys()]) this.#drop(media);
  }

  /** Answers whether the browser refuses. */
  async #playAll(): Promise<boolean> {
    const elements = [...this.#elements.values()].flat();
    const results = await Promise.allSettled(elements.map((element) => element.play()));
    return results.some((result) => result.status === "rejected" && isRefusal(result.reason));
  }

  #drop(media: AudioMedia): void {
    for (const element of this.#elements.get(media) ?? []) {
      element.pause();
      element.srcObject = null;
    }
    this.#elements.delete(media);
  }
}

function silentElement(track: MediaStreamTrack): HTMLAudioElement {
  const element = new Audio();
  element.muted = true;
  element.srcObject = new MediaStream([track]);
  return element;
}

function isRefusal(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === "NotAllowedError";
}
