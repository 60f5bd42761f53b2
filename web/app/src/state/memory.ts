/** What the app remembers of a person: the name for good, the devices and the host's secret for this tab. */

const NAME = "salon.name";
const HOST = "salon.host.";
const DEVICES = "salon.devices";

export interface DeviceChoice {
  readonly camera: boolean;
  readonly microphone: boolean;
}

export function recallName(): string {
  return read(() => localStorage.getItem(NAME)) ?? "";
}

export function rememberName(name: string): void {
  write(() => localStorage.setItem(NAME, name));
}

/** The secret that makes whoever started a room its host. */
export function recallHostSecret(roomId: string): string | null {
  return read(() => sessionStorage.getItem(HOST + roomId));
}

export function rememberHostSecret(roomId: string, secret: string): void {
  write(() => sessionStorage.setItem(HOST + roomId, secret));
}

/** Which devices were on before a reload. */
export function recallDevices(): DeviceChoice {
  const stored = read(() => sessionStorage.getItem(DEVICES)) ?? "";
  return { camera: stored.includes("camera"), microphone: stored.includes("microphone") };
}

export function rememberDevices({ camera, microphone }: DeviceChoice): void {
  write(() => sessionStorage.setItem(DEVICES, [camera && "camera", microphone && "microphone"].filter(Boolean).join()));
}

function read(get: () => string | null): string | null {
  try {
    return get();
  } catch {
    return null;
  }
}

/** Storage can be full or forbidden; nothing here is needed. */
function write(set: () => void): void {
  try {
    set();
  } catch {
    return;
  }
}
