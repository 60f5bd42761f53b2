"""Record the offers of this folder from a real Chromium and from aiortc.

Run `PYTHONPATH=tests python tests/vectors/sdp/record_offers.py` and commit what changed.
"""

import asyncio
from pathlib import Path
from typing import TypedDict

from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection
from playwright.async_api import async_playwright
from support import chromium

HERE = Path(__file__).parent
MAKE_OFFER = """
async ({sends, videoSlots, codecs}) => {
  const pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
  const channel = pc.createDataChannel('salon', {negotiated: true, id: 0});
  channel.binaryType = 'arraybuffer';
  Object.assign(window, {pc, channel});
  const prefer = (transceiver) => {
    if (!codecs) return;
    const all = RTCRtpReceiver.getCapabilities('video').codecs;
    transceiver.setCodecPreferences(all.filter((c) => codecs.includes(c.mimeType)));
  };
  const media = sends.length === 0 ? null
      : await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 1280, height: 720}});
  for (const kind of sends) {
    if (kind === 'microphone' || kind === 'screen_audio') {
      pc.addTransceiver(media.getAudioTracks()[0].clone(), {direction: 'sendonly'});
    } else if (kind === 'camera') {
      prefer(pc.addTransceiver(media.getVideoTracks()[0], {direction: 'sendonly', sendEncodings: [
        {rid: 'l', scaleResolutionDownBy: 4}, {rid: 'm', scaleResolutionDownBy: 2}, {rid: 'h'}]}));
    } else {
      prefer(pc.addTransceiver(media.getVideoTracks()[0].clone(), {direction: 'sendonly'}));
    }
  }
  for (let i = 0; i < 4; i += 1) pc.addTransceiver('audio', {direction: 'recvonly'});
  for (let i = 0; i < videoSlots; i += 1) prefer(pc.addTransceiver('video', {direction: 'recvonly'}));
  await pc.setLocalDescription(await pc.createOffer());
  return pc.localDescription.sdp;
}
"""

VP8 = ["video/VP8", "video/rtx"]


class Options(TypedDict):
    """What MAKE_OFFER is given."""

    sends: list[str]
    videoSlots: int
    codecs: list[str] | None


CHROMIUM: dict[str, Options] = {
    "chromium_camera": {"sends": ["microphone", "camera"], "videoSlots": 9, "codecs": VP8},
    "chromium_all_sources": {
        "sends": ["microphone", "screen_audio", "camera", "screen"],
        "videoSlots": 25,
        "codecs": VP8,
    },
    "chromium_every_codec": {"sends": ["microphone", "camera"], "videoSlots": 4, "codecs": None},
    "chromium_viewer": {"sends": [], "videoSlots": 4, "codecs": VP8},
}


async def record_chromium() -> None:
    """Write one file for each entry of CHROMIUM."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium.require(), args=chromium.FLAGS)
        page = await browser.new_page()
        await page.goto("chrome://version")
        for name, options in CHROMIUM.items():
            sdp: str = await page.evaluate(MAKE_OFFER, options)
            (HERE / f"{name}.sdp").write_text(sdp, newline="")
        await browser.close()


async def record_aiortc() -> None:
    """Write aiortc.sdp: a bot that sends both kinds and has nine video slots."""
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
    for kind in ("audio", "video"):
        pc.addTransceiver(kind, direction="sendonly")
    for kind, count in (("audio", 4), ("video", 9)):
        for _ in range(count):
            pc.addTransceiver(kind, direction="recvonly")
    pc.createDataChannel("salon", negotiated=True, id=0)
    await pc.setLocalDescription(await pc.createOffer())
    (HERE / "aiortc.sdp").write_text(pc.localDescription.sdp, newline="")
    await pc.close()


if __name__ == "__main__":
    asyncio.run(record_aiortc())
    asyncio.run(record_chromium())
