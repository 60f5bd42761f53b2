/** What a person is told of the connection, and after how long: most troubles are over before anybody has to know. */
import type { RoomState } from "@salon/client";

export interface ConnectionNotice {
  readonly text: "connecting" | "reconnecting" | "behind";
  /** The trouble has to last so long to be worth a word. */
  readonly afterMs: number;
}

export function connectionNotice(state: RoomState): ConnectionNotice | null {
  switch (state) {
    case "connecting":
    case "reconnecting":
      return { text: state, afterMs: 1_000 };
    // People see and hear each other: nothing that they would miss soon.
    case "behind":
      return { text: state, afterMs: 5_000 };
    default:
      return null;
  }
}
