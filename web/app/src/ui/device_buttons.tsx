/** The microphone's and the camera's switch. */
import type { SalonError } from "@salon/client";
import type { JSX } from "preact";
import { t } from "../strings.js";
import { RoundButton } from "./button.js";
import { CameraIcon, MicIcon } from "./icons.js";

interface DeviceButtonsProps {
  readonly microphoneOn: boolean;
  readonly cameraOn: boolean;
  readonly setMicrophone: (on: boolean) => Promise<void>;
  readonly setCamera: (on: boolean) => Promise<void>;
  /** What was in the way, or null once a switch worked. */
  readonly onProblem: (problem: SalonError | null) => void;
}

export function DeviceButtons(props: DeviceButtonsProps): JSX.Element {
  const { microphoneOn, cameraOn, setMicrophone, setCamera, onProblem } = props;
  const run = (change: Promise<void>): void => {
    change.then(
      () => onProblem(null),
      (error: unknown) => onProblem(error as SalonError),
    );
  };
  return (
    <>
      <RoundButton
        icon={<MicIcon off={!microphoneOn} />}
        label={microphoneOn ? t.room.mute : t.room.unmute}
        caption={t.room.microphone}
        look={microphoneOn ? "plain" : "off"}
        testId="mute"
        onClick={() => run(setMicrophone(!microphoneOn))}
      />
      <RoundButton
        icon={<CameraIcon off={!cameraOn} />}
        label={cameraOn ? t.room.cameraOff : t.room.cameraOn}
        caption={t.room.camera}
        look={cameraOn ? "plain" : "off"}
        testId="camera"
        onClick={() => run(setCamera(!cameraOn))}
      />
    </>
  );
}
