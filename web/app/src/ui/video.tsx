/** The own camera, mirrored as in a looking-glass. */
import { useEffect, useRef } from "preact/hooks";
import type { JSX } from "preact";

export function OwnVideo({ track }: { readonly track: MediaStreamTrack }): JSX.Element {
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    if (element.current) element.current.srcObject = new MediaStream([track]);
  }, [track]);
  return <video ref={element} class="video mirrored" muted autoPlay playsInline aria-hidden="true" />;
}
