/** A media session that connects, falls silent and speaks when it is told to. */
import { Emitter } from "../emitter.js";
import type { PeerEvents } from "../rtc/peer.js";
import type { MediaSession } from "../rtc/succession.js";

export class FakeMedia extends Emitter<PeerEvents> implements MediaSession {
  connected = false;
  closed = false;
  answer = "";
  epoch = 0;
  roster: ReadonlySet<number> | null = null;
  uplinkBps = 0;
  downlinkBps = 0;
  /** The epoch for which it was left; 0 while it was not. */
  leftFor = 0;

  constructor(readonly offer: string) {
    super();
  }

  accept(answer: string, epoch: number): Promise<void> {
    this.answer = answer;
    this.epoch = epoch;
    return answer === "bad" ? Promise.reject(new Error("bad answer")) : Promise.resolve();
  }

  connect(): void {
    this.connected = true;
    this.emit("connected", undefined);
  }

  /** Its node says who is there. */
  say(...microphones: number[]): void {
    this.roster = new Set(microphones);
    this.emit("roster", undefined);
  }

  lose(): void {
    this.connected = false;
    this.emit("lost", undefined);
  }

  leave(epoch: number): void {
    this.leftFor = epoch;
    this.close();
  }

  close(): void {
    this.connected = false;
    this.closed = true;
  }
}
