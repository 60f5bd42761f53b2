/** The frame of every page outside a room. */
import type { ComponentChildren, JSX } from "preact";
import { t } from "../strings.js";

export function Page({
  children,
  look = "narrow",
}: {
  readonly children: ComponentChildren;
  readonly look?: "narrow" | "wide";
}): JSX.Element {
  return (
    <div class="page">
      <header class="page-header">
        <a class="wordmark" href="/">
          <img src="/icon.svg" alt="" width="32" height="32" />
          {t.product}
        </a>
      </header>
      <main class={`page-main page-${look}`}>{children}</main>
    </div>
  );
}
