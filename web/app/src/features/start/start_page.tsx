/** Starts a room. */
import { SalonError } from "@salon/client";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { recallName } from "../../state/memory.js";
import { t } from "../../strings.js";
import { Button } from "../../ui/button.js";
import { Field } from "../../ui/field.js";
import { Notice } from "../../ui/notice.js";
import { Page } from "../../ui/page.js";

interface StartPageProps {
  readonly start: (name: string, title: string) => Promise<void>;
}

const NAME_CHARACTERS = 64;
const TITLE_CHARACTERS = 120;

export function StartPage({ start }: StartPageProps): JSX.Element {
  const [name, setName] = useState(recallName);
  const [title, setTitle] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [failure, setFailure] = useState<SalonError | null>(null);
  const [busy, setBusy] = useState(false);

  const submit = async (): Promise<void> => {
    if (name.trim() === "") {
      setProblem(t.start.nameMissing);
      return;
    }
    setBusy(true);
    setFailure(null);
    try {
      await start(name.trim(), title.trim());
    } catch (error) {
      setFailure(error instanceof SalonError ? error : new SalonError("internal", String(error)));
      setBusy(false);
    }
  };

  return (
    <Page look="wide">
      <div class="start">
        <section class="start-words">
          <h1>{t.start.heading}</h1>
          <p>{t.start.lead}</p>
          <p class="start-link">{t.start.hasLink}</p>
        </section>
        <form
          class="card start-form"
          onSubmit={(event) => {
            event.preventDefault();
            void submit();
          }}
        >
          {failure && (
            <Notice look="warning">
              <strong>{t.errors.texts[failure.code].what}</strong> {t.errors.texts[failure.code].todo}
            </Notice>
          )}
          <Field
            label={t.start.name}
            value={name}
            placeholder={t.start.namePlaceholder}
            maxLength={NAME_CHARACTERS}
            autoComplete="name"
            problem={problem}
            testId="name-input"
            onInput={(value) => {
              setName(value);
              setProblem(null);
            }}
          />
          <Field
            label={t.start.title}
            hint={t.start.titleOptional}
            value={title}
            placeholder={t.start.titlePlaceholder}
            maxLength={TITLE_CHARACTERS}
            testId="title-input"
            onInput={setTitle}
          />
          <Button look="primary" type="submit" disabled={busy} testId="start-room">
            {busy ? t.start.submitting : t.start.submit}
          </Button>
        </form>
      </div>
    </Page>
  );
}
