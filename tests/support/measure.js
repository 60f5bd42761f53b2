// Injected into the pages of the browser tests before the app: measures what the page presents and plays.
(() => {
  const connections = [];
  const Original = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Original {
    constructor(...args) {
      super(...args);
      connections.push(this);
    }
  };

  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 8;
  const paper = canvas.getContext("2d", { willReadFrequently: true });
  const frames = new WeakMap();

  // The median of a coarse grid: the small moving square of the test picture does not count.
  function colourOf(video) {
    paper.drawImage(video, 0, 0, 8, 8);
    const data = paper.getImageData(0, 0, 8, 8).data;
    const channel = (offset) => {
      const values = [];
      for (let at = offset; at < data.length; at += 4) values.push(data[at]);
      return values.sort((a, b) => a - b)[values.length >> 1];
    };
    return [channel(0), channel(1), channel(2)];
  }

  function others() {
    return [...document.querySelectorAll('[data-testid="tile"]:not([data-self="true"])')];
  }

  function videoOf(tile) {
    return tile.querySelector("video");
  }

  // Every frame that is presented uncovered, checked at the moment it is presented.
  const presented = { total: 0, wrong: [] };
  let expected = null;
  function watch(video) {
    if (frames.has(video)) return;
    frames.set(video, 0);
    const onFrame = (_now, frame) => {
      frames.set(video, frames.get(video) + 1);
      const tile = video.closest('[data-testid="tile"]');
      if (clicked && tile && tile.dataset.self !== "true") resolveFirst(performance.now() - clicked);
      if (expected && tile && tile.dataset.self !== "true" && video.style.opacity !== "0") {
        const colour = colourOf(video);
        const name = tile.dataset.participantName;
        presented.total += 1;
        const distance = (other) => other.reduce((sum, c, i) => sum + (c - colour[i]) ** 2, 0);
        const nearest = Object.keys(expected).reduce((a, b) =>
          distance(expected[a]) <= distance(expected[b]) ? a : b,
        );
        if (nearest !== name) {
          presented.wrong.push({ name, colour, nearest, rtp: frame.rtpTimestamp, at: performance.now() });
        }
      }
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
  }
  new MutationObserver(() => document.querySelectorAll("video").forEach(watch)).observe(document, {
    childList: true,
    subtree: true,
  });

  let audio = null;
  const analysers = new Map();
  function peaks() {
    audio ??= new AudioContext();
    const found = [];
    for (const connection of connections) {
      if (connection.connectionState !== "connected") continue;
      for (const receiver of connection.getReceivers()) {
        const track = receiver.track;
        if (track.kind !== "audio") continue;
        let analyser = analysers.get(track.id);
        if (!analyser) {
          analyser = audio.createAnalyser();
          analyser.fftSize = 8192;
          analyser.smoothingTimeConstant = 0;
          audio.createMediaStreamSource(new MediaStream([track])).connect(analyser);
          analysers.set(track.id, analyser);
        }
        const bins = new Float32Array(analyser.frequencyBinCount);
        analyser.getFloatFrequencyData(bins);
        let best = 0;
        for (let bin = 1; bin < bins.length; bin += 1) if (bins[bin] > bins[best]) best = bin;
        if (bins[best] > -60) found.push((best * audio.sampleRate) / analyser.fftSize);
      }
    }
    return found;
  }

  // From the next click on "Join" to the first presented frame of another's tile.
  let clicked = 0;
  let resolveFirst;
  const first = new Promise((resolve) => (resolveFirst = resolve));
  const timeJoin = () =>
    document.querySelector('[data-testid="join"]').addEventListener("click", () => (clicked = performance.now()));

  window.salonMeasure = {
    timeJoin,
    firstFrame: () => first,
    connections,
    tiles: () =>
      others().map((tile) => {
        const video = videoOf(tile);
        const seen = video && video.videoWidth > 0;
        return {
          name: tile.dataset.participantName,
          covered: !seen || video.style.opacity === "0",
          colour: seen ? colourOf(video) : [0, 0, 0],
          frames: video ? (frames.get(video) ?? 0) : 0,
        };
      }),
    chats: () => [...document.querySelectorAll('[data-testid="chat-message"]')].map((item) => item.dataset.text),
    peaks,
    expect: (colours) => {
      expected = colours;
      presented.total = 0;
      presented.wrong = [];
    },
    presented: () => presented,
  };
})();
