/** What people write. Shown as text, never as markup. */
import type { ChatLine, Room } from "@salon/client";
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { RoomView } from "../../state/room_view.js";
import { t } from "../../strings.js";
import { CloseIcon, SendIcon } from "../../ui/icons.js";

const TEXT_CHARACTERS = 2000;

/** Written here, and not acknowledged yet. */
interface Outgoing {
  readonly id: number;
  readonly text: string;
  readonly failed: boolean;
}

export function ChatPanel({ view, close }: { readonly view: RoomView; readonly close: () => void }): JSX.Element {
  const lines = view.chat.value;
  const { outgoing, send, again } = useOutgoing(view.room);
  const end = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => end.current?.scrollIntoView({ block: "end" }), [lines, outgoing]);

  return (
    <aside
      class="chat"
      aria-label={t.chat.heading}
      onKeyDown={(event) => {
        if (event.key === "Escape") close();
      }}
    >
      <header class="chat-header">
        <h2>{t.chat.heading}</h2>
        <button class="chat-close" type="button" aria-label={t.chat.close} onClick={close}>
          <CloseIcon />
        </button>
      </header>
      <div class="chat-lines" role="log" aria-live="polite" tabIndex={0} aria-label={t.chat.heading}>
        {lines.length === 0 && outgoing.length === 0 && <p class="chat-empty">{t.chat.empty}</p>}
        {lines.map((line, index) => (
          <Line key={line.number} line={line} before={lines[index - 1]} ownId={view.room.participantId} />
        ))}
        {outgoing.map((message) => (
          <div key={message.id} class="chat-line chat-own chat-outgoing">
            <p class="chat-text">{message.text}</p>
            <p class="chat-status">
              {message.failed ? t.chat.failed : t.chat.sending}{" "}
              {message.failed && (
                <button type="button" class="link-button" onClick={() => again(message)}>
                  {t.chat.again}
                </button>
              )}
            </p>
          </div>
        ))}
        <div ref={end} />
      </div>
      <Composer send={send} />
    </aside>
  );
}

interface LineProps {
  readonly line: ChatLine;
  readonly before: ChatLine | undefined;
  readonly ownId: string;
}

function Line({ line, before, ownId }: LineProps): JSX.Element {
  const own = line.participantId === ownId;
  const follows = before?.participantId === line.participantId && line.atMs - before.atMs < 120_000;
  return (
    <div
      class={own ? "chat-line chat-own" : "chat-line"}
      data-testid="chat-message"
      data-number={line.number}
      data-text={line.text}
    >
      {!follows && (
        <p class="chat-who">
          <span class="chat-name">{own ? t.room.you : line.name}</span>{" "}
          <time dateTime={new Date(line.atMs).toISOString()}>{clock(line.atMs)}</time>
        </p>
      )}
      <p class="chat-text" data-testid="chat-text">
        {line.text}
      </p>
    </div>
  );
}

function Composer({ send }: { readonly send: (text: string) => void }): JSX.Element {
  const [text, setText] = useState("");
  const submit = (): void => {
    if (text.trim() === "") return;
    send(text.trim());
    setText("");
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <input
        type="text"
        value={text}
        aria-label={t.chat.input}
        placeholder={t.chat.placeholder}
        maxLength={TEXT_CHARACTERS}
        autoComplete="off"
        data-testid="chat-input"
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button class="composer-send" type="submit" aria-label={t.chat.send} title={t.chat.send} data-testid="chat-send">
        <SendIcon />
      </button>
    </form>
  );
}

/** Keeps what was written until it is acknowledged, or can be tried again. */
function useOutgoing(room: Room): {
  outgoing: readonly Outgoing[];
  send: (text: string) => void;
  again: (message: Outgoing) => void;
} {
  const [outgoing, setOutgoing] = useState<readonly Outgoing[]>([]);
  const nextId = useRef(1);
  const gone = useRef(false);
  useEffect(
    () => () => {
      gone.current = true;
    },
    [],
  );

  const send = (text: string): void => {
    const id = nextId.current++;
    setOutgoing((all) => [...all, { id, text, failed: false }]);
    room.sendChat(text).then(
      () => {
        if (!gone.current) setOutgoing((all) => all.filter((message) => message.id !== id));
      },
      () => {
        if (!gone.current) setOutgoing((all) => all.map((m) => (m.id === id ? { ...m, failed: true } : m)));
      },
    );
  };
  const again = (message: Outgoing): void => {
    setOutgoing((all) => all.filter(({ id }) => id !== message.id));
    send(message.text);
  };
  return { outgoing, send, again };
}

function clock(atMs: number): string {
  return new Date(atMs).toLocaleTimeString(t.language, { hour: "2-digit", minute: "2-digit" });
}
