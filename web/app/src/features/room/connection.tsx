/** A few quiet words over the pictures while the connection is away. Nothing moves aside for them, nothing is to press. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { connectionNotice } from "../../state/connection.js";
import type { RoomView } from "../../state/room_view.js";
import { t } from "../../strings.js";

export function Connection({ view }: { readonly view: RoomView }): JSX.Element {
  const notice = connectionNotice(view.state.value);
  const [due, setDue] = useState(false);
  useEffect(() => {
    setDue(false);
    if (!notice) return undefined;
    const timer = setTimeout(() => setDue(true), notice.afterMs);
    return () => clearTimeout(timer);
  }, [notice?.text]);
  // Always there, so that what comes into it is read out.
  return (
    <div class="connection" role="status" data-testid="connection">
      {due && notice && <p class="connection-text">{t.room[notice.text]}</p>}
    </div>
  );
}
