/** Initials on the name's colour. */
import type { JSX } from "preact";
import { hueOf, initialsOf } from "../state/face.js";

export function Avatar({ name }: { readonly name: string }): JSX.Element {
  return (
    <span class="avatar" style={{ "--hue": String(hueOf(name)) }} aria-hidden="true">
      {initialsOf(name)}
    </span>
  );
}
