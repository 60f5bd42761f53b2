/** Tells the others which of the own sources are on, until they have been told. */
import type { Participant } from "../state/model.js";
import { sourceOf } from "../state/model.js";
import { SourceKind } from "../gen/salon/rooms/v1/room_pb.js";
import type { Signaling } from "./signaling.js";

/** What is on; `LocalMedia` is one. */
export interface Switches {
  readonly microphoneOn: boolean;
  readonly cameraOn: boolean;
  /** Both may be about to change: nothing is told yet, so that a reload does not look like a camera switched off. */
  readonly switching: boolean;
}

export class SourceReporter {
  readonly #signaling: Signaling;
  readonly #switches: Switches;
  #busy = false;

  constructor(signaling: Signaling, switches: Switches) {
    this.#signaling = signaling;
    this.#switches = switches;
  }

  /** Compares what the room knows of oneself with what is on. Called whenever either changed. */
  async compare(own: Participant | undefined): Promise<void> {
    const { microphoneOn, cameraOn, switching } = this.#switches;
    if (this.#busy || switching || !own) return;
    if (isActive(own, "microphone") === microphoneOn && isActive(own, "camera") === cameraOn) return;
    const active = [...(microphoneOn ? [SourceKind.MICROPHONE] : []), ...(cameraOn ? [SourceKind.CAMERA] : [])];
    this.#busy = true;
    try {
      await this.#signaling.call((api, options) => api.setSources({ active }, options));
    } catch {
      // The next event or welcome compares again.
    } finally {
      this.#busy = false;
    }
    // Switched while the call was under way.
    if (microphoneOn !== this.#switches.microphoneOn || cameraOn !== this.#switches.cameraOn) await this.compare(own);
  }
}

function isActive(participant: Participant, kind: "microphone" | "camera"): boolean {
  return sourceOf(participant, kind)?.active === true;
}
