/**
 * The participant's own camera and microphone, before and in a room.
 *
 * A camera that is off is released, so that its light goes out; a microphone that is off is kept, silent, so that it
 * is back at the first word.
 */
import { Emitter } from "../emitter.js";
import { fromDevice, SalonError } from "../errors.js";

const MICROPHONE: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const CAMERA: MediaTrackConstraints = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30, max: 30 },
};

export interface LocalMediaEvents {
  /** A track came, went, or was switched. */
  change: undefined;
}

export class LocalMedia extends Emitter<LocalMediaEvents> {
  #microphone: MediaStreamTrack | null = null;
  #camera: MediaStreamTrack | null = null;
  /** Switches are made one after the other: a quick double click must not open a device twice. */
  #last: Promise<unknown> = Promise.resolve();
  #pending = 0;

  get microphone(): MediaStreamTrack | null {
    return this.#microphone;
  }

  get camera(): MediaStreamTrack | null {
    return this.#camera;
  }

  get microphoneOn(): boolean {
    return this.#microphone?.enabled === true;
  }

  get cameraOn(): boolean {
    return this.#camera !== null;
  }

  /** Devices are being switched: what is on is about to change. */
  get switching(): boolean {
    return this.#pending > 0;
  }

  /**
   * Turns on both with one question to the person, or whichever of the two can be had. Answers what is in the way of
   * the others.
   */
  async startBoth(): Promise<SalonError[]> {
    try {
      await this.#inTurn(async () => {
        const stream = await navigator.mediaDevices.getUserMedia({ audio: MICROPHONE, video: CAMERA });
        this.useTracks({ microphone: stream.getAudioTracks()[0] ?? null, camera: stream.getVideoTracks()[0] ?? null });
      });
      return [];
    } catch {
      const results = await Promise.allSettled([this.setCamera(true), this.setMicrophone(true)]);
      return results.flatMap((result) => (result.status === "rejected" ? [result.reason as SalonError] : []));
    }
  }

  /** Throws a SalonError that says what to do when the microphone cannot be had. */
  setMicrophone(on: boolean): Promise<void> {
    return this.#inTurn(async () => {
      if (on && !this.#microphone) this.#microphone = await this.#open("microphone");
      if (this.#microphone) this.#microphone.enabled = on;
    });
  }

  /** Throws a SalonError that says what to do when the camera cannot be had. */
  setCamera(on: boolean): Promise<void> {
    return this.#inTurn(async () => {
      if (on === this.cameraOn) return;
      if (on) {
        this.#camera = await this.#open("camera");
      } else {
        this.#camera?.stop();
        this.#camera = null;
      }
    });
  }

  /** Takes tracks from elsewhere, such as a canvas or a file. */
  useTracks(tracks: {
    readonly microphone?: MediaStreamTrack | null;
    readonly camera?: MediaStreamTrack | null;
  }): void {
    if (tracks.microphone !== undefined) this.#microphone = tracks.microphone;
    if (tracks.camera !== undefined) this.#camera = tracks.camera;
    for (const track of [this.#microphone, this.#camera]) {
      track?.addEventListener("ended", () => this.#handleEnded(track), { once: true });
    }
    this.emit("change", undefined);
  }

  /** Releases both devices. */
  stop(): void {
    this.#microphone?.stop();
    this.#camera?.stop();
    this.#microphone = null;
    this.#camera = null;
    this.emit("change", undefined);
  }

  async #open(kind: "camera" | "microphone"): Promise<MediaStreamTrack> {
    const constraints = kind === "camera" ? { video: CAMERA } : { audio: MICROPHONE };
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia(constraints);
    } catch (error) {
      throw fromDevice(kind, error);
    }
    const [track] = stream.getTracks();
    if (!track) throw new SalonError(`${kind}-missing`);
    track.addEventListener("ended", () => this.#handleEnded(track));
    return track;
  }

  /** Unplugged, or its permission was taken back. */
  #handleEnded(track: MediaStreamTrack): void {
    if (track === this.#camera) this.#camera = null;
    else if (track === this.#microphone) this.#microphone = null;
    else return;
    this.emit("change", undefined);
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    this.#pending += 1;
    const result = this.#last.then(change).finally(() => {
      this.#pending -= 1;
      this.emit("change", undefined);
    });
    this.#last = result.catch(() => undefined);
    return result;
  }
}
