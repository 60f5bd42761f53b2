/**
 * Every way in which a room can fail a person: a code, what happened, and what to do.
 *
 * Statuses of the services and errors of the browser are translated here, and nowhere else.
 */
import { Code, ConnectError } from "@connectrpc/connect";

export type ErrorCode =
  | "wrong-link"
  | "link-expired"
  | "link-revoked"
  | "room-full"
  | "room-ended"
  | "room-locked"
  | "removed"
  | "taken-over"
  | "unreachable"
  | "too-many"
  | "not-allowed"
  | "invalid"
  | "unsupported"
  | "camera-denied"
  | "camera-missing"
  | "camera-busy"
  | "microphone-denied"
  | "microphone-missing"
  | "microphone-busy"
  | "internal";

/** What a person reads: what happened, and what to do. */
export interface ErrorText {
  readonly what: string;
  readonly todo: string;
}

/** The texts in English; a translation is another table of this type. */
export const errorTexts: Readonly<Record<ErrorCode, ErrorText>> = {
  "wrong-link": {
    what: "This link does not open a room.",
    todo: "Check that you copied all of it, up to the last character, or ask whoever sent it for a new one.",
  },
  "link-expired": {
    what: "This link worked for a limited time, which is over.",
    todo: "Ask whoever sent it for a new one.",
  },
  "link-revoked": {
    what: "This link was withdrawn by the host.",
    todo: "Ask the host for a new one.",
  },
  "room-full": {
    what: "Every place in this room is taken.",
    todo: "Try again when somebody has left, or ask the host for more places.",
  },
  "room-ended": {
    what: "The room has ended, and its link opens nothing any more.",
    todo: "Start a new room and send its link.",
  },
  "room-locked": {
    what: "The host has locked this room.",
    todo: "Ask the host to unlock it, then try again.",
  },
  removed: {
    what: "A host took you out of this room.",
    todo: "If that was a mistake, ask the host for a new link.",
  },
  "taken-over": {
    what: "You are in this room in another tab or on another device.",
    todo: "Go on there, or use this page instead.",
  },
  unreachable: {
    what: "The service cannot be reached.",
    todo: "Check your internet connection, then try again.",
  },
  "too-many": {
    what: "That was too much in a short time.",
    todo: "Wait a moment, then try again.",
  },
  "not-allowed": {
    what: "You may not do this.",
    todo: "Ask the host.",
  },
  invalid: {
    what: "The service did not accept this.",
    todo: "Change it and try again.",
  },
  unsupported: {
    what: "This browser cannot take part in video rooms.",
    todo: "Open the link in a current Chrome, Edge, Firefox or Safari.",
  },
  "camera-denied": {
    what: "This page may not use your camera.",
    todo: "Allow the camera in the address bar's permissions, then turn it on again. The room works without it, too.",
  },
  "camera-missing": {
    what: "No camera was found.",
    todo: "Plug one in and turn it on again. The room works without it, too.",
  },
  "camera-busy": {
    what: "Your camera could not be started.",
    todo: "Close other programs that use it, then turn it on again. The room works without it, too.",
  },
  "microphone-denied": {
    what: "This page may not use your microphone.",
    todo: "Allow the microphone in the address bar's permissions, then turn it on again. The room works without it, too.",
  },
  "microphone-missing": {
    what: "No microphone was found.",
    todo: "Plug one in and turn it on again. The room works without it, too.",
  },
  "microphone-busy": {
    what: "Your microphone could not be started.",
    todo: "Close other programs that use it, then turn it on again. The room works without it, too.",
  },
  internal: {
    what: "Something went wrong on our side.",
    todo: "Try again. If it happens again, tell whoever runs this service.",
  },
};

/** The only error that the SDK throws or reports. `message` is `what`; `detail` is for people who look for faults. */
export class SalonError extends Error {
  override readonly name = "SalonError";
  readonly todo: string;

  constructor(
    readonly code: ErrorCode,
    readonly detail = "",
    options?: ErrorOptions,
  ) {
    super(errorTexts[code].what, options);
    this.todo = errorTexts[code].todo;
  }
}

/** Whether another try, at another replica or later, may succeed without anybody changing anything. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return false;
  switch (error.code) {
    // Our services never answer UNKNOWN: it is how fetch reports a connection that failed or broke off.
    case Code.Unknown:
    case Code.Canceled:
    case Code.Unavailable:
    case Code.DeadlineExceeded:
    case Code.Aborted:
    case Code.Internal:
      return true;
    default:
      return false;
  }
}

/** Translates whatever a call threw. */
export function fromCall(error: unknown): SalonError {
  if (error instanceof SalonError) return error;
  if (error instanceof ConnectError) return new SalonError(codeOf(error), error.rawMessage, { cause: error });
  return new SalonError("internal", String(error), { cause: error });
}

function codeOf(error: ConnectError): ErrorCode {
  const text = error.rawMessage.toLowerCase();
  switch (error.code) {
    case Code.NotFound:
    case Code.Unauthenticated:
      return "wrong-link";
    case Code.PermissionDenied:
      if (text.includes("expired")) return "link-expired";
      if (text.includes("no longer works")) return "link-revoked";
      return "not-allowed";
    case Code.ResourceExhausted:
      return text.includes("full") ? "room-full" : "too-many";
    case Code.FailedPrecondition:
      return text.includes("locked") ? "room-locked" : "room-ended";
    case Code.InvalidArgument:
      return /^(invite_secret|room_id)\b/.test(text) ? "wrong-link" : "invalid";
    case Code.Unknown:
    case Code.Canceled:
    case Code.Unavailable:
    case Code.DeadlineExceeded:
    case Code.Aborted:
      return "unreachable";
    default:
      return "internal";
  }
}

/** Translates what `getUserMedia` threw. */
export function fromDevice(kind: "camera" | "microphone", error: unknown): SalonError {
  const name = error instanceof Error ? error.name : "";
  const detail = error instanceof Error ? error.message : String(error);
  if (name === "NotAllowedError" || name === "SecurityError") return new SalonError(`${kind}-denied`, detail);
  if (name === "NotFoundError" || name === "OverconstrainedError" || name === "TypeError") {
    return new SalonError(`${kind}-missing`, detail);
  }
  return new SalonError(`${kind}-busy`, detail);
}
