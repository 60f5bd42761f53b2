/** Before a room: what the link opens, how one looks, and under which name. */
import { LocalMedia, SalonError, type Room, type RoomLink, type RoomPreview } from "@salon/client";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { App } from "../../state/app.js";
import { recallName } from "../../state/memory.js";
import { t } from "../../strings.js";
import { Button } from "../../ui/button.js";
import { Field } from "../../ui/field.js";
import { Page } from "../../ui/page.js";
import { DevicePreview } from "./device_preview.js";

interface LobbyPageProps {
  readonly app: App;
  readonly link: RoomLink;
}

const NAME_CHARACTERS = 64;

export function LobbyPage({ app, link }: LobbyPageProps): JSX.Element {
  const preview = usePreview(app, link);
  const [media] = useState(() => new LocalMedia());
  const [name, setName] = useState(recallName);
  const [problem, setProblem] = useState<string | null>(null);
  const [room, setRoom] = useState<Room | null>(null);
  const waiting = useWaiting(room);
  useEffect(() => releaseUnlessIn(app, media), [app, media]);

  const join = (): void => {
    if (name.trim() === "") setProblem(t.start.nameMissing);
    else setRoom(app.join(link, name.trim(), media));
  };
  return (
    <Page look="wide">
      <div class="lobby">
        <DevicePreview media={media} name={name} />
        <section class="lobby-side">
          <h1>{heading(waiting, preview)}</h1>
          <p class="lobby-occupancy" role="status">
            {waiting ? t.lobby.waiting : describe(preview)}
          </p>
          <form
            class="lobby-form"
            onSubmit={(event) => {
              event.preventDefault();
              join();
            }}
          >
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
            <Button look="primary" type="submit" disabled={room !== null} testId="join">
              {room ? t.lobby.joining : t.lobby.join}
            </Button>
            {room && <Button onClick={() => app.open()}>{t.lobby.cancel}</Button>}
          </form>
        </section>
      </div>
    </Page>
  );
}

/** Asks what the link opens, and goes to the error page when it opens nothing. */
function usePreview(app: App, link: RoomLink): RoomPreview | null {
  const [preview, setPreview] = useState<RoomPreview | null>(null);
  useEffect(() => {
    let gone = false;
    app.client.preview(link).then(
      (found) => {
        if (!gone) setPreview(found);
      },
      (error: unknown) => {
        const known = error instanceof SalonError ? error : new SalonError("internal", String(error));
        if (!gone) app.fail(known, () => app.open());
      },
    );
    return () => {
      gone = true;
    };
  }, [app, link]);
  return preview;
}

function useWaiting(room: Room | null): boolean {
  const [waiting, setWaiting] = useState(false);
  useEffect(() => room?.on("state", (state) => setWaiting(state === "waiting")), [room]);
  return waiting;
}

/** The devices go along into the room, and are released on any other way out. */
function releaseUnlessIn(app: App, media: LocalMedia): () => void {
  return () => {
    if (app.screen.value.name !== "room") media.stop();
  };
}

function heading(waiting: boolean, preview: RoomPreview | null): string {
  if (waiting) return t.lobby.waitingHeading;
  return preview?.title ? t.lobby.headingTitled(preview.title) : t.lobby.heading;
}

function describe(preview: RoomPreview | null): string {
  if (!preview) return t.lobby.looking;
  return preview.occupancy === 0 ? t.lobby.nobody : t.lobby.occupancy(preview.occupancy);
}
