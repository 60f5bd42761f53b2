/** A short message that asks for attention without taking the page. */
import type { ComponentChildren, JSX } from "preact";
import { t } from "../strings.js";
import { CloseIcon } from "./icons.js";

interface NoticeProps {
  readonly children: ComponentChildren;
  readonly look?: "plain" | "warning";
  readonly onDismiss?: () => void;
}

export function Notice({ children, look = "plain", onDismiss }: NoticeProps): JSX.Element {
  return (
    <div class={`notice notice-${look}`} role={look === "warning" ? "alert" : "status"}>
      <div class="notice-text">{children}</div>
      {onDismiss && (
        <button class="notice-close" type="button" aria-label={t.room.dismiss} onClick={onDismiss}>
          <CloseIcon />
        </button>
      )}
    </div>
  );
}
