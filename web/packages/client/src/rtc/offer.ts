/**
 * The one offer of a media session: which sections, in which order, with which codecs and extensions.
 *
 * A section's role follows from its order among those of its kind and direction: to send, microphone then camera; to
 * receive, three speech slots, one programme slot, then the video slots. Never renegotiated.
 */

export const SPEECH_SLOTS = 3;
export const VIDEO_SLOTS = [4, 9, 16, 25] as const;
export type VideoSlots = (typeof VIDEO_SLOTS)[number];

/** A camera narrower than this is sent as one layer: browsers make no three of it. */
const SIMULCAST_WIDTH = 960;

/** What a layer of a camera is like; the rid never changes. */
export type CameraLayer = Pick<RTCRtpEncodingParameters, "active" | "maxBitrate" | "rid" | "scaleResolutionDownBy">;

/** From low to high, as the node expects. */
const WIDE: readonly CameraLayer[] = [
  { rid: "l", active: true, scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: "m", active: true, scaleResolutionDownBy: 2, maxBitrate: 600_000 },
  { rid: "h", active: true, scaleResolutionDownBy: 1, maxBitrate: 2_500_000 },
];
const NARROW: readonly CameraLayer[] = [
  { rid: "l", active: true, scaleResolutionDownBy: 1, maxBitrate: 600_000 },
  { rid: "m", active: false },
  { rid: "h", active: false },
];

const SENT_EXTENSIONS: ReadonlySet<string> = new Set([
  "urn:ietf:params:rtp-hdrext:sdes:mid",
  "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
  "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
  "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
]);
const RECEIVED_EXTENSIONS: ReadonlySet<string> = new Set();
const AUDIO_CODECS: ReadonlySet<string> = new Set(["audio/opus"]);
const VIDEO_CODECS: ReadonlySet<string> = new Set(["video/vp8", "video/rtx"]);

export interface Sections {
  readonly microphone: RTCRtpTransceiver;
  readonly camera: RTCRtpTransceiver;
  readonly speech: readonly RTCRtpTransceiver[];
  readonly programme: RTCRtpTransceiver;
  readonly video: readonly RTCRtpTransceiver[];
}

/** As many slots as the device can decode and show. */
export function chooseVideoSlots(device: { readonly shortSide: number; readonly cores: number }): VideoSlots {
  if (device.shortSide < 600) return 4;
  if (device.cores >= 8) return 25;
  return device.cores >= 4 ? 16 : 9;
}

/** The layers of a camera. Without a track yet, those of a good one. */
export function cameraLayers(track: MediaStreamTrack | null): readonly CameraLayer[] {
  const width = track?.getSettings().width ?? SIMULCAST_WIDTH;
  return width >= SIMULCAST_WIDTH ? WIDE : NARROW;
}

/** Adds all sections to a fresh connection. */
export function addSections(
  connection: RTCPeerConnection,
  tracks: { readonly microphone: MediaStreamTrack | null; readonly camera: MediaStreamTrack | null },
  videoSlots: VideoSlots,
): Sections {
  const receive = (kind: "audio" | "video", count: number): RTCRtpTransceiver[] =>
    Array.from({ length: count }, () => connection.addTransceiver(kind, { direction: "recvonly" }));
  const microphone = connection.addTransceiver(tracks.microphone ?? "audio", { direction: "sendonly" });
  const camera = connection.addTransceiver(tracks.camera ?? "video", {
    direction: "sendonly",
    sendEncodings: cameraLayers(tracks.camera).map((layer) => ({ ...layer })),
  });
  const speech = receive("audio", SPEECH_SLOTS);
  const programme = connection.addTransceiver("audio", { direction: "recvonly" });
  const video = receive("video", videoSlots);

  for (const transceiver of [microphone, ...speech, programme]) preferCodecs(transceiver, "audio", AUDIO_CODECS);
  for (const transceiver of [camera, ...video]) preferCodecs(transceiver, "video", VIDEO_CODECS);
  for (const transceiver of [microphone, camera]) keepExtensions(transceiver, SENT_EXTENSIONS);
  for (const transceiver of [...speech, programme, ...video]) keepExtensions(transceiver, RECEIVED_EXTENSIONS);
  return { microphone, camera, speech, programme, video };
}

/** Every codec of every slot would make the offer four times as large, and as slow. */
function preferCodecs(transceiver: RTCRtpTransceiver, kind: "audio" | "video", wanted: ReadonlySet<string>): void {
  const codecs = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
  const preferred = codecs.filter((codec) => wanted.has(codec.mimeType.toLowerCase()));
  if (preferred.length > 0) transceiver.setCodecPreferences(preferred);
}

/** The part of "WebRTC Extensions" that TypeScript's DOM types do not know yet. */
interface ExtensionNegotiation {
  getHeaderExtensionsToNegotiate?(): { uri: string; direction: RTCRtpTransceiverDirection }[];
  setHeaderExtensionsToNegotiate?(extensions: { uri: string; direction: RTCRtpTransceiverDirection }[]): void;
}

const MANDATORY_EXTENSION = "urn:ietf:params:rtp-hdrext:sdes:mid";

/** Where the browser lets us, offers no extension that the node would refuse. */
function keepExtensions(transceiver: RTCRtpTransceiver, kept: ReadonlySet<string>): void {
  const negotiation = transceiver as ExtensionNegotiation;
  const offered = negotiation.getHeaderExtensionsToNegotiate?.();
  if (!offered) return;
  negotiation.setHeaderExtensionsToNegotiate?.(
    offered.map(({ uri, direction }) => {
      if (uri === MANDATORY_EXTENSION) return { uri, direction };
      return { uri, direction: kept.has(uri) ? "sendrecv" : "stopped" };
    }),
  );
}
