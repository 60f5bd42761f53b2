import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LINGER_MS, ROSTER_MS } from "../state/handover.js";
import { FakeMedia } from "../testing/fake_media.js";
import { at } from "../testing/fake_service.js";
import { Succession, type Lineup, type Offer } from "./succession.js";

let succession: Succession<FakeMedia>;
let medias: FakeMedia[];
let lineups: Lineup<FakeMedia>[];
let wanted: number;
let random: () => number;

const move = (epoch: number, makeBeforeBreak = true, spreadMs = 0): void =>
  succession.move({ epoch, makeBeforeBreak, spreadMs });
/** Who serves, who takes over, who is heard. */
const lineup = (): string =>
  [lineups.at(-1)?.serving, lineups.at(-1)?.next, lineups.at(-1)?.heard].map((media) => media?.offer ?? "-").join(" ");
/** What the stream does when a session is wanted: offers, and is answered. */
async function admit(epoch: number): Promise<Offer | null> {
  const offer = await succession.offer();
  await succession.accept("answer", epoch);
  return offer;
}
async function serving(epoch = 1): Promise<void> {
  await admit(epoch);
  at(medias, -1).connect();
  at(medias, -1).say(4, 8);
}
/** A handover from the first session to the second at epoch 2. */
async function changing(): Promise<void> {
  await serving();
  move(2);
  await admit(2);
  at(medias, 1).connect();
}

beforeEach(() => {
  vi.useFakeTimers();
  medias = [];
  lineups = [];
  wanted = 0;
  random = () => 0.5;
  succession = new Succession({
    make: () => {
      medias.push(new FakeMedia(String(medias.length + 1)));
      return Promise.resolve(at(medias, -1));
    },
    present: () => new Set([4, 8]),
    random: () => random(),
  });
  succession.on("lineup", (value) => lineups.push(value));
  succession.on("wanted", () => (wanted += 1));
});
afterEach(() => {
  succession.stop();
  vi.useRealTimers();
});

describe("a planned move", () => {
  it("hears the former until everybody is there, and leaves it a little later", async () => {
    await changing();
    expect(lineup()).toBe("1 2 1");
    at(medias, 1).say(4);
    expect(lineup()).toBe("1 2 1");
    at(medias, 1).say(4, 8);
    expect([lineup(), at(medias, 0).closed]).toEqual(["1 2 2", false]);
    vi.advanceTimersByTime(LINGER_MS);
    expect([lineup(), at(medias, 0).leftFor, at(medias, 1).closed]).toEqual(["2 - 2", 2, false]);
    vi.advanceTimersByTime(60_000);
    expect([wanted, lineups.length]).toEqual([1, 4]);
  });

  it("waits for nobody for ever", async () => {
    await changing();
    vi.advanceTimersByTime(ROSTER_MS);
    expect(lineup()).toBe("1 2 2");
    vi.advanceTimersByTime(LINGER_MS);
    expect(lineup()).toBe("2 - 2");
  });

  it("takes over at once when the former is lost", async () => {
    await changing();
    at(medias, 0).lose();
    expect([lineup(), at(medias, 0).closed, at(medias, 0).leftFor, wanted]).toEqual(["2 - 2", true, 0, 1]);
  });

  it("stays with the former when the next fails, heard already or not, and tries again", async () => {
    for (const roster of [[], [4, 8]]) {
      medias = [];
      await changing();
      at(medias, 1).say(...roster);
      at(medias, 1).lose();
      expect([lineup(), at(medias, 0).closed, at(medias, 1).closed]).toEqual(["1 - 1", false, true]);
      vi.advanceTimersByTime(1_000);
      expect((await admit(2))?.unheardEpoch).toBe(0n);
      at(medias, 2).connect();
      expect(lineup()).toBe("1 3 1");
      succession.stop();
      succession = new Succession({
        make: () => {
          medias.push(new FakeMedia(String(medias.length + 1)));
          return Promise.resolve(at(medias, -1));
        },
        present: () => new Set([4, 8]),
        random,
      });
      succession.on("lineup", (value) => lineups.push(value));
    }
  });

  it("spreads", async () => {
    await serving();
    move(2, true, 400);
    vi.advanceTimersByTime(199);
    expect(wanted).toBe(0);
    vi.advanceTimersByTime(1);
    expect(wanted).toBe(1);
  });

  it("waits no longer once the former is lost", async () => {
    await serving();
    move(2, true, 400);
    at(medias, 0).lose();
    expect(wanted).toBe(1);
    vi.advanceTimersByTime(10_000);
    expect(wanted).toBe(1);
  });

  it("to an epoch that we are served at is old news, and so is one that we move to already", async () => {
    await serving(3);
    for (const epoch of [1, 3]) move(epoch);
    expect(wanted).toBe(0);
    move(5);
    move(5);
    move(4);
    expect(wanted).toBe(1);
    await admit(6);
    move(6);
    expect(wanted).toBe(1);
  });
});

describe("a second move during a handover", () => {
  it("starts anew from the former while that is heard", async () => {
    await changing();
    move(3);
    expect([lineup(), at(medias, 1).closed, wanted]).toEqual(["1 - 1", true, 2]);
    await admit(3);
    at(medias, 2).connect();
    at(medias, 2).say(4, 8);
    vi.advanceTimersByTime(LINGER_MS);
    expect([lineup(), at(medias, 0).leftFor]).toEqual(["3 - 3", 3]);
  });

  it("starts from the next once that is heard", async () => {
    await changing();
    at(medias, 1).say(4, 8);
    move(3);
    expect([lineup(), at(medias, 0).leftFor, at(medias, 1).closed]).toEqual(["2 - 2", 2, false]);
    await admit(3);
    at(medias, 2).connect();
    expect(lineup()).toBe("2 3 2");
  });

  it("away from a next that died keeps the former, which is still good", async () => {
    await changing();
    at(medias, 1).say(4, 8);
    move(3, false);
    expect([lineup(), at(medias, 0).closed, at(medias, 1).closed]).toEqual(["1 - 1", false, true]);
    await serving(3);
    vi.advanceTimersByTime(LINGER_MS);
    expect(lineup()).toBe("3 - 3");
  });

  it("keeps the former too when the next died before we offered it anything", async () => {
    await serving();
    move(2, true, 1_000);
    move(3, false, 1_000);
    expect([at(medias, 0).closed, wanted]).toEqual([false, 0]);
    vi.advanceTimersByTime(500);
    expect(wanted).toBe(1);
  });
});

describe("a dead node", () => {
  it("is dropped at once, and the way back is spread", async () => {
    await serving();
    move(2, false, 600);
    expect([at(medias, 0).closed, succession.connected, wanted]).toEqual([true, false, 0]);
    vi.advanceTimersByTime(300);
    expect(wanted).toBe(1);
    await serving(2);
    expect(lineup()).toBe("2 - 2");
  });

  it("is asked about by the epoch of the session that fell silent, with what the links carried", async () => {
    await serving(7);
    Object.assign(at(medias, 0), { uplinkBps: 2_000_000, downlinkBps: 5_000_000 });
    at(medias, 0).lose();
    expect(wanted).toBe(1);
    expect(await admit(7)).toEqual({
      offer: "2",
      unheardEpoch: 7n,
      uplinkBps: 2_000_000n,
      downlinkBps: 5_000_000n,
    });
    at(medias, 1).connect();
    expect([lineup(), at(medias, 0).closed]).toEqual(["2 - 2", true]);
    at(medias, 1).lose();
    vi.advanceTimersByTime(10_000);
    expect((await admit(8))?.unheardEpoch).toBe(7n);
  });

  it("is not asked about by who never heard a node", async () => {
    await admit(1);
    at(medias, 0).lose();
    expect((await admit(1))?.unheardEpoch).toBe(0n);
  });
});

it("is always heard at one session that is there, and comes to rest at one: random courses", async () => {
  for (let seed = 1; seed <= 300; seed++) {
    let state = seed;
    random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    medias = [];
    lineups = [];
    wanted = 0;
    const course = new Succession<FakeMedia>({
      make: () => {
        medias.push(new FakeMedia(String(medias.length + 1)));
        return Promise.resolve(at(medias, -1));
      },
      present: () => new Set(random() < 0.5 ? [4, 8] : [4]),
      random: () => random(),
    });
    course.on("lineup", (value) => {
      lineups.push(value);
      expect([value.serving, value.next], `seed ${String(seed)}`).toContain(value.heard);
      expect(value.heard?.closed, `seed ${String(seed)}`).toBe(false);
    });
    succession = course;
    let epoch = 1;
    await serving(epoch);
    for (let step = 0; step < 40; step++) {
      const open = medias.filter(({ closed, epoch: admitted }) => !closed && admitted > 0);
      const some = open[Math.floor(random() * open.length)];
      const act = random();
      if (act < 0.15) course.move({ epoch: ++epoch, makeBeforeBreak: random() < 0.7, spreadMs: 300 });
      else if (act < 0.25 && some) some.lose();
      else if (act < 0.5 && some && !some.connected) some.connect();
      else if (act < 0.7 && some) some.say(...(random() < 0.6 ? [4, 8] : [4]));
      else if (act < 0.85) vi.advanceTimersByTime(random() * 1_000);
      else await course.offer().then((offer) => (offer ? course.accept("answer", epoch) : undefined));
      expect(medias.filter(({ closed }) => !closed).length, `seed ${String(seed)}`).toBeLessThanOrEqual(2);
    }
    // In peace it ends with one session, connected and heard.
    for (let calm = 0; calm < 20; calm++) {
      vi.advanceTimersByTime(5_000);
      if (await course.offer()) await course.accept("answer", epoch);
      const last = at(medias, -1);
      if (!last.closed && !last.connected) last.connect();
    }
    const open = medias.filter(({ closed }) => !closed);
    expect([open.length, lineups.at(-1)], `seed ${String(seed)}`).toEqual([
      1,
      { serving: open[0], next: null, heard: open[0] },
    ]);
    course.stop();
  }
});
