/**
 * Calls to the signaling service: several replicas behind several addresses, any of which can answer any call.
 *
 * Owns: addresses, deadlines, fail-over of unary calls, the bearer token. Doesn't: what a stream's messages mean, or
 * when to come back (session.ts).
 */
import { createClient, type CallOptions, type Client, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { fromCall, isTransient, SalonError } from "../errors.js";
import { SignalingService, type JoinRequest, type JoinResponse } from "../gen/salon/signaling/v1/signaling_pb.js";
import { backoffMs } from "../state/backoff.js";
import { deadline, sleep } from "./timing.js";

export type SignalingApi = Client<typeof SignalingService>;

export interface SignalingOptions {
  /** Base addresses of signaling, tried in this order from a random one on. */
  readonly addresses: readonly string[];
  /** Makes the transport of an address; for tests. */
  readonly transport?: (address: string) => Transport;
  readonly random?: () => number;
}

/** A call that a replica has not answered for so long is taken to another. */
const CALL_MS = 5_000;
/** A join's first message: placement and a node's answer are in it. */
const FIRST_MESSAGE_MS = 8_000;
/** Keepalives come each 15 s at least. */
const SILENCE_MS = 25_000;

export class Signaling {
  readonly #apis: readonly SignalingApi[];
  readonly #random: () => number;
  #current: number;
  #token = "";

  constructor({ addresses, transport = browserTransport, random = Math.random }: SignalingOptions) {
    if (addresses.length === 0) throw new SalonError("unreachable", "no signaling address is configured");
    this.#apis = addresses.map((address) => createClient(SignalingService, transport(address)));
    this.#random = random;
    this.#current = Math.floor(random() * addresses.length);
  }

  /** The session token that further calls carry. */
  set token(token: string) {
    this.#token = token;
  }

  /** Tries a unary call at one replica after the other. `call` must be safe to repeat: it carries its request's id. */
  async call<T>(call: (api: SignalingApi, options: CallOptions) => Promise<T>, tries = 4): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await call(this.#api(), { timeoutMs: CALL_MS, headers: this.#headers() });
      } catch (error) {
        if (!isTransient(error) || attempt + 1 >= tries) throw fromCall(error);
        this.rotate();
        await sleep(backoffMs(attempt, this.#random()));
      }
    }
  }

  /** Opens the event stream at the current replica. Throws when the replica falls silent; never tries another. */
  async *join(request: JoinRequest, signal: AbortSignal): AsyncGenerator<JoinResponse> {
    const silence = deadline(signal);
    try {
      silence.extend(FIRST_MESSAGE_MS);
      for await (const message of this.#api().join(request, { signal: silence.signal })) {
        silence.extend(SILENCE_MS);
        yield message;
      }
    } finally {
      silence.cancel();
    }
  }

  /** Turns to the next replica. */
  rotate(): void {
    this.#current = (this.#current + 1) % this.#apis.length;
  }

  #api(): SignalingApi {
    const api = this.#apis[this.#current];
    if (!api) throw new SalonError("internal", "no signaling address");
    return api;
  }

  #headers(): HeadersInit {
    return this.#token ? { authorization: `Bearer ${this.#token}` } : {};
  }
}

function browserTransport(address: string): Transport {
  return createConnectTransport({ baseUrl: address, useBinaryFormat: true });
}
