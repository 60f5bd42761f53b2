/** The Salon SDK: video rooms without a user interface. */
export { SalonClient, type ClientOptions, type JoinOptions, type NewRoom, type RoomPreview } from "./client.js";
export { errorTexts, SalonError, type ErrorCode, type ErrorText } from "./errors.js";
export { formatLink, parseLink, type RoomLink } from "./link.js";
export { Room, type RoomEvents, type RoomState } from "./room.js";
export { LocalMedia } from "./rtc/devices.js";
export type { Ways } from "./rtc/peer.js";
export { VIDEO_SLOTS, type VideoSlots } from "./rtc/offer.js";
export type { ChatLine, Kind, Participant, Source } from "./state/model.js";
export type { Tile, TileKind, TileRequest } from "./state/tiles.js";
