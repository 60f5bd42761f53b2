/** The parts of a browser that the SDK touches, for tests in Node: connections that connect when they are told to. */
import { vi } from "vitest";

export class FakeTrack extends EventTarget {
  enabled = true;
  stopped = false;

  constructor(
    readonly kind: "audio" | "video",
    readonly width = 1280,
  ) {
    super();
  }

  getSettings(): MediaTrackSettings {
    return this.kind === "video" ? { width: this.width } : {};
  }

  stop(): void {
    this.stopped = true;
  }

  asTrack(): MediaStreamTrack {
    return this as unknown as MediaStreamTrack;
  }
}

class FakeSender {
  encodings: RTCRtpEncodingParameters[];

  constructor(
    public track: unknown,
    encodings: readonly RTCRtpEncodingParameters[],
  ) {
    this.encodings = encodings.map((encoding) => ({ ...encoding }));
  }

  replaceTrack(track: unknown): Promise<void> {
    this.track = track;
    return Promise.resolve();
  }

  getParameters(): { encodings: RTCRtpEncodingParameters[] } {
    return { encodings: this.encodings };
  }

  setParameters({ encodings }: { encodings: RTCRtpEncodingParameters[] }): Promise<void> {
    this.encodings = encodings;
    return Promise.resolve();
  }
}

class FakeTransceiver {
  readonly sender: FakeSender;
  readonly receiver: { track: FakeTrack; getSynchronizationSources: () => [] };

  constructor(trackOrKind: FakeTrack | "audio" | "video", init: RTCRtpTransceiverInit) {
    const track = trackOrKind instanceof FakeTrack ? trackOrKind : null;
    this.sender = new FakeSender(track, init.sendEncodings ?? []);
    const kind = trackOrKind instanceof FakeTrack ? trackOrKind.kind : trackOrKind;
    this.receiver = { track: new FakeTrack(kind), getSynchronizationSources: () => [] };
  }

  setCodecPreferences(): void {
    return;
  }
}

class FakeChannel {
  readyState = "connecting";
  readonly sent: Uint8Array[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;

  send(data: Uint8Array): void {
    this.sent.push(data);
  }

  open(): void {
    this.readyState = "open";
    this.onopen?.();
  }
}

export class FakeConnection {
  static made: FakeConnection[] = [];
  connectionState = "new";
  answer = "";
  packets = 0;
  readonly channel = new FakeChannel();
  readonly transceivers: FakeTransceiver[] = [];
  onconnectionstatechange: (() => void) | null = null;

  constructor(readonly configuration: RTCConfiguration = {}) {
    FakeConnection.made.push(this);
  }

  createDataChannel(): FakeChannel {
    return this.channel;
  }

  addTransceiver(trackOrKind: FakeTrack | "audio" | "video", init: RTCRtpTransceiverInit): FakeTransceiver {
    const transceiver = new FakeTransceiver(trackOrKind, init);
    this.transceivers.push(transceiver);
    return transceiver;
  }

  createOffer(): Promise<{ sdp: string }> {
    return Promise.resolve({ sdp: `offer ${String(FakeConnection.made.indexOf(this) + 1)}` });
  }

  setLocalDescription(): Promise<void> {
    return Promise.resolve();
  }

  setRemoteDescription({ sdp }: { sdp: string }): Promise<void> {
    this.answer = sdp;
    return Promise.resolve();
  }

  getStats(): Promise<Map<string, object>> {
    return Promise.resolve(new Map([["T", { type: "transport", packetsReceived: this.packets }]]));
  }

  close(): void {
    this.connectionState = "closed";
  }

  /** ICE and DTLS are through, or not. */
  become(state: "connected" | "failed"): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
}

class FakeStream {
  constructor(readonly tracks: readonly FakeTrack[]) {}

  getTracks(): readonly FakeTrack[] {
    return this.tracks;
  }

  getAudioTracks(): FakeTrack[] {
    return this.tracks.filter(({ kind }) => kind === "audio");
  }

  getVideoTracks(): FakeTrack[] {
    return this.tracks.filter(({ kind }) => kind === "video");
  }
}

export class FakeAudio {
  static made: FakeAudio[] = [];
  /** What `play` rejects with. */
  static refusal: Error | null = null;
  srcObject: unknown = null;
  muted = false;
  playing = false;

  constructor() {
    FakeAudio.made.push(this);
  }

  play(): Promise<void> {
    if (FakeAudio.refusal) return Promise.reject(FakeAudio.refusal);
    this.playing = true;
    return Promise.resolve();
  }

  pause(): void {
    this.playing = false;
  }
}

/** Answers `getUserMedia`; give it an error to refuse. */
export type Devices = (constraints: MediaStreamConstraints) => Error | null;

/** Puts the fakes in place. `vi.unstubAllGlobals` takes them away. */
export function stubBrowser(devices: Devices = () => null): { pagehide: () => void; entries: Map<string, string> } {
  FakeConnection.made = [];
  FakeAudio.made = [];
  FakeAudio.refusal = null;
  const page = new EventTarget();
  const entries = new Map<string, string>();
  const getUserMedia = (constraints: MediaStreamConstraints): Promise<FakeStream> => {
    const refusal = devices(constraints);
    if (refusal) return Promise.reject(refusal);
    const tracks = [
      ...(constraints.audio ? [new FakeTrack("audio")] : []),
      ...(constraints.video ? [new FakeTrack("video")] : []),
    ];
    return Promise.resolve(new FakeStream(tracks));
  };
  vi.stubGlobal("RTCPeerConnection", FakeConnection);
  vi.stubGlobal("RTCRtpTransceiver", FakeTransceiver);
  vi.stubGlobal("RTCRtpReceiver", { getCapabilities: () => null });
  vi.stubGlobal(
    "HTMLVideoElement",
    class {
      requestVideoFrameCallback(): number {
        return 0;
      }
    },
  );
  vi.stubGlobal("MediaStream", FakeStream);
  vi.stubGlobal("Audio", FakeAudio);
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia }, hardwareConcurrency: 2 });
  vi.stubGlobal("screen", { width: 1280, height: 800 });
  vi.stubGlobal("location", { origin: "http://localhost:8080" });
  vi.stubGlobal("sessionStorage", {
    getItem: (key: string) => entries.get(key) ?? null,
    setItem: (key: string, value: string) => entries.set(key, value),
    removeItem: (key: string) => entries.delete(key),
  });
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
  return { pagehide: () => page.dispatchEvent(new Event("pagehide")), entries };
}
