/** In the room: the people, the controls, the chat. */
import type { RoomLink, SalonError } from "@salon/client";
import { formatLink } from "@salon/client";
import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { RoomView } from "../../state/room_view.js";
import { t } from "../../strings.js";
import { Button, RoundButton } from "../../ui/button.js";
import { DeviceButtons } from "../../ui/device_buttons.js";
import { ChatIcon, LeaveIcon, LinkIcon, PeopleIcon } from "../../ui/icons.js";
import { Notice } from "../../ui/notice.js";
import { useFocus } from "../../ui/use_focus.js";
import { ChatPanel } from "./chat.js";
import { Connection } from "./connection.js";
import { PeopleGrid } from "./grid.js";
import { useUnread } from "./unread.js";

interface RoomPageProps {
  readonly view: RoomView;
  readonly link: RoomLink;
}

const CHAT_BESIDE = "(min-width: 900px)";

export function RoomPage({ view, link }: RoomPageProps): JSX.Element {
  const { room } = view;
  const [chatOpen, setChatOpen] = useState(() => matchMedia(CHAT_BESIDE).matches);
  const [problem, setProblem] = useState<SalonError | null>(null);
  const [copied, copy] = useCopy(formatLink(location.origin, link));
  const unread = useUnread(view.chat.value.length, chatOpen);
  const { microphoneOn, camera } = view.devices.value;
  const heading = useFocus<HTMLHeadingElement>();
  useTitle(view.title.value);

  return (
    <div class={chatOpen ? "room room-chat-open" : "room"}>
      <header class="room-header">
        <h1 ref={heading} tabIndex={-1}>
          {view.title.value || t.room.untitled}
        </h1>
        <ParticipantCount view={view} />
        <Button testId="copy-link" onClick={copy}>
          <LinkIcon />
          <span aria-live="polite">{copied === "done" ? t.room.copied : t.room.copyLink}</span>
        </Button>
      </header>
      <main class="room-main">
        <div class="notices">
          {view.audioBlocked.value && (
            <Notice look="warning">
              {t.room.audioBlocked} <Button onClick={() => void room.startAudio()}>{t.room.startAudio}</Button>
            </Notice>
          )}
          {problem && (
            <Notice look="warning" onDismiss={() => setProblem(null)}>
              <strong>{t.errors.texts[problem.code].what}</strong> {t.errors.texts[problem.code].todo}
            </Notice>
          )}
          {copied === "failed" && <Notice look="warning">{t.room.copyFailed}</Notice>}
          <Alone view={view} />
        </div>
        <PeopleGrid view={view} />
        <Connection view={view} />
      </main>
      {chatOpen && <ChatPanel view={view} close={() => setChatOpen(false)} />}
      <footer class="controls" role="group" aria-label={t.room.controls}>
        <DeviceButtons
          microphoneOn={microphoneOn}
          cameraOn={camera !== null}
          setMicrophone={(on) => room.setMicrophone(on)}
          setCamera={(on) => room.setCamera(on)}
          onProblem={setProblem}
        />
        <RoundButton
          icon={<ChatIcon />}
          label={unread > 0 ? t.room.chatUnread(unread) : t.room.chat}
          caption={t.room.chat}
          pressed={chatOpen}
          badge={unread}
          testId="chat-open"
          onClick={() => setChatOpen(!chatOpen)}
        />
        <RoundButton
          icon={<LeaveIcon />}
          label={t.room.leave}
          caption={t.room.leave}
          look="danger"
          testId="leave"
          onClick={() => void room.leave()}
        />
      </footer>
    </div>
  );
}

function ParticipantCount({ view }: { readonly view: RoomView }): JSX.Element {
  const count = useComputed(() => view.participants.value.length);
  return (
    <p class="room-count" data-testid="participant-count" data-count={count.value} title={t.room.people(count.value)}>
      <PeopleIcon />
      <span aria-hidden="true">{count.value}</span>
      <span class="visually-hidden" role="status">
        {t.room.people(count.value)}
      </span>
    </p>
  );
}

function Alone({ view }: { readonly view: RoomView }): JSX.Element | null {
  if (view.tiles.value.length > 0 || view.state.value !== "connected") return null;
  return (
    <Notice>
      <strong>{t.room.aloneHeading}.</strong> {t.room.alone}
    </Notice>
  );
}

/** Copies, and says for a while whether it worked. */
function useCopy(text: string): ["idle" | "done" | "failed", () => void] {
  const [state, setState] = useState<"idle" | "done" | "failed">("idle");
  useEffect(() => {
    if (state === "idle") return undefined;
    const timer = setTimeout(() => setState("idle"), 3_000);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = (): void => {
    // Absent on pages that are not served securely.
    const clipboard = navigator.clipboard as Clipboard | undefined;
    const written = clipboard ? clipboard.writeText(text) : Promise.reject(new Error("no clipboard"));
    written.then(
      () => setState("done"),
      () => setState("failed"),
    );
  };
  return [state, copy];
}

function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · ${t.product}` : t.product;
    return () => {
      document.title = t.product;
    };
  }, [title]);
}
