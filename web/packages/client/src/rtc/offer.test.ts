import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { addSections, cameraLayers, chooseVideoSlots } from "./offer.js";

class FakeTransceiver {
  codecs: string[] = [];
  extensions: string[] = [];

  constructor(
    readonly kind: string,
    readonly init: RTCRtpTransceiverInit,
  ) {}

  setCodecPreferences(codecs: RTCRtpCodec[]): void {
    this.codecs = codecs.map(({ mimeType }) => mimeType);
  }

  getHeaderExtensionsToNegotiate(): { uri: string; direction: string }[] {
    return ["sdes:mid", "ssrc-audio-level", "toffset"].map((name) => ({
      uri: `urn:ietf:params:rtp-hdrext:${name}`,
      direction: "sendrecv",
    }));
  }

  setHeaderExtensionsToNegotiate(extensions: { uri: string; direction: string }[]): void {
    this.extensions = extensions
      .filter(({ direction }) => direction !== "stopped")
      .map(({ uri }) => uri.slice("urn:ietf:params:rtp-hdrext:".length));
  }
}

const CODECS = { audio: ["audio/red", "audio/opus"], video: ["video/H264", "video/VP8", "video/rtx", "video/AV1"] };

function track(width: number): MediaStreamTrack {
  return { getSettings: () => ({ width }) } as MediaStreamTrack;
}

beforeEach(() => {
  vi.stubGlobal("RTCRtpReceiver", {
    getCapabilities: (kind: "audio" | "video") => ({ codecs: CODECS[kind].map((mimeType) => ({ mimeType })) }),
  });
});
afterEach(() => vi.unstubAllGlobals());

describe("addSections", () => {
  const made: FakeTransceiver[] = [];
  const connection = {
    addTransceiver: (kind: string | object, init: RTCRtpTransceiverInit) => {
      const transceiver = new FakeTransceiver(typeof kind === "string" ? kind : "track", init);
      made.push(transceiver);
      return transceiver;
    },
  } as unknown as RTCPeerConnection;

  beforeEach(() => made.splice(0));

  it("keeps the order that gives sections their role", () => {
    addSections(connection, { microphone: null, camera: null }, 4);
    expect(made.map(({ kind, init }) => `${kind} ${String(init.direction)}`)).toEqual([
      "audio sendonly",
      "video sendonly",
      ...Array.from({ length: 4 }, () => "audio recvonly"),
      ...Array.from({ length: 4 }, () => "video recvonly"),
    ]);
  });

  it("offers no codec and no extension that the node would refuse", () => {
    addSections(connection, { microphone: null, camera: null }, 4);
    expect(made[0]?.codecs).toEqual(["audio/opus"]);
    expect(made[1]?.codecs).toEqual(["video/VP8", "video/rtx"]);
    expect(made[0]?.extensions).toEqual(["sdes:mid", "ssrc-audio-level"]);
    expect(made[2]?.extensions).toEqual(["sdes:mid"]);
  });
});

describe("cameraLayers", () => {
  const active = (width: number | null): (string | undefined)[] =>
    cameraLayers(width === null ? null : track(width)).flatMap((layer) => (layer.active ? [layer.rid] : []));

  it("sends three layers from low to high of a wide camera, and of one that is still to come", () => {
    expect([active(1280), active(null)]).toEqual([
      ["l", "m", "h"],
      ["l", "m", "h"],
    ]);
  });

  it("sends one layer of a narrow camera, whole", () => {
    expect(active(640)).toEqual(["l"]);
    expect(cameraLayers(track(640))[0]?.scaleResolutionDownBy).toBe(1);
  });
});

it("chooses slots by the device", () => {
  expect(chooseVideoSlots({ shortSide: 390, cores: 8 })).toBe(4);
  expect(chooseVideoSlots({ shortSide: 800, cores: 2 })).toBe(9);
  expect(chooseVideoSlots({ shortSide: 800, cores: 4 })).toBe(16);
  expect(chooseVideoSlots({ shortSide: 1080, cores: 16 })).toBe(25);
});
