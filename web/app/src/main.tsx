/** Starts the app: reads the configuration, then shows what the address says. */
import { SalonError } from "@salon/client";
import { render, type JSX } from "preact";
import { useEffect } from "preact/hooks";
import { loadConfig } from "./config.js";
import { ErrorPage, MessagePage } from "./features/errors/error_page.js";
import { LobbyPage } from "./features/lobby/lobby_page.js";
import { RoomPage } from "./features/room/room_page.js";
import { StartPage } from "./features/start/start_page.js";
import { App } from "./state/app.js";
import { t } from "./strings.js";
import "./styles/all.css";

function Screen({ app }: { readonly app: App }): JSX.Element {
  useEffect(() => {
    const open = (): void => app.open();
    addEventListener("popstate", open);
    return () => removeEventListener("popstate", open);
  }, [app]);
  const screen = app.screen.value;
  switch (screen.name) {
    case "start":
      return <StartPage start={(name, title) => app.startRoom(name, title)} />;
    case "lobby":
      return <LobbyPage key={screen.visit} app={app} link={screen.link} />;
    case "room":
      return <RoomPage view={screen.view} link={screen.link} />;
    case "left":
      return (
        <MessagePage
          title={t.left.title}
          what={t.left.what}
          todo={t.left.todo}
          action={{ label: t.left.again, run: () => app.open() }}
        />
      );
    case "error":
      return <ErrorPage error={screen.error} retry={screen.retry} />;
  }
}

async function start(root: HTMLElement): Promise<void> {
  // A page that comes back from the browser's cache has lost its connections.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  try {
    const app = new App(await loadConfig());
    app.open();
    render(<Screen app={app} />, root);
  } catch (error) {
    const known = error instanceof SalonError ? error : new SalonError("internal", String(error));
    render(<ErrorPage error={known} retry={() => location.reload()} />, root);
  }
}

const root = document.getElementById("app");
if (root) void start(root);
