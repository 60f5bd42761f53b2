import { Code, ConnectError, createRouterTransport, type ServiceImpl, type Transport } from "@connectrpc/connect";
import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { JoinRequestSchema, SignalingService } from "../gen/salon/signaling/v1/signaling_pb.js";
import { Signaling } from "./signaling.js";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

type Replica = Partial<ServiceImpl<typeof SignalingService>>;

function signaling(replicas: Record<string, Replica>): Signaling {
  const transports = new Map<string, Transport>(
    Object.entries(replicas).map(([address, replica]) => [
      address,
      createRouterTransport(({ service }) => service(SignalingService, replica)),
    ]),
  );
  return new Signaling({
    addresses: Object.keys(replicas),
    transport: (address) => transports.get(address) ?? createRouterTransport(() => undefined),
    random: () => 0,
  });
}

const down: Replica = {
  sendChat: () => {
    throw new ConnectError("gone", Code.Unavailable);
  },
};

it("takes a call to the next replica, and stays there", async () => {
  const sendChat = vi.fn(() => ({ eventNumber: 7n }));
  const calls = signaling({ a: down, b: { sendChat } });
  const answer = calls.call((api, options) => api.sendChat({ requestId: "1", text: "x" }, options));
  await vi.advanceTimersByTimeAsync(1_000);
  expect((await answer).eventNumber).toBe(7n);
  await calls.call((api, options) => api.sendChat({ requestId: "2", text: "y" }, options));
  expect(sendChat).toHaveBeenCalledTimes(2);
});

it("gives up after its tries, and at once when refused", async () => {
  const all = signaling({ a: down, b: down }).call((api, options) => api.sendChat({ text: "x" }, options), 3);
  const failed = expect(all).rejects.toMatchObject({ code: "unreachable" });
  await vi.advanceTimersByTimeAsync(10_000);
  await failed;

  const leave = vi.fn(() => {
    throw new ConnectError("only a host may", Code.PermissionDenied);
  });
  const refused = signaling({ a: { leave }, b: {} }).call((api, options) => api.leave({}, options));
  await expect(refused).rejects.toMatchObject({ code: "not-allowed" });
  expect(leave).toHaveBeenCalledTimes(1);
});

it("sends the session token", async () => {
  const leave = vi.fn((_request: unknown, context: { requestHeader: Headers }) => {
    expect(context.requestHeader.get("authorization")).toBe("Bearer secret");
    return {};
  });
  const calls = signaling({ a: { leave } });
  calls.token = "secret";
  await calls.call((api, options) => api.leave({}, options));
  expect(leave).toHaveBeenCalled();
});

it("ends a stream that falls silent", async () => {
  const calls = signaling({
    a: {
      async *join(_request, context) {
        yield { body: { case: "keepalive", value: {} } };
        await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
      },
    },
  });
  const seen: (string | undefined)[] = [];
  const read = async (): Promise<void> => {
    for await (const { body } of calls.join(create(JoinRequestSchema), new AbortController().signal))
      seen.push(body.case);
  };
  const ended = expect(read()).rejects.toBeInstanceOf(ConnectError);
  await vi.advanceTimersByTimeAsync(30_000);
  await ended;
  expect(seen).toEqual(["keepalive"]);
});

it("needs an address", () => {
  expect(() => signaling({})).toThrow("cannot be reached");
});
