// Injected into the pages of the browser tests: how long a page went without what it should receive.
//
// `mark` starts a window, `read` tells the longest time without, within it: without a presented frame by the name on the
// tile, without a packet, without a delivered frame or sound by the number of its source, without a tone by the name of
// its person. All times are milliseconds since the epoch, so that they compare with the clock of whoever broke something.
(() => {
  const POLL_MS = 50;
  const STATISTICS_MS = 200; // they cost a page far more than asking its receivers does, unless there is nothing else to ask
  const QUIET_MS = 300;
  const LISTEN_MS = 20;
  const AUDIBLE_DB = -55;
  const now = () => performance.timeOrigin + performance.now();

  // When something arrived, and the longest time during which it did not.
  class Line {
    constructor(began) {
      this.began = began;
      this.last = began;
      this.count = 0;
      this.longest = { ms: 0, from: began, to: began };
    }
    arrive(at) {
      if (at <= this.last) return;
      this.longest = this.withGapUntil(at);
      this.last = at;
      this.count += 1;
    }
    withGapUntil(at) {
      const ms = at - this.last;
      return ms > this.longest.ms ? { ms, from: this.last, to: at } : this.longest;
    }
    read(at) {
      return { ...this.withGapUntil(at), count: this.count, last: this.last };
    }
  }

  // Lines by key. Those that are known when a window starts have to arrive in it.
  class Lines {
    lines = new Map();
    mark(at) {
      for (const key of this.lines.keys()) this.lines.set(key, new Line(at));
    }
    arrive(key, at) {
      const line = this.lines.get(key);
      if (line) line.arrive(at);
      else this.lines.set(key, new Line(at));
    }
    read(at) {
      return Object.fromEntries([...this.lines].map(([key, line]) => [key, line.read(at)]));
    }
  }

  // The longest time in one piece during which something held, looked at again and again.
  class Span {
    longest = 0;
    total = 0;
    since = null;
    before = null;
    look(holds, at) {
      if (holds) {
        if (this.since === null) this.since = at;
        else this.total += at - this.before;
        this.longest = Math.max(this.longest, at - this.since);
      } else this.since = null;
      this.before = at;
    }
    read() {
      return { longest: this.longest, total: this.total };
    }
  }

  const frames = new Lines();
  const packets = new Lines();
  const sources = new Lines();
  const tones = new Lines();
  let spans = {};
  let wanted = {};
  let running = false;

  // A page's own timers are throttled in background tabs; a Worker's are not.
  function every(ms, tick) {
    const source = URL.createObjectURL(new Blob([`setInterval(() => postMessage(0), ${ms})`]));
    new Worker(source).onmessage = tick;
  }

  // ---- pictures

  const watched = new WeakSet();
  function watch(video) {
    if (watched.has(video)) return;
    watched.add(video);
    const onFrame = (at) => {
      const tile = video.closest('[data-testid="tile"]:not([data-self="true"])');
      if (tile && video.style.opacity !== "0") frames.arrive(tile.dataset.participantName, performance.timeOrigin + at);
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
  }
  new MutationObserver(() => document.querySelectorAll("video").forEach(watch)).observe(document, {
    childList: true,
    subtree: true,
  });

  // ---- packets, and what is delivered of each source

  const counts = new WeakMap();
  const delivered = new WeakMap();
  let statisticsAt = 0;
  async function poll() {
    const open = salonMeasure.connections.filter(({ connectionState }) => connectionState === "connected");
    const grown = open.map(askReceivers);
    spans.twoNodes.look(grown.filter(Boolean).length > 1, now());
    const quiet = ![...sources.lines.values()].some(({ last }) => now() - last < QUIET_MS);
    if (!quiet && now() - statisticsAt < STATISTICS_MS) return;
    statisticsAt = now();
    await Promise.all(open.map(readStatistics));
  }

  // Whether anything was delivered since the last look, and when of each source.
  function askReceivers(connection) {
    const before = delivered.get(connection) ?? 0;
    let last = before;
    for (const receiver of connection.getReceivers()) {
      for (const { source, timestamp } of receiver.getContributingSources()) {
        sources.arrive(source, timestamp);
        last = Math.max(last, timestamp);
      }
    }
    delivered.set(connection, last);
    return last > before;
  }

  // The statistics carry the time of the last packet.
  async function readStatistics(connection) {
    const before = counts.get(connection) ?? new Map();
    counts.set(connection, before);
    const report = await connection.getStats().catch(() => new Map());
    for (const entry of report.values()) {
      if (entry.type === "transport" && entry.packetsReceived > (before.get("transport") ?? 0)) {
        before.set("transport", entry.packetsReceived);
        packets.arrive("transport", entry.timestamp);
      }
      if (entry.type !== "inbound-rtp" || !entry.lastPacketReceivedTimestamp) continue;
      if (entry.packetsReceived <= (before.get(entry.id) ?? 0)) continue;
      before.set(entry.id, entry.packetsReceived);
      packets.arrive(entry.kind, entry.lastPacketReceivedTimestamp);
      packets.arrive("media", entry.lastPacketReceivedTimestamp);
    }
  }

  // ---- sound

  const elements = new Set();
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function (...args) {
    if (this instanceof HTMLAudioElement) elements.add(this);
    return play.apply(this, args);
  };

  const context = () => (context.made ??= new AudioContext());
  const analysers = new WeakMap();
  function analyserOf(track) {
    let analyser = analysers.get(track);
    if (!analyser) {
      analyser = context().createAnalyser();
      analyser.fftSize = 2048;
      analyser.smoothingTimeConstant = 0;
      context()
        .createMediaStreamSource(new MediaStream([track]))
        .connect(analyser);
      analysers.set(track, analyser);
    }
    return analyser;
  }

  // The tracks that are audible, with the connection of each.
  function audible() {
    const found = [];
    for (const element of elements) {
      if (!element.srcObject) elements.delete(element);
      else if (!element.muted && !element.paused && element.volume > 0)
        for (const track of element.srcObject.getAudioTracks()) found.push(track);
    }
    return found.map((track) => ({
      track,
      connection: salonMeasure.connections.find((each) => each.getReceivers().some((one) => one.track === track)),
    }));
  }

  function listen() {
    const at = now();
    const heard = audible();
    const connections = new Set(heard.map(({ connection }) => connection));
    spans.heardTwice.look(connections.size > 1, at);
    spans.notHeard.look(connections.size === 0, at);
    if (Object.keys(wanted).length === 0) return;
    for (const { track } of heard) {
      const analyser = analyserOf(track);
      const bins = new Float32Array(analyser.frequencyBinCount);
      analyser.getFloatFrequencyData(bins);
      for (const [name, hertz] of Object.entries(wanted)) {
        const bin = Math.round((hertz * analyser.fftSize) / context().sampleRate);
        const level = Math.max(bins[bin - 1], bins[bin], bins[bin + 1]);
        const isPeak = level > Math.max(bins[bin - 4], bins[bin + 4]) + 6;
        if (level > AUDIBLE_DB && isPeak) tones.arrive(name, at);
      }
    }
  }

  window.salonGaps = {
    mark: (people) => {
      const at = now();
      wanted = people;
      spans = { twoNodes: new Span(), heardTwice: new Span(), notHeard: new Span() };
      for (const lines of [frames, packets, sources, tones]) lines.mark(at);
      if (running) return;
      running = true;
      every(POLL_MS, poll);
      every(LISTEN_MS, listen);
    },
    read: () => {
      const at = now();
      return {
        frames: frames.read(at),
        packets: packets.read(at),
        sources: sources.read(at),
        tones: tones.read(at),
        ...Object.fromEntries(Object.entries(spans).map(([name, span]) => [name, span.read()])),
      };
    },
  };
})();
