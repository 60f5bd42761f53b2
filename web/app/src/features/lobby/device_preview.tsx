/** The own picture with its two switches, and what is in the way of them. */
import type { LocalMedia, SalonError } from "@salon/client";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "../../strings.js";
import { Avatar } from "../../ui/avatar.js";
import { DeviceButtons } from "../../ui/device_buttons.js";
import { Notice } from "../../ui/notice.js";
import { OwnVideo } from "../../ui/video.js";

export function DevicePreview({ media, name }: { readonly media: LocalMedia; readonly name: string }): JSX.Element {
  const [problems, setProblems] = useState<readonly SalonError[]>([]);
  const [starting, setStarting] = useState(true);
  const [, refresh] = useState(0);
  useEffect(() => media.on("change", () => refresh((count) => count + 1)), [media]);
  useEffect(() => {
    void media.startBoth().then((found) => {
      setProblems(found);
      setStarting(false);
    });
  }, [media]);

  return (
    <section class="preview" aria-label={t.lobby.preview}>
      <div class="preview-picture">
        {media.camera ? <OwnVideo track={media.camera} /> : <PreviewEmpty name={name} starting={starting} />}
        <div class="preview-buttons">
          <DeviceButtons
            microphoneOn={media.microphoneOn}
            cameraOn={media.cameraOn}
            setMicrophone={(on) => media.setMicrophone(on)}
            setCamera={(on) => media.setCamera(on)}
            onProblem={(problem) => setProblems(problem ? [problem] : [])}
          />
        </div>
      </div>
      {problems.map((problem) => (
        <Notice key={problem.code} look="warning">
          <strong>{t.errors.texts[problem.code].what}</strong> {t.errors.texts[problem.code].todo}
        </Notice>
      ))}
    </section>
  );
}

function PreviewEmpty({ name, starting }: { readonly name: string; readonly starting: boolean }): JSX.Element {
  return (
    <div class="preview-empty">
      {name.trim() !== "" && <Avatar name={name} />}
      <p>{starting ? t.lobby.cameraStarting : t.lobby.cameraOff}</p>
    </div>
  );
}
