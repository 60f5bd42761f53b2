/** A signaling service in memory, whose streams are fed by hand. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createRouterTransport, type ConnectError, type ServiceImpl, type Transport } from "@connectrpc/connect";
import type { Snapshot } from "../gen/salon/rooms/v1/room_pb.js";
import {
  JoinResponseSchema,
  SignalingService,
  type JoinRequest,
  type JoinResponse,
} from "../gen/salon/signaling/v1/signaling_pb.js";

type Body = NonNullable<MessageInitShape<typeof JoinResponseSchema>["body"]>;

/** One stream as the service sees it: what was asked, and a hand to send messages with. */
export class ServedStream {
  readonly #queue: (JoinResponse | ConnectError | null)[] = [];
  #wake: () => void = () => undefined;
  aborted = false;

  constructor(readonly request: JoinRequest) {}

  send(body: Body): void {
    this.#push(create(JoinResponseSchema, { body }));
  }

  welcome(value: { answer?: string; snapshot?: Snapshot; nodeId?: string; epoch?: bigint } = {}): void {
    const sessionToken = { token: `token of ${this.request.requestId}`, expiresAt: { seconds: 9_000_000_000n } };
    this.send({ case: "welcome", value: { answer: "answer", participantId: "me", sessionToken, epoch: 1n, ...value } });
  }

  /** Ends without or with an error. */
  end(error: ConnectError | null = null): void {
    this.#push(error);
  }

  async *messages(signal: AbortSignal): AsyncGenerator<JoinResponse> {
    signal.addEventListener("abort", () => {
      this.aborted = true;
      this.#push(null);
    });
    for (;;) {
      while (this.#queue.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
      const next = this.#queue.shift() ?? null;
      if (next instanceof Error) throw next;
      if (next === null) return;
      yield next;
    }
  }

  #push(item: JoinResponse | ConnectError | null): void {
    this.#queue.push(item);
    this.#wake();
  }
}

/** `streams` grows with each `Join`. */
export function fakeService(
  streams: ServedStream[],
  unary: Partial<ServiceImpl<typeof SignalingService>> = {},
): Transport {
  return createRouterTransport(({ service }) =>
    service(SignalingService, {
      ...unary,
      async *join(request, context) {
        const stream = new ServedStream(request);
        streams.push(stream);
        yield* stream.messages(context.signal);
      },
    }),
  );
}

/** The item at an index (negative: from the end), which has to be there. */
export function at<T>(list: readonly T[], index: number): T {
  const item = list.at(index);
  if (item === undefined) throw new Error(`there is no item ${String(index)} yet`);
  return item;
}
