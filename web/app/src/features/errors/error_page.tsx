/** What happened and what to do, when there is nothing else to show. */
import type { SalonError } from "@salon/client";
import type { JSX } from "preact";
import { t } from "../../strings.js";
import { Button } from "../../ui/button.js";
import { Page } from "../../ui/page.js";
import { useFocus } from "../../ui/use_focus.js";

interface MessagePageProps {
  readonly title: string;
  readonly what: string;
  readonly todo: string;
  /** Null when trying again cannot help. */
  readonly action: { readonly label: string; readonly run: () => void } | null;
  readonly code?: string;
  readonly detail?: string;
}

export function MessagePage({ title, what, todo, action, code, detail }: MessagePageProps): JSX.Element {
  const heading = useFocus<HTMLHeadingElement>();
  return (
    <Page>
      <section class="message" role="alert" data-code={code}>
        <h1 ref={heading} tabIndex={-1} data-testid="error-title">
          {title}
        </h1>
        <p class="message-what">{what}</p>
        <p class="message-todo">{todo}</p>
        {detail && <p class="message-detail">{detail}</p>}
        <div class="message-actions">
          {action && (
            <Button look="primary" testId="error-action" onClick={action.run}>
              {action.label}
            </Button>
          )}
          <a class={`button ${action ? "button-quiet" : "button-primary"}`} href="/">
            {t.errors.startNew}
          </a>
        </div>
      </section>
    </Page>
  );
}

/** Codes whose cause does not go away by trying again. */
const FINAL = new Set(["wrong-link", "link-expired", "link-revoked", "room-ended", "removed", "unsupported"]);

export function ErrorPage({
  error,
  retry,
}: {
  readonly error: SalonError;
  readonly retry: (() => void) | null;
}): JSX.Element {
  const { what, todo } = t.errors.texts[error.code];
  const label = error.code === "taken-over" ? t.errors.useHere : t.errors.retry;
  return (
    <MessagePage
      title={t.errors.titles[error.code]}
      what={what}
      todo={todo}
      action={retry && !FINAL.has(error.code) ? { label, run: retry } : null}
      code={error.code}
      detail={error.code === "internal" || error.code === "invalid" ? error.detail : ""}
    />
  );
}
